"""StyleGAN2's discriminator: residual blocks that halve the side, and how much a batch varies."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from bench_stylegan2.generator import channels, sides
from bench_stylegan2.layers import Convolution, Dense
from benchmark.contracts.errors import InvalidInput


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


def with_spread(x: Tensor, group: int, sets: int = 1) -> Tensor:
    """One map more: how much images differ within their group, the same number everywhere.

    Of a batch of N the images n, n + N/group, … are a group; with `sets`, x holds so many batches one
    after the other, which don't mix. Source: Karras et al. 2018, §3. Raises `InvalidInput` where groups
    don't divide a batch.
    """
    count = len(x) // sets
    group = min(group, count)
    if count % group:
        raise InvalidInput(f"groups of {group} don't divide a batch of {count}")
    apart = x.to(torch.promote_types(x.dtype, torch.float32)).view(
        sets, group, count // group, *x.shape[1:]
    )
    apart = (apart - apart.mean(1, keepdim=True)).square().mean(1)
    spread = (apart + 1e-8).sqrt().mean((2, 3, 4)).to(x.dtype)
    more = spread[:, None].expand(-1, group, -1).reshape(-1, 1, 1, 1)
    return torch.cat([x, more.expand(-1, 1, *x.shape[2:])], 1)


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
