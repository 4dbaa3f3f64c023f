"""The discriminator: residual blocks that halve the side, then two linear layers."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from bench_ganseg.layers import active, convolution, he_normal
from bench_ganseg.settings import GanSegSettings


class HalvingBlock(nn.Module):
    """Maps (B, in, H, W) → (B, out, H / 2, W / 2): convolutions beside a shortcut, their sum over √2."""

    def __init__(self, inward: int, outward: int, convolutions: int) -> None:
        super().__init__()
        widths = [inward] + [outward] * convolutions
        self.convolutions = nn.ModuleList(convolution(a, b) for a, b in pairwise(widths))
        self.halving = convolution(outward, outward, stride=2)
        self.beside = convolution(inward, outward, 1, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        found = x
        for conv in self.convolutions:
            found = active(conv(found))
        halved: Tensor = self.halving(found) + self.beside(x)
        return halved / math.sqrt(2)


class Discriminator(nn.Module):
    """Images (B, 3, S, S) → scores (B,)."""

    def __init__(self, settings: GanSegSettings) -> None:
        super().__init__()
        s = settings
        self.group = s.spread_group
        widths = [3, *s.judge_widths]
        self.blocks = nn.Sequential(
            *(
                HalvingBlock(a, b, s.judge_convolutions)
                for a, b in zip(widths, s.judge_widths, strict=False)
            )
        )
        left = s.side // 2 ** len(s.judge_widths)
        self.hidden = nn.Linear((widths[-1] + bool(self.group)) * left**2, s.judge_hidden)
        self.score = nn.Linear(s.judge_hidden, 1)
        he_normal(self)

    def forward(self, images: Tensor) -> Tensor:
        x = self.blocks(images)
        if self.group:
            x = torch.cat([x, spread(x, self.group)], 1)
        scores: Tensor = self.score(active(self.hidden(x.flatten(1))))
        return scores[:, 0]


def spread(x: Tensor, group: int) -> Tensor:
    """(B, 1, H, W): how much the maps (B, C, H, W) of `group` images differ, one number for all places.

    Of a batch of B the images n, n + B/group, … are a group, as large as it can be in a smaller batch.
    Source: Karras et al. 2018, §3.
    """
    group = math.gcd(group, len(x))
    apart = x.float().view(group, len(x) // group, *x.shape[1:])
    apart = (apart - apart.mean(0)).square().mean(0)
    one = (apart + 1e-8).sqrt().mean((1, 2, 3)).to(x.dtype)
    return one.repeat(group)[:, None, None, None].expand(-1, 1, *x.shape[2:])
