"""What a cloud and a pose look like: turntables, and silhouettes where they agree and where not."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bench_dpc.projection import terminations
from bench_dpc.rotations import multiply

BOTH, MISSED, EXTRA = (0.85, 0.85, 0.85), (0.2, 0.5, 1.0), (1.0, 0.35, 0.2)
"""Colours (red, green, blue in [0, 1]): covered by both, by the truth alone, by the prediction alone."""
BACKGROUND = 0.05


def disagreement(predicted: Tensor, true: Tensor) -> Tensor:
    """Two silhouettes (B, V, V) in [0, 1] as pictures (B, 3, V, V) in [-1, 1].

    Grey where both are, blue where only the true one is, red where only the predicted one, else black.
    """
    shares = (predicted * true, (1 - predicted) * true, predicted * (1 - true))
    colours = predicted.new_tensor([BOTH, MISSED, EXTRA])
    mixed = torch.einsum("kbhw,kc->bchw", torch.stack(shares), colours)
    return mixed.clamp(0, 1) * 2 - 1


def outlined(images: Tensor, silhouettes: Tensor) -> Tensor:
    """Images (B, 3, S, S) in [-1, 1], reddened by half where silhouettes (B, V, V) cover them."""
    cover = functional.interpolate(silhouettes[:, None], images.shape[-2:], mode="bilinear")
    red = images.new_tensor(EXTRA)[:, None, None] * 2 - 1
    return images + 0.5 * cover.clamp(0, 1) * (red - images)


def relief(voxels: Tensor) -> Tensor:
    """What a camera sees of voxels (B, V, V, V), nearer ones brighter: (B, 3, V, V) in [-1, 1]."""
    ends, depth = terminations(voxels), voxels.shape[1]
    # An object of diagonal 1 mostly lies in the middle half of the depth: that gets all the shades.
    bright = torch.linspace(1.4, -0.2, depth, device=voxels.device, dtype=voxels.dtype)
    light = torch.cat([bright.clamp(0.1, 1.0), bright.new_tensor([BACKGROUND])])
    grey = torch.einsum("bdhw,d->bhw", ends, light)
    return grey[:, None].expand(-1, 3, -1, -1).clamp(0, 1) * 2 - 1


def turned(rotations: Tensor, angle: float) -> Tensor:
    """Rotations (B, 4) to axes (forward, up, right), with the object turned about the camera's up.

    By `angle` radians; 0 leaves it as the camera sees it.
    """
    half = torch.tensor(angle / 2)
    about_up = torch.stack([half.cos(), half * 0, half.sin(), half * 0]).to(rotations)
    return multiply(about_up, rotations)
