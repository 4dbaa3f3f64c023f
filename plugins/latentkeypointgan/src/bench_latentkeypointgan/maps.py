"""From points to maps: a Gaussian around each point, what is left for the background, embeddings spread.

Points are (x, y) in [-1, 1], where ±1 are the outer edges of the image, so that a point means the same
place at every level. Source: He, Wandt and Rhodin 2021, abstract: Gaussian maps of points.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.training.positions import pixel_centres


def gaussian_maps(points: Tensor, side: int, tau: float, margin: int = 0) -> Tensor:
    """Maps (B, K, s, s) of exp(-d² / tau) around points (B, K, 2), s = side + 2·margin; float32.

    Example: a point at a pixel's centre has 1 there, and exp(-0.25 / 0.04) ≈ 0.0019 where d is half a
    half side, for tau 0.04.
    """
    at = pixel_centres(side, margin, points.device)
    x, y = (torch.exp(-((at - points[..., i, None]) ** 2) / tau) for i in (0, 1))
    return y[..., :, None] * x[..., None, :]


def background_map(maps: Tensor) -> Tensor:
    """(B, 1, s, s): 1 - the largest of the points' maps (B, K, s, s).

    Example: maps of 0.2 and 0.7 leave 0.3.
    """
    return 1 - maps.amax(1, keepdim=True)


def spread(maps: Tensor, embeddings: Tensor, background: Tensor) -> Tensor:
    """(B, D, s, s): the sum of embeddings (B, K, D), each times its map, and of `background` (B, D)
    times what the maps leave.

    A sum has no fixed number of terms: a part may be left out, or another added.
    """
    parts = torch.einsum("bkhw,bkd->bdhw", maps, embeddings)
    return parts + background_map(maps) * background[:, :, None, None]


def to_pixels(points: Tensor, size: int) -> Tensor:
    """Points in [-1, 1] as pixels of an image of `size`, the centre of the first pixel at 0.

    >>> to_pixels(torch.tensor([-1.0, 0.0, 1.0]), 4).tolist()
    [-0.5, 1.5, 3.5]
    """
    return (points + 1) * (size / 2) - 0.5
