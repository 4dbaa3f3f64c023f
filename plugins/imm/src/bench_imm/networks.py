"""The encoder of images and poses, and the renderer in its two forms.

Layer by layer as the tables of Jain's re-implementation (figures 1 to 4), with `width` 32, four blocks
and layout "seed"; layout "released" pads as TensorFlow does in tomasjakab/imm 0fee6b2.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from bench_imm.keypoints import gaussian_maps, positions
from benchmark.networks.same import Same


def _convolution(
    inward: int, outward: int, kernel: int, layout: str, stride: int = 1, padding: int = 1
) -> nn.Conv2d:
    if layout == "seed":
        return nn.Conv2d(inward, outward, kernel, stride, padding)
    return Same(inward, outward, kernel, stride)


def _block(inward: int, outward: int, layout: str, kernel: int = 3, stride: int = 1) -> nn.Module:
    """Convolution, batch norm, ReLU; the 7 × 7 one of layout "seed" is padded by 1 as all others."""
    return nn.Sequential(
        _convolution(inward, outward, kernel, layout, stride),
        nn.BatchNorm2d(outward),
        nn.ReLU(inplace=True),
    )


def encoder(width: int, blocks: int, layout: str) -> nn.Sequential:
    """(B, 3, S, S) → (B, width · 2^(blocks - 1), S / 2^(blocks - 1), …)."""
    layers = [_block(3, width, layout, kernel=7), _block(width, width, layout)]
    for i in range(1, blocks):
        outward = width * 2**i
        layers += [
            _block(outward // 2, outward, layout, stride=2),
            _block(outward, outward, layout),
        ]
    return nn.Sequential(*layers)


def pose_encoder(landmarks: int, width: int, blocks: int, layout: str) -> nn.Sequential:
    """The same with its own weights, and a 1 × 1 convolution to one map for each landmark."""
    last = _convolution(width * 2 ** (blocks - 1), landmarks, 1, layout, padding=0)
    return nn.Sequential(encoder(width, blocks, layout), last)


def renderer(kind: str, landmarks: int, width: int, blocks: int, layout: str) -> nn.Sequential:
    """(B, channels + landmarks, s, s) → (B, 3, s · 2^(blocks - 1), …).

    Two convolutions at each side, with half as many channels each time the side has doubled, at
    least 8. The side is doubled by bilinear interpolation, or ("transposed") by a transposed
    convolution 4 × 4 with batch norm and ReLU.
    """
    channels = width * 2 ** (blocks - 1)
    inward, layers = channels + landmarks, list[nn.Module]()
    for i in range(blocks - 1):
        outward = max(8, channels // 2**i)
        layers += [_block(inward, outward, layout), _block(outward, outward, layout)]
        layers.append(_doubling(kind, outward))
        inward = outward
    last = max(8, channels // 2 ** (blocks - 1))
    layers += [_block(inward, last, layout), _convolution(last, 3, 3, layout)]
    return nn.Sequential(*layers)


def _doubling(kind: str, channels: int) -> nn.Module:
    if kind == "bilinear":
        return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
    return nn.Sequential(
        nn.ConvTranspose2d(channels, channels, 4, 2, 1),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )


class Networks(nn.Module):
    """All that is learned: called with source and target it renders the target from the source's
    looks and the target's points."""

    def __init__(self, settings: Any) -> None:
        super().__init__()
        shape = settings.width, settings.blocks, settings.layout
        self.image_encoder = encoder(*shape)
        self.pose_encoder = pose_encoder(settings.landmarks, *shape)
        self.renderer = renderer(settings.renderer, settings.landmarks, *shape)
        self.sigma = settings.sigma
        if settings.initial == "truncated_normal":
            for part in self.modules():
                if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
                    nn.init.trunc_normal_(part.weight, std=0.01, a=-0.02, b=0.02)
                    if part.bias is not None:
                        nn.init.zeros_(part.bias)

    def points(self, images: Tensor) -> Tensor:
        """Points (B, K, 2) in [-1, 1] of images (B, 3, S, S) in [-1, 1]."""
        return positions(self.pose_encoder(images))

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        looks = self.image_encoder(source)
        maps = gaussian_maps(self.points(target), looks.shape[-1], self.sigma)
        picture: Tensor = self.renderer(torch.cat([looks, maps.to(looks.dtype)], 1))
        return picture
