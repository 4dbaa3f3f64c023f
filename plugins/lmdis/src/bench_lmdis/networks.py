"""Hourglasses that find points, describe them and draw the image from both.

Source: Zhang et al. 2018, §3; YutingZhang/lmdis-rep 2d3830e, nets (general_80x80, keypoints_2d).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_lmdis.points import drawn, inside, spots
from bench_lmdis.settings import LmdisSettings

DETECTOR = ((32, 32), (64, 64), (64, 64), (64, 64))
DESCRIBER = ((32, 64), (128,), (256,), (512,))
DECODER = ((64, 64), (128,), (256,), (512,), (512,))
"""Channels of the convolutions at each side, which halves from one to the next."""


class Hourglass(nn.Module):
    """Maps (B, inward, S, S) → (B, outward, S, S), by way of `len(channels)` sides, each half the last.

    On the way down `channels` of convolutions at each side, then the largest of 2 × 2; on the way back a
    convolution, twice the side, and what a skip of `skips` convolutions makes of the same side. Each
    convolution is 3 × 3 with batch norm and ReLU, but for the last, 1 × 1.
    """

    def __init__(
        self,
        inward: int,
        channels: Sequence[Sequence[int]],
        outward: int,
        skips: int,
        momentum: float,
    ) -> None:
        super().__init__()

        def block(*widths: int) -> nn.Sequential:
            layers: list[nn.Module] = []
            for first, second in pairwise(widths):
                norm = nn.BatchNorm2d(second, eps=1e-3, momentum=momentum)
                convolution = nn.Conv2d(first, second, 3, padding=1, bias=False)
                layers += [convolution, norm, nn.ReLU(inplace=True)]
            return nn.Sequential(*layers)

        ends = [widths[-1] for widths in channels]
        self.down = nn.ModuleList(
            block(first, *widths) for first, widths in zip([inward, *ends], channels, strict=False)
        )
        self.skips = nn.ModuleList(block(*[end] * (skips + 1)) for end in ends[:-1])
        self.up = nn.ModuleList(block(below, end) for end, below in pairwise(ends))
        self.last = nn.Conv2d(ends[0], outward, 1)

    def forward(self, maps: Tensor) -> Tensor:
        kept = []
        for level, down in enumerate(self.down):
            maps = down(functional.max_pool2d(maps, 2) if level else maps)
            if level < len(self.skips):
                kept.append(self.skips[level](maps))
        for up, skip in zip(reversed(self.up), reversed(kept), strict=True):
            maps = functional.interpolate(up(maps), scale_factor=2.0, mode="bilinear") + skip
        found: Tensor = self.last(maps)
        return found


class PrivateLinear(nn.Module):
    """A linear layer of its own for each point: (B, points, inward) → (B, points, outward)."""

    def __init__(self, points: int, inward: int, outward: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(points, inward, outward) * inward**-0.5)
        self.bias = nn.Parameter(torch.zeros(points, outward))

    def forward(self, features: Tensor) -> Tensor:
        return torch.einsum("bkc,kcd->bkd", features, self.weight) + self.bias


class Networks(nn.Module):
    """All that is learned: maps of points, features of points, and the image from both."""

    def __init__(self, settings: LmdisSettings) -> None:
        super().__init__()
        self.settings = settings
        kinds = settings.landmarks + 1

        def hourglass(
            inward: int, channels: Sequence[Sequence[int]], outward: int | None
        ) -> Hourglass:
            scaled = [[max(4, round(c * settings.width)) for c in widths] for widths in channels]
            outward = outward or scaled[0][-1]
            return Hourglass(inward, scaled, outward, settings.skips, settings.norm_momentum)

        self.detector = hourglass(3, DETECTOR, kinds)
        self.describer = hourglass(3, DESCRIBER, None)
        seen = self.describer.last.out_channels
        self.shorten = PrivateLinear(kinds, seen, settings.point_features)
        self.lengthen = PrivateLinear(kinds, settings.point_features, settings.drawn_features)
        drawn_maps = settings.scales * (kinds + settings.drawn_features)
        self.decoder = hourglass(drawn_maps, DECODER, 3)

    def maps(self, padded: Tensor) -> Tensor:
        """Whose each pixel is, of padded images (B, 3, P, P) in [-1, 1]: (B, K + 1, P, P) float32.

        They sum to 1 at each pixel; the background's is the last.
        """
        found: Tensor = self.detector(padded)
        return found.float().softmax(1)

    def describe(self, padded: Tensor, maps: Tensor) -> Tensor:
        """Features (B, K + 1, F) of points: means under each map, through each point's own layer."""
        share = maps / maps.sum((-2, -1), keepdim=True).clamp(min=1e-8)
        seen = self.describer(padded).float()
        pooled = torch.einsum("bkhw,bchw->bkc", share, seen)
        found: Tensor = self.shorten(pooled)
        return found

    def draw(self, points: Tensor, features: Tensor) -> Tensor:
        """Images (B, 3, S, S) in [0, 1] from points (B, K, 2) in sides of the image, and features.

        The features' last point is the background.
        """
        s = self.settings
        spread = torch.cat([features[:, -1:], features[:, :-1]], 1)  # the background comes first
        spread = self.lengthen(spread)
        found = []
        for scale in range(s.scales):
            whose = drawn(points, s.size, s.sigma * 2 ** (scale / 2), s.claims)
            found += [whose, torch.einsum("bkhw,bkc->bchw", whose, spread)]
        picture: Tensor = self.decoder(torch.cat(found, 1))
        return picture.float().sigmoid()

    def forward(self, padded: Tensor) -> tuple[Tensor, Tensor]:
        """Maps of padded images and warps of them (2B, 3, P, P), and the first B images drawn again."""
        maps = self.maps(padded)
        count = len(padded) // 2
        of_images = maps[:count]
        features = self.describe(padded[:count], of_images)
        points = inside(spots(of_images[:, :-1]).points, self.settings.padded, self.settings.size)
        return maps, self.draw(points, features)
