"""The detector: an image's points, as the means of softened maps.

Source: residual blocks with upsampling and a spatial softmax, as in the authors' later AutoLink (He et
al. 2022), whose layers are known.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_latentkeypointgan.settings import LatentKeypointGanSettings
from benchmark.training.layers import SLOPE, convolution, leaky
from benchmark.training.positions import pixel_centres


class Down(nn.Module):
    """Maps (B, in, s, s) → (B, out, s / 2, s / 2), halved by means; three batch norms."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.first, self.second = convolution(inward, outward, 3), convolution(outward, outward, 3)
        self.shortcut = convolution(inward, outward, 3)
        self.norms = nn.ModuleList(nn.BatchNorm2d(outward) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        found = leaky(self.norms[0](functional.avg_pool2d(self.first(x), 2)))
        found = self.norms[1](self.second(found))
        shortcut = self.norms[2](functional.avg_pool2d(self.shortcut(x), 2))
        return leaky(found + shortcut)


def up(inward: int, outward: int) -> nn.Sequential:
    """Maps (B, in, s, s) → (B, out, 2s, 2s)."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
        convolution(inward, outward, 3),
        nn.BatchNorm2d(outward),
        nn.LeakyReLU(SLOPE),
    )


class Detector(nn.Module):
    """Images (B, 3, size, size) in [-1, 1] → points (B, K, 2) in [-1, 1], float32."""

    def __init__(self, settings: LatentKeypointGanSettings) -> None:
        super().__init__()
        s = settings
        widths = [3, *(s.detector_width * 2**i for i in range(s.downs))]
        layers: list[nn.Module] = [Down(*both) for both in pairwise(widths)]
        width = widths[-1]
        for _ in range(s.ups):
            layers.append(up(width, max(1, width // 2)))
            width = max(1, width // 2)
        self.trunk = nn.Sequential(*layers)
        self.maps = convolution(width, s.landmarks, 3)

    def forward(self, images: Tensor) -> Tensor:
        return softened_means(self.maps(self.trunk(images)))


def softened_means(logits: Tensor) -> Tensor:
    """Points (B, K, 2), (x, y) in [-1, 1], of logits (B, K, h, h): a softmax weighs the cells' centres.

    Example: a single high logit in the first of 4 × 4 cells is at (-0.75, -0.75).
    """
    count, landmarks, side, _ = logits.shape
    weights = logits.float().flatten(2).softmax(-1).view(count, landmarks, side, side)
    at = pixel_centres(side, device=logits.device)
    x, y = weights.sum(2) @ at, weights.sum(3) @ at
    return torch.stack([x, y], -1)
