"""Which factors of an image's maps are background, by where they lie."""

from __future__ import annotations

import torch
from torch import Tensor


def background(shares: Tensor, which: str) -> Tensor:
    """bool (K,): which factors are background, from how much of each lies where, (B, h, w, K).

    A factor's mean along the border (an eighth of the side) over its mean in the middle (half the side)
    says how much it is background. "most" takes the one with the most, "all" every further one above 1
    too; one is left a part. It looks at no label.

    >>> shares = torch.zeros(1, 8, 8, 2)
    >>> shares[:, 2:6, 2:6, 0], shares[:, 0, :, 1] = 1.0, 1.0
    >>> background(shares, "most").tolist()
    [False, True]
    """
    high, wide = shares.shape[1:3]
    edge_high, edge_wide = max(1, high // 8), max(1, wide // 8)
    border = torch.ones(high, wide, dtype=torch.bool, device=shares.device)
    border[edge_high : high - edge_high, edge_wide : wide - edge_wide] = False
    middle = torch.zeros_like(border)
    middle[high // 4 : high - high // 4, wide // 4 : wide - wide // 4] = True
    means = [shares[:, where].mean((0, 1)) for where in (border, middle)]
    outside = (means[0] + 1e-9) / (means[1] + 1e-9)
    found = outside > 1 if which == "all" else torch.zeros_like(outside, dtype=torch.bool)
    order = outside.argsort(descending=True, stable=True)
    found[order[0]], found[order[-1]] = True, False
    return found
