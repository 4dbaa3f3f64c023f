"""From maps to K points with their spread, and from points to maps.

Points are (x, y) in sides of a square: its top-left corner is (0, 0), its bottom-right one (1, 1), the
centre of pixel i of n at (i + 0.5) / n. Source: Zhang et al. 2018, §3.1 and §3.3; YutingZhang/lmdis-rep
2d3830e, net_modules/auto_struct.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from bench_lmdis.settings import Claims


class Spots(NamedTuple):
    """Where maps lie: `points` (B, K, 2) and `spread` (B, K, 2), standard deviations in x and y."""

    points: Tensor
    spread: Tensor


def _centres(side: int, like: Tensor) -> Tensor:
    return (torch.arange(side, device=like.device, dtype=torch.float32) + 0.5) / side


def spots(maps: Tensor) -> Spots:
    """Mean and standard deviations of non-negative maps (B, K, h, w), weighted by each map, float32.

    >>> maps = torch.zeros(1, 1, 4, 4)
    >>> maps[0, 0, 1, 0] = maps[0, 0, 1, 2] = 1.0
    >>> found = spots(maps)
    >>> found.points.tolist(), found.spread.tolist()
    ([[[0.375, 0.375]]], [[[0.25, 0.0]]])
    """
    maps = maps.float()
    share = maps / maps.sum((-2, -1), keepdim=True).clamp(min=1e-8)
    points, spread = [], []
    for axis in (-2, -1):  # what is left after summing along y is x
        along = share.sum(axis)
        places = _centres(along.shape[-1], maps)
        mean = along @ places
        variance = (along * (places - mean[..., None]) ** 2).sum(-1)
        points.append(mean)
        # the root of nothing has no slope
        spread.append(torch.where(variance > 0, variance.clamp(min=1e-12).sqrt(), 0.0))
    return Spots(torch.stack(points, -1), torch.stack(spread, -1))


def drawn(points: Tensor, side: int, sigma: float, claims: Claims = "mass") -> Tensor:
    """Maps (B, K + 1, side, side) of points (B, K, 2): whose each pixel is, the background's first.

    A point claims a pixel by its Gaussian of mass 1 and standard deviation `sigma`, the background all
    of them alike by mass 1; at each pixel claims are brought to sum 1. With `claims` "released" a
    point's are divided by sigma² and by the number of pixels once more, as in the code.

    >>> drawn(torch.tensor([[[0.5, 0.5]]]), 1, 0.5).flatten()  # 1 and 1 / (2π · 0.25), over their sum
    tensor([0.6110, 0.3890])
    """
    places = _centres(side, points)
    x, y = (((places - points[..., i, None]) / sigma) ** 2 for i in (0, 1))
    own = torch.exp(-0.5 * (y[..., :, None] + x[..., None, :])) / (2 * torch.pi * sigma**2)
    if claims == "released":
        own = own / (sigma * side) ** 2
    every = torch.cat([torch.ones_like(own[:, :1]), own], 1)
    return every / every.sum(1, keepdim=True)


def inside(points: Tensor, padded: int, size: int) -> Tensor:
    """Points in sides of a padded square, in sides of the `size` × `size` one in its middle.

    >>> inside(torch.tensor([0.125, 0.5]), 64, 48).tolist()
    [0.0, 0.5]
    """
    return (points - 0.5) * (padded / size) + 0.5
