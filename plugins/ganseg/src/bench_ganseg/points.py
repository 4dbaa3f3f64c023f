"""Points in groups: where each part is, how far it reaches, and its map of heat.

Positions are (row, column), the image lies in [-1, 1]². Source: He et al. 2022 (GANSeg), eqs. 1, 4, 12.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from benchmark.training.positions import pixel_centres

Grid = Literal["centres", "corners"]
Spread = Literal["deviation", "absolute", "variance"]
Heat = Literal["gaussian", "cone"]


def positions(side: int, margin: int, grid: Grid, device: torch.device | str = "cpu") -> Tensor:
    """float32 (S, S, 2), S = side + 2·margin: where the pixels of a map lie, the margin beyond [-1, 1].

    "centres": pixels tile [-1, 1], so that maps of all sides have one scale. "corners": the outermost
    pixels of the image lie at ±1, and a map of another side has another scale; as released.

    >>> positions(4, 1, "centres")[:, 0, 0].tolist()
    [-1.25, -0.75, -0.25, 0.25, 0.75, 1.25]
    """
    line = pixel_centres(side, margin, device)
    if grid == "corners":
        line = line * (side / (side - 1))
    return torch.stack(torch.meshgrid(line, line, indexing="ij"), -1)


def centres(points: Tensor) -> Tensor:
    """(B, K, 2): the mean of the points (B, K, n, 2) of each part; eq. 1."""
    return points.mean(2)


def spreads(points: Tensor, reading: Spread) -> Tensor:
    """(B, K): how far the n points (B, K, n, 2) of a part lie from their mean.

    "deviation": √Σ‖x_i − x‖² / (n − 1), eq. 1. "absolute": the mean of all |coordinate of x_i − x|,
    plus 1e-6. "variance": its square is the variance of the n distances, plus 1e-6; the last two are
    the released code's (with its switch `use_linear` and without).

    Example: points at ±0.1 in rows alone have 0.1·√2, 0.05 and √1e-6.
    """
    apart = points - points.mean(2, keepdim=True)
    if reading == "absolute":
        return apart.abs().mean((2, 3)) + 1e-6
    # a root has no slope at 0, where points that coincide would begin
    squares = apart.square().sum(-1)
    if reading == "variance":
        return ((squares + 1e-12).sqrt().var(2) + 1e-6).sqrt()
    return (squares.sum(2) + 1e-12).sqrt() / (points.shape[2] - 1)


def heat(where: Tensor, middle: Tensor, spread: Tensor, kind: Heat) -> Tensor:
    """(B, K, S, S): how near each of the positions (S, S, 2) is to each part, 1 at its middle.

    `middle` is (B, K, 2), `spread` (B, K). "gaussian": exp(−d²/σ²), eq. 4; "cone": max(0, 1 − d/σ), as
    the released configurations have it.

    Example: at distance σ the Gaussian is 0.368, the cone 0.
    """
    squares = (where - middle[:, :, None, None]).square().sum(-1)
    wide = spread[:, :, None, None]
    if kind == "gaussian":
        return (-squares / wide.square()).exp()
    return (1 - (squares + 1e-12).sqrt() / wide).clamp(min=0)


def lattice(parts: int, reach: float) -> Tensor:
    """(parts, 2): where parts start that start apart, on a square lattice within ±`reach`.

    >>> [[round(x, 1) for x in point] for point in lattice(4, 0.5).tolist()]
    [[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]]
    """
    side = math.ceil(math.sqrt(parts))
    line = torch.linspace(-reach, reach, side) if side > 1 else torch.zeros(1)
    return torch.cartesian_prod(line, line)[:parts]
