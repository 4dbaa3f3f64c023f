"""Layers of the three networks: perceptrons, and blocks whose maps are modulated place by place.

Source: Park et al. 2019 (SPADE), §3 and §3.2; initial weights He et al. 2015, for a slope of 0.2.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2
Layer = TypeVar("Layer", nn.Conv2d, nn.Linear)


def leaky(x: Tensor) -> Tensor:
    """LeakyReLU with a slope of 0.2."""
    return functional.leaky_relu(x, SLOPE)


def convolution(inward: int, outward: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps the side (at stride 1), with He's weights and no bias at first."""
    layer = nn.Conv2d(inward, outward, kernel, stride, padding=kernel // 2)
    return with_he_weights(layer)


def dense(inward: int, outward: int) -> nn.Linear:
    """A linear layer with He's weights and no bias at first."""
    return with_he_weights(nn.Linear(inward, outward))


def with_he_weights(layer: Layer) -> Layer:
    """The layer, its weights normal with variance 2 / ((1 + 0.2²) · inputs), its bias 0."""
    nn.init.kaiming_normal_(layer.weight, SLOPE)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def perceptron(inward: int, width: int, outward: int, depth: int) -> nn.Sequential:
    """`depth` linear layers, LeakyReLU between them: (B, inward) → (B, outward)."""
    widths = [inward, *[width] * (depth - 1), outward]
    layers: list[nn.Module] = []
    for first, second in pairwise(widths):
        layers += [dense(first, second), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers[:-1])


class Spade(nn.Module):
    """Maps (B, C, s, s), normalised, then scaled and shifted at each place as a style (B, D, s, s) says.

    `hidden` channels lie between style and scale, none if 0. In evaluation mode batch norm takes its
    running values, so that no image depends on another.
    """

    def __init__(
        self, channels: int, style: int, hidden: int, kernel: int, normalisation: str
    ) -> None:
        super().__init__()
        norm = nn.BatchNorm2d if normalisation == "batch" else nn.InstanceNorm2d
        self.normalise = norm(channels, affine=False)
        self.shared = convolution(style, hidden, kernel) if hidden else None
        self.modulate = convolution(hidden or style, 2 * channels, kernel)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        if self.shared is not None:
            style = functional.relu(self.shared(style))
        scale, shift = self.modulate(style).chunk(2, 1)
        modulated: Tensor = self.normalise(x) * (1 + scale) + shift
        return modulated


class SpadeBlock(nn.Module):
    """Maps (B, in, s, s) → (B, out, s, s): one or two modulated convolutions beside a shortcut.

    The shortcut is a 1 × 1 convolution where channels change, and the maps themselves elsewhere.
    """

    def __init__(
        self,
        inward: int,
        outward: int,
        style: int,
        *,
        hidden: int,
        kernel: int,
        convolutions: int,
        normalisation: str,
    ) -> None:
        super().__init__()
        middle = min(inward, outward) if convolutions == 2 else outward
        widths = [(inward, middle), (middle, outward)][:convolutions]
        self.spades = nn.ModuleList(
            Spade(first, style, hidden, kernel, normalisation) for first, _ in widths
        )
        self.convolutions = nn.ModuleList(convolution(*both, 3) for both in widths)
        self.shortcut = convolution(inward, outward, 1) if inward != outward else nn.Identity()

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        found = x
        for spade, layer in zip(self.spades, self.convolutions, strict=True):
            found = layer(leaky(spade(found, style)))
        shortcut: Tensor = self.shortcut(x)
        return shortcut + found


def with_spread(x: Tensor) -> Tensor:
    """One map more: how much the images of the batch (B, C, h, w) differ, the same number everywhere.

    Source: Karras et al. 2018, §3. Example: a batch of equal images has 0.0001 (√1e-8) there.
    """
    apart = (x.float() - x.float().mean(0)).square().mean(0)
    number = (apart + 1e-8).sqrt().mean().to(x.dtype)
    return torch.cat([x, number.expand(len(x), 1, *x.shape[2:])], 1)
