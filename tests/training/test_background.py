"""Which factors are background."""

from __future__ import annotations

import torch
from torch.nn import functional

from benchmark.training.background import background


def test_one_factor_stays_a_part_and_one_is_background() -> None:
    shares = torch.rand(3, 8, 8, 4) * 0.1
    shares[:, 0, :, 1] += 1.0
    shares[:, :, -1, 2] += 0.5
    shares[:, 3:5, 3:5, 0] += 1.0
    assert background(shares, "most").tolist() == [False, True, False, False]
    assert background(shares, "all").tolist()[:3] == [False, True, True]
    everywhere = functional.pad(torch.zeros(1, 6, 6, 2), (0, 0, 1, 1, 1, 1), value=1.0)
    assert background(everywhere, "all").tolist() == [True, False]
