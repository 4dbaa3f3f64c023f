"""The discriminator: residual blocks that halve the side, then two linear layers."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from bench_ganseg.settings import GanSegSettings
from benchmark.training.layers import convolution, dense, leaky, with_spread


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
            found = leaky(conv(found))
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
        self.hidden = dense((widths[-1] + bool(self.group)) * left**2, s.judge_hidden)
        self.score = dense(s.judge_hidden, 1)

    def forward(self, images: Tensor) -> Tensor:
        x = self.blocks(images)
        if self.group:
            # a process may have a share of the batch that its groups don't divide
            x = with_spread(x, math.gcd(self.group, len(x)))
        scores: Tensor = self.score(leaky(self.hidden(x.flatten(1))))
        return scores[:, 0]
