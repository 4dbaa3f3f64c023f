"""The generator: numbers → points and looks → masks → foreground and background → image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_ganseg.layers import AdaInBlock, SpadeBlock, climb
from bench_ganseg.points import centres, heat, lattice, positions, spreads
from bench_ganseg.settings import GeneratorSettings
from benchmark.training.layers import convolution, leaky, perceptron
from benchmark.training.positions import Encoding


@dataclass(frozen=True)
class Codes:
    """What an image is made of, each with an axis of images first.

    `points` (B, K, n, 2) in [-1, 1]; `looks` (B, K, E); `background` (B, E); `place` (B, 2), the
    background's centre. Positions are (row, column).
    """

    points: Tensor
    looks: Tensor
    background: Tensor
    place: Tensor

    def moved(self, part: Tensor, by: Tensor) -> Codes:
        """One part of each image, `part` (B,), moved by (row, column) `by` (2,)."""
        chosen = functional.one_hot(part, self.points.shape[1]).to(by)[:, :, None, None]
        return replace(self, points=self.points + chosen * by)

    def packed(self) -> Tensor:
        """(B, 2·K + 2, C): rows for the points and for the looks of each part, two for the background.

        C is the widest of them; rows end in zeros.
        """
        rows = [self.points.flatten(2), self.looks, self.background[:, None], self.place[:, None]]
        wide = max(row.shape[-1] for row in rows)
        return torch.cat([functional.pad(row, (0, wide - row.shape[-1])) for row in rows], 1)

    @staticmethod
    def unpacked(rows: Tensor, settings: GeneratorSettings) -> Codes:
        """Undoes `packed`."""
        s, k = settings, settings.parts
        return Codes(
            rows[:, :k, : 2 * s.points].unflatten(2, (s.points, 2)),
            rows[:, k : 2 * k, : s.embedding],
            rows[:, 2 * k, : s.embedding],
            rows[:, 2 * k + 1, :2],
        )


@dataclass(frozen=True)
class Made:
    """`images` (B, 3, S, S); `masks` (B, K + 1, S, S), which sum to 1, channel 0 the background's."""

    images: Tensor
    masks: Tensor


class Masks(nn.Module):
    """Level 2: points and looks → masks (B, K + 1, S, S); channel 0 is the background."""

    def __init__(self, settings: GeneratorSettings) -> None:
        super().__init__()
        s = self.settings = settings
        widths = [s.mask_width] * (len(s.levels) - 1) + [s.parts + 1]
        inward = [2 * s.encoding, *widths[:-1]]
        if s.use_points:
            self.start: nn.Module = Encoding(s.parts * s.points, s.encoding)
            self.blocks = nn.ModuleList(
                _spade(s, a, b) for a, b in zip(inward, widths, strict=True)
            )
        else:
            self.start = Constant(s)
            self.blocks = nn.ModuleList(
                AdaInBlock(a, b, s.embedding, s.spade) for a, b in zip(inward, widths, strict=True)
            )

    def forward(self, codes: Codes) -> Tensor:
        s = self.settings
        if s.use_points:
            x = self.start(codes.points.flatten(1, 2), _where(s, s.levels[0], codes.points))
            styles = [self._spread_looks(codes, side) for side in s.levels]
        else:
            x = self.start(codes.looks)
            styles = [codes.looks.mean(1)] * len(s.levels)
        return climb(x, self.blocks, styles, s.levels, s.margin).softmax(1)

    def _spread_looks(self, codes: Codes, side: int) -> Tensor:
        """(B, E, h, w): looks of parts, each as strong as its heat; eq. 4."""
        s = self.settings
        maps = heat(_where(s, side, codes.points), *places(codes, s), s.heat)
        return torch.einsum("bkhw,bke->behw", maps, codes.looks)


class Foreground(nn.Module):
    """Level 3: masks, centres and looks → features (B, C, S, S)."""

    def __init__(self, settings: GeneratorSettings) -> None:
        super().__init__()
        s = self.settings = settings
        self.start = Encoding(s.parts, s.encoding) if s.use_points else Constant(s)
        inward = [2 * s.encoding, *s.widths[:-1]]
        self.blocks = nn.ModuleList(_spade(s, a, b) for a, b in zip(inward, s.widths, strict=True))

    def forward(self, codes: Codes, masks: Tensor) -> Tensor:
        s, looks = self.settings, codes.looks
        if s.use_points:
            x = self.start(centres(codes.points), _where(s, s.levels[0], codes.points))
        else:
            x = self.start(looks)
        if s.separate_background:
            masks = masks[:, 1:]
        else:
            looks = torch.cat([codes.background[:, None], looks], 1)
        styles = []
        for side in s.levels:
            # beyond the image a mask is not known: its edge goes on, as in the released code
            seen = functional.interpolate(masks, (side, side), mode="bilinear")
            seen = functional.pad(seen, [s.margin] * 4, mode="replicate") if s.margin else seen
            styles.append(torch.einsum("bkhw,bke->behw", seen, looks))
        return climb(x, self.blocks, styles, s.levels, s.margin)


