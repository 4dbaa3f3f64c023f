"""Blocks of the generators: maps that are normalised, then modulated by place or as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2


def active(x: Tensor) -> Tensor:
    """LeakyReLU of slope 0.2."""
    return functional.leaky_relu(x, SLOPE)


def convolution(inward: int, outward: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps the side, or divides it by `stride`."""
    return nn.Conv2d(inward, outward, kernel, stride, kernel // 2)


def he_normal(network: nn.Module) -> None:
    """He's normal weights for LeakyReLU 0.2, and biases of 0, in every convolution and linear layer."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, a=SLOPE)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def perceptron(inward: int, width: int, hidden: int, outward: int) -> nn.Sequential:
    """`hidden` layers with LeakyReLU, and a linear one."""
    layers: list[nn.Module] = []
    for _ in range(hidden):
        layers += [nn.Linear(inward, width), nn.LeakyReLU(SLOPE)]
        inward = width
    return nn.Sequential(*layers, nn.Linear(inward, outward))


class Spade(nn.Module):
    """Maps (B, C, H, W), normalised over the batch, then scaled and shifted place by place by another
    map (B, style, H, W). Source: Park et al. 2019 (SPADE); He et al. 2022, B.2."""

    def __init__(self, channels: int, style: int, hidden: int, kernel: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.shared = convolution(style, hidden)
        self.modulation = convolution(hidden, 2 * channels, kernel)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        gamma, beta = self.modulation(active(self.shared(style))).chunk(2, 1)
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
            found = conv(active(spade(found, style)))
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
        self.shared = nn.Linear(style, hidden)
        self.modulation = nn.Linear(hidden, 2 * inward)
        self.convolution = convolution(inward, outward)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        modulation = self.modulation(active(self.shared(style)))[:, :, None, None]
        gamma, beta = modulation.chunk(2, 1)
        found: Tensor = self.convolution(active((1 + gamma) * self.norm(x) + beta))
        return found


class Encoding(nn.Module):
    """Sines and cosines of a linear map of where P points lie, seen from each pixel; eq. 5.

    (B, P, 2) and positions (S, S, 2) → (B, 2·width, S, S). Absolute places do not enter.
    """

    def __init__(self, points: int, width: int) -> None:
        super().__init__()
        self.linear = convolution(2 * points, width, 1)

    def forward(self, points: Tensor, where: Tensor) -> Tensor:
        apart = points[:, :, None, None].float() - where
        # half precision would leave of a phase of many turns only its coarsest part
        with torch.autocast(apart.device.type, enabled=False):
            phase = torch.pi * self.linear(apart.permute(0, 1, 4, 2, 3).flatten(1, 2))
        return torch.cat([phase.sin(), phase.cos()], 1)


def cropped(x: Tensor, margin: int) -> Tensor:
    """Without `margin` pixels on each side."""
    return x[..., margin:-margin, margin:-margin] if margin else x


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
            doubled = functional.interpolate(x, scale_factor=2.0, mode="bilinear")
            x = cropped(doubled, margin)
    return cropped(x, margin)
