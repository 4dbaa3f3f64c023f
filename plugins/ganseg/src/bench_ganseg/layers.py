"""Blocks of the generators: maps that are normalised, then modulated by place or as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from torch import Tensor, nn

from benchmark.training.layers import convolution, cropped, dense, doubled, leaky


class Spade(nn.Module):
    """Maps (B, C, H, W), normalised over the batch, then scaled and shifted place by place by another
    map (B, style, H, W). Source: Park et al. 2019 (SPADE); He et al. 2022, B.2."""

    def __init__(self, channels: int, style: int, hidden: int, kernel: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.shared = convolution(style, hidden)
        self.modulation = convolution(hidden, 2 * channels, kernel)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        gamma, beta = self.modulation(leaky(self.shared(style))).chunk(2, 1)
        modulated: Tensor = (1 + gamma) * self.norm(x) + beta
        return modulated


class SpadeBlock(nn.Module):
    """Maps (B, in, H, W) → (B, out, H, W), modulated by a map.

    With two convolutions there is a shortcut, and where channels change a third one in it; with one
    there is none.
    """

    def __init__(
        self, inward: int, outward: int, style: int, hidden: int, kernel: int, convolutions: int
    ) -> None:
        super().__init__()
        middle = min(inward, outward)
        widths = [inward, middle, outward] if convolutions == 2 else [inward, outward]
        self.spades = nn.ModuleList(Spade(w, style, hidden, kernel) for w in widths[:-1])
        self.convolutions = nn.ModuleList(convolution(a, b) for a, b in pairwise(widths))
        self.beside: nn.ModuleList | None = None
        if convolutions == 2 and inward != outward:
            self.beside = nn.ModuleList(
                [Spade(inward, style, hidden, kernel), convolution(inward, outward)]
            )

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        found = x
        for spade, conv in zip(self.spades, self.convolutions, strict=True):
            found = conv(leaky(spade(found, style)))
        if len(self.convolutions) == 1:
            return found
        if self.beside is not None:
            spade, conv = self.beside
            x = conv(spade(x, style))
        return x + found


class AdaInBlock(nn.Module):
    """Maps (B, in, H, W) → (B, out, H, W), modulated as a whole by a vector (B, style).

    Normalised over the batch, not the image. Source: He et al. 2022, B.3.
    """

    def __init__(self, inward: int, outward: int, style: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(inward, affine=False)
        self.shared = dense(style, hidden)
        self.modulation = dense(hidden, 2 * inward)
        self.convolution = convolution(inward, outward)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        modulation = self.modulation(leaky(self.shared(style)))[:, :, None, None]
        gamma, beta = modulation.chunk(2, 1)
        found: Tensor = self.convolution(leaky((1 + gamma) * self.norm(x) + beta))
        return found


def climb(
    x: Tensor,
    blocks: Iterable[nn.Module],
    styles: Iterable[Tensor],
    levels: tuple[int, ...],
    margin: int,
) -> Tensor:
    """Maps through a block a level, doubled where the next is larger; margins are cut, at last too.

    Each level's map has `margin` pixels on every side, which take in what the border does.
    """
    for block, style, side, after in zip(blocks, styles, levels, [*levels[1:], 0], strict=True):
        x = block(x, style)
        if after > side:
            x = doubled(x, margin)
    return cropped(x, margin)