class Background(nn.Module):
    """Level 3: looks and place of the background → features (B, C, S, S)."""

    def __init__(self, settings: GeneratorSettings) -> None:
        super().__init__()
        s = self.settings = settings
        self.start = Encoding(1, s.encoding)
        inward = [2 * s.encoding, *s.widths[:-1]]
        self.blocks = nn.ModuleList(
            AdaInBlock(a, b, s.embedding, s.spade) for a, b in zip(inward, s.widths, strict=True)
        )

    def forward(self, codes: Codes) -> Tensor:
        s = self.settings
        x = self.start(codes.place[:, None], _where(s, s.levels[0], codes.place))
        return climb(x, self.blocks, [codes.background] * len(s.levels), s.levels, s.margin)


class Constant(nn.Module):
    """The first map where there are no points: learned, the same for every image."""

    def __init__(self, settings: GeneratorSettings) -> None:
        super().__init__()
        side = settings.levels[0] + 2 * settings.margin
        self.values = nn.Parameter(torch.randn(1, 2 * settings.encoding, side, side))

    def forward(self, like: Tensor) -> Tensor:
        return self.values.expand(len(like), -1, -1, -1)


class GanSeg(nn.Module):
    """z (B, 3·noise + 2) → codes, and what they make."""

    def __init__(self, settings: GeneratorSettings) -> None:
        super().__init__()
        s = self.settings = settings
        last = s.widths[-1]
        self.points = None
        if s.use_points:
            self.points = perceptron(s.noise, s.hidden, 2 * s.points * s.parts, s.points_hidden + 1)
        self.looks = perceptron(s.noise, s.hidden, s.embedding, s.looks_hidden + 1)
        self.behind = perceptron(s.noise, s.hidden, s.embedding, s.looks_hidden + 1)
        self.table = nn.Parameter(torch.randn(s.parts, s.embedding))
        self.masks = Masks(s)
        self.foreground = Foreground(s)
        self.background = Background(s) if s.separate_background else None
        if s.single_final:
            self.final = nn.Sequential(convolution(last, 3, 1))
        else:
            self.final = nn.Sequential(
                convolution(last, last), nn.LeakyReLU(0.2), convolution(last, 3)
            )
        self._begin()

    @torch.no_grad()
    def _begin(self) -> None:
        """First weights."""
        s = self.settings
        self.final[-1].weight.mul_(s.final_gain)  # type: ignore[operator]
        block: Any = self.masks.blocks[-1]
        last: Any = block.convolutions[-1] if isinstance(block, SpadeBlock) else block.convolution
        last.weight.mul_(s.mask_gain)
        last.bias[0] = s.background_start
        if s.start == "lattice" and self.points is not None:
            start = lattice(s.parts, s.reach)[:, None].expand(-1, s.points, -1)
            self.points[-1].bias.copy_(s.divisor * start.atanh().flatten())  # type: ignore[operator]

    def forward(self, z: Tensor) -> tuple[Codes, Made]:
        codes = self.codes(z)
        return codes, self.made(codes)

    def codes(self, z: Tensor) -> Codes:
        """What the images of z (B, 3·noise + 2) are made of; eqs. 1 to 3 and 9.

        The last two numbers, through the normal distribution's function, are the background's place.
        """
        s = self.settings
        place, look, behind, shift = z.split([s.noise, s.noise, s.noise, 2], 1)
        points = z.new_zeros(len(z), s.parts, s.points, 2)
        if self.points is not None:
            points = torch.tanh(self.points(place) / s.divisor).view_as(points)
        uniform = torch.erf(shift / 2**0.5)
        if s.background_shift == "columns":
            uniform = uniform * uniform.new_tensor([0.0, 1.0])
        looks = self.looks(look)[:, None] * self.table
        return Codes(points, looks, self.behind(behind), uniform)

    def made(self, codes: Codes) -> Made:
        """Masks, and the images that they compose; eqs. 6 to 11."""
        masks = self.masks(codes)
        features = self.foreground(codes, masks)
        if self.background is not None:
            behind = masks[:, :1]
            features = (1 - behind) * features + behind * self.background(codes)
        images = self.final(leaky(features))
        return Made(images.tanh() if self.settings.tanh else images, masks)


def places(codes: Codes, settings: GeneratorSettings) -> tuple[Tensor, Tensor]:
    """Centres (B, K, 2) and spreads (B, K) of parts."""
    if settings.sigma is None:
        return centres(codes.points), spreads(codes.points, settings.spread)
    fixed = codes.points.new_full(codes.points.shape[:2], settings.sigma)
    return centres(codes.points), fixed


def _where(settings: GeneratorSettings, side: int, like: Tensor) -> Tensor:
    return positions(side, settings.margin, settings.grid, like.device)


def _spade(s: GeneratorSettings, inward: int, outward: int) -> SpadeBlock:
    return SpadeBlock(inward, outward, s.embedding, s.spade, s.spade_kernel, s.convolutions)
