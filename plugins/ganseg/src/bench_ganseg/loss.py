"""Losses of masks."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from bench_ganseg.points import Grid, Heat, heat, positions

STATED = 128
"""The side at which the paper's weights are stated."""


def concentration(
    masks: Tensor, centres: Tensor, where: Tensor, over: Literal["sum", "mean"]
) -> Tensor:
    """How far the pixels of parts lie from their centres, squared; mean over images.

    `masks` (B, K, S, S) without the background, `centres` (B, K, 2), `where` (S, S, 2). Over parts it
    is the sum (eq. 16) or the mean (as released).

    Example: a part on two pixels, each 0.5 from its centre, costs 0.25.
    """
    squares = (where - centres[:, :, None, None]).square().sum(-1)
    share = masks / (masks.sum((2, 3), keepdim=True) + 1e-6)
    each = (share * squares).sum((2, 3))
    return each.sum(1).mean() if over == "sum" else each.mean()


def area(
    masks: Tensor,
    centres: Tensor,
    spread: Tensor,
    of: Literal["heat", "disc"],
    kind: Heat,
    grid: Grid,
) -> Tensor:
    """By how many pixels parts are smaller than they should be; summed over parts, mean over images.

    `masks` (B, K, S, S), `centres` (B, K, 2), `spread` (B, K). Should be: the sum of the map of heat
    (eq. 17), or the disc of radius `spread` (as released). Pixels are those of an image of 128: at a
    side S they count (128 / S)², so that one weight is right for every side.

    Example: a disc of spread 0.25 has 804 of 128² pixels; without any mask that is the loss.
    """
    side = masks.shape[-1]
    if of == "disc":
        wanted = torch.pi * (spread * side / 2).square()
    else:
        where = positions(side, 0, grid, masks.device)
        wanted = heat(where, centres, spread, kind).sum((2, 3))
    missing = (wanted - masks.sum((2, 3))).clamp(min=0)
    return (STATED / side) ** 2 * missing.sum(1).mean()
