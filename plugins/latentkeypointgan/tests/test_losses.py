"""What generator and detector learn from: numbers by other formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from bench_latentkeypointgan.losses import background_loss
from bench_latentkeypointgan.pairs import squared_distance


@pytest.mark.parametrize("distance, power", [("squared", 2), ("absolute", 1)])
def test_backgrounds_may_differ_behind_the_points_alone(distance: str, power: int) -> None:
    draw = np.random.Generator(np.random.PCG64(0))
    images, others = draw.normal(size=(2, 2, 3, 4, 4)).astype(np.float32)
    left = draw.uniform(size=(2, 1, 4, 4)).astype(np.float32)
    total = 0.0
    for b, c, y, x in np.ndindex(2, 3, 4, 4):
        total += (1 - left[b, 0, y, x]) * abs(images[b, c, y, x] - others[b, c, y, x]) ** power
    found = background_loss(*map(torch.from_numpy, (images, others, left)), distance)
    assert float(found) == pytest.approx(total / (2 * 3 * 4 * 4), rel=1e-5)


def test_points_cost_their_squared_distance() -> None:
    points = torch.zeros(2, 2, 2)
    found = points.clone()
    found[0, 0] = torch.tensor([0.3, 0.4])
    assert float(squared_distance(found, points)) == pytest.approx(0.25 / 4)
