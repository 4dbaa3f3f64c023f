"""StyleGAN2's discriminator: residual blocks that halve the side, and how much a batch varies."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from bench_stylegan2.generator import channels, sides
from bench_stylegan2.layers import Convolution, Dense
from benchmark.training.layers import with_spread


class ResidualBlock(nn.Module):
    """Maps (B, in, H, W) → (B, out, H / 2, W / 2): two convolutions beside a shortcut, over √2."""

    def __init__(self, inward: int, outward: int, first: bool) -> None:
        super().__init__()
        if first:
            self.fromrgb = Convolution(3, inward, 1)
        self.first = first
        self.conv0 = Convolution(inward, inward, 3)
        self.conv1 = Convolution(inward, outward, 3, down=True, gain=math.sqrt(0.5))
        self.skip = Convolution(
            inward, outward, 1, bias=False, active=False, down=True, gain=math.sqrt(0.5)
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.first:
            x = self.fromrgb(x)
        shortcut: Tensor = self.skip(x)
        return shortcut + self.conv1(self.conv0(x))


class End(nn.Module):
    """Maps of 4 × 4 → one score."""

    def __init__(self, width: int, group: int) -> None:
        super().__init__()
        self.group = group
        self.conv = Convolution(width + 1, width, 3)
        self.fc = Dense(width * 16, width, active=True)
        self.out = Dense(width, 1)

    def forward(self, x: Tensor, sets: int) -> Tensor:
        x = self.conv(with_spread(x, self.group, sets))
        scores: Tensor = self.out(self.fc(x.flatten(1)))
        return scores


class Discriminator(nn.Module):
    """Images (B, 3, size, size) in [-1, 1] → scores (B, 1).

    The `half` largest blocks compute in `low`.
    """

    def __init__(self, size: int, base: int, most: int, group: int, half: int = 0) -> None:
        super().__init__()
        self.sides, self.finest = sides(size)[:0:-1], half
        for side in self.sides:
            widths = channels(side, base, most), channels(side // 2, base, most)
            setattr(self, f"b{side}", ResidualBlock(*widths, first=side == size))
        self.b4 = End(channels(4, base, most), group)

    def forward(self, images: Tensor, low: torch.dtype = torch.float32, sets: int = 1) -> Tensor:
        """`images` may be `sets` batches one after the other: each is scored as if alone."""
        x, full = images, torch.promote_types(images.dtype, torch.float32)
        for i, side in enumerate(self.sides):
            x = getattr(self, f"b{side}")(x.to(low if i < self.finest else full))
        scores: Tensor = self.b4(x.to(full), sets)
        return scores
