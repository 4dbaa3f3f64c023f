"""Thin-plate splines that take given points to given places."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from benchmark.contracts.errors import InvalidInput
from benchmark.warps.thin_plate import ThinPlateSpline, Variant


def controls(side: int) -> Tensor:
    """The control points float64 (side², 2) of a spline, (x, y) on [-1, 1]², row by row.

    >>> controls(2).tolist()
    [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]
    """
    place = torch.linspace(-1, 1, side, dtype=torch.float64)
    y, x = torch.meshgrid(place, place, indexing="ij")
    return torch.stack([x, y], -1).reshape(-1, 2)


def spline_through(targets: Tensor, variant: Variant = "imm") -> ThinPlateSpline:
    """The splines that take `controls(side)` to `targets` (N, side², 2), in half image sizes.

    Of all smooth maps that do, those that bend least. A similarity that is to follow may as well move
    the targets. Source: Bookstein 1989. Raises `InvalidInput` for other shapes, and for fewer than
    2 × 2 controls.

    Example: `spline_through(controls(5) + 0.01 * torch.randn(8, 25, 2))` is 8 gentle warps.
    """
    side = math.isqrt(targets.shape[1]) if targets.ndim == 3 else 0
    if side < 2 or targets.shape[1:] != (side**2, 2):
        raise InvalidInput(
            "a spline goes through targets (N, K, 2), K the square of 2 or more, not through "
            f"{tuple(targets.shape)}"
        )
    targets = targets.double()
    points, count = controls(side).to(targets.device), side**2
    # what each control's weight alone adds at each control
    alone = targets.new_zeros(count, count, 2)
    alone[:, :, 0].fill_diagonal_(1.0)
    still = targets.new_zeros(count, 3, 2)
    bend = ThinPlateSpline(alone, still, variant).evaluate(points.expand(count, -1, -1))[..., 0]
    straight = torch.cat([torch.ones_like(points[:, :1]), points], 1)
    system = torch.cat([bend.T, straight], 1)
    # weights that neither shift nor turn what lies far away
    free = torch.cat([straight.T, straight.new_zeros(3, 3)], 1)
    wanted = torch.cat([targets, targets.new_zeros(len(targets), 3, 2)], 1)
    found = torch.linalg.solve(torch.cat([system, free]), wanted)
    return ThinPlateSpline(found[:, :count], found[:, count:], variant)
