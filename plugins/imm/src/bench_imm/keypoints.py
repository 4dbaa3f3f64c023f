"""From maps to K points and back: a softmax along each axis, and a Gaussian around each point.

Points are (x, y) with the centres of the first and the last cell of an axis at -1 and 1.
Source: Jakab et al. 2018, §3.2; tomasjakab/imm 0fee6b2, imm/models/imm_model.py.
"""

from __future__ import annotations

import torch
from torch import Tensor


def positions(logits: Tensor) -> Tensor:
    """Points (B, K, 2) in [-1, 1] of maps (B, K, h, w), float32.

    Logits are averaged along the other axis; the softmax of what is left weighs the positions.

    >>> logits = torch.zeros(1, 1, 5, 5)
    >>> logits[0, 0, 1, :] = 100.0
    >>> positions(logits).tolist()
    [[[0.0, -0.5]]]
    """
    logits = logits.float()
    return torch.stack([_expected(logits.mean(2)), _expected(logits.mean(3))], -1)


def _expected(logits: Tensor) -> Tensor:
    place = torch.linspace(-1, 1, logits.shape[-1], device=logits.device)
    return logits.softmax(-1) @ place


def gaussian_maps(points: Tensor, side: int, sigma: float) -> Tensor:
    """Maps (B, K, side, side) of exp(-d² / sigma²) around points (B, K, 2); there is no factor 2."""
    place = torch.linspace(-1, 1, side, device=points.device)
    x, y = (torch.exp(-(((place - points[..., i, None]) / sigma) ** 2)) for i in (0, 1))
    return y[..., :, None] * x[..., None, :]


def to_pixels(points: Tensor, side: int, size: int) -> Tensor:
    """Points in [-1, 1] of maps whose side × side cells tile an image of `size` pixels, in pixels.

    The renderer enlarges its maps with cells as tiles, so that a point at the centre of cell i is
    rendered around pixel (i + ½)·size / side - ½.
    """
    return ((points + 1) / 2 * (side - 1) + 0.5) * (size / side) - 0.5
