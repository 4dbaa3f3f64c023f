"""Pairs of pictures of one thing: the source that is shown, and the target that is to be rendered.

Source: tomasjakab/imm 0fee6b2, imm/datasets/tps_dataset.py, and Jain's re-implementation, §3.1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmark.contracts.images import Images, to_signed
from benchmark.training.batches import surroundings
from benchmark.training.warp import ThinPlateSpline, Warp, draw_warps


class Pair(NamedTuple):
    """Source and target (B, 3, S, S) in [-1, 1]; how much each pixel of the target counts."""

    source: Tensor
    target: Tensor
    mask: Tensor | None


def resized(images: Tensor, size: int) -> Tensor:
    """Square images (B, C, H, H) at `size` × `size`, bilinear and antialiased."""
    if images.shape[-1] == size:
        return images
    return functional.interpolate(
        images, (size, size), mode="bilinear", align_corners=False, antialias=True
    )


def discount(side: int, settings: Any) -> Tensor:
    """(1, 1, side, side): 0 at the border, then along ½ + ½ tanh(x / 0.4), x from -1 to 1, to 1.

    `settings.discount` says over which shares of the side; the product of one profile for each axis.
    """
    none, ramp = (share * side for share in settings.discount)
    place = torch.arange(side) + 0.5
    inside = torch.minimum(place, side - place) - none
    profile = 0.5 + 0.5 * torch.tanh((2 * inside / max(ramp, 1e-6) - 1) / 0.4)
    profile = torch.where(inside < 0, 0.0, torch.where(inside > ramp, 1.0, profile))
    return (profile[:, None] * profile)[None, None]


class Pairs:
    """Pairs from batches uint8 (B, 3, H, H) of images with their surroundings."""

    def __init__(self, images: Images, settings: Any, device: torch.device) -> None:
        self.settings, self.device = settings, device
        margin = images.margin if settings.margin else 0
        used, self.around = surroundings(images.size, margin, settings.size)
        self.cut = images.margin - used
        self.side = settings.size + 2 * self.around
        self.discounted = sum(settings.discount) > 0 and settings.pairs != "views"
        self.mask = discount(self.side, settings).to(device)

    def __call__(self, pixels: Tensor, others: Tensor, draw: np.random.Generator) -> Pair:
        """The pair of each image; `others` are other views of the same objects, if pairs are such."""
        if self.settings.pairs == "views":
            return Pair(self._middle(self._seen(others)), self._middle(self._seen(pixels)), None)
        images = self._seen(pixels)
        if self.settings.pairs == "rotation":
            source_warp, target_warp = (self._rotations(len(images), draw) for _ in range(2))
            source, target = source_warp.warp(images), target_warp.warp(images)
        else:
            target_warp = draw_warps(len(images), draw, "imm-target", self.device)
            target = target_warp.warp(images)
            source = draw_warps(len(images), draw, "imm-source", self.device).warp(target)
        mask = self._mask(target_warp)
        return Pair(self._middle(source), self._middle(target), mask)

    def _seen(self, pixels: Tensor) -> Tensor:
        if self.cut:
            pixels = pixels[..., self.cut : -self.cut, self.cut : -self.cut]
        return resized(to_signed(pixels), self.side)

    def _middle(self, images: Tensor) -> Tensor:
        if self.around:
            images = images[..., self.around : -self.around, self.around : -self.around]
        return images.contiguous(memory_format=torch.channels_last)

    def _mask(self, warp: Warp) -> Tensor | None:
        if not self.discounted:
            return None
        return self._middle(warp.warp(self.mask.expand(len(warp), -1, -1, -1)))

    def _rotations(self, count: int, draw: np.random.Generator) -> ThinPlateSpline:
        angles = draw.uniform(-self.settings.rotation, self.settings.rotation, count)
        still = ThinPlateSpline.similarity(np.zeros((count, 2)), np.ones(count), angles)
        return still.to(self.device)
