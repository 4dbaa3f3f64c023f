"""Hierarchical semantic regularisation: maps of the generator predict those of a frozen network.

Source: Karmali et al. 2022 (HSR), as released in val-iisc/HSR 6f79595, training/loss.py and load_fe.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_stylegan2.generator import channels
from bench_stylegan2.layers import GAIN, SLOPE, Convolution
from bench_stylegan2.settings import StyleGan2Settings
from benchmark.networks.backbones import Frozen, Scale, normed
from benchmark.networks.trunks import IMAGENET_STD

RELEASED_MEAN = (0.48145466, 0.4578275, 0.40821073)
"""CLIP's, which the release pairs with ImageNet's spread for every teacher."""


class Teacher(nn.Module):
    """Images (B, 3, S, S) in [-1, 1] → the maps (B, C, h, w) of each layer, without gradient.

    With `norm` each place's channels are brought to mean 0 and variance 1: maps of a convolutional
    network differ in size by orders of magnitude, and the loss would be that of the largest.
    """

    def __init__(self, network: Frozen, size: int, norm: bool) -> None:
        super().__init__()
        self.network, self.size, self.norm = network, size, norm

    @torch.no_grad()
    def forward(self, images: Tensor) -> list[Tensor]:
        seen = functional.interpolate(images.float(), (self.size, self.size), mode="area")
        found: list[Tensor] = self.network(seen)
        return [normed(maps) for maps in found] if self.norm else found

    @torch.no_grad()
    def widths(self) -> list[int]:
        """Channels of each layer."""
        device = next(self.parameters()).device
        return [m.shape[1] for m in self(torch.zeros(1, 3, self.size, self.size, device=device))]


def teacher(settings: StyleGan2Settings, weights: Callable[[str], Path], seed: int) -> Teacher:
    """The frozen network; an untrained one is drawn from `seed`."""
    which = settings.backbone
    assert which is not None
    network = which.build(weights, seed, settings.teacher_size, settings.teacher_norm)
    if settings.teacher_scale == "released":
        network.scale = Scale(RELEASED_MEAN, IMAGENET_STD)
    return Teacher(network, settings.teacher_size, settings.teacher_norm and not which.of_timm)


class Predictor(nn.Module):
    """Two 1 × 1 convolutions from the generator's maps to a teacher's."""

    def __init__(self, inward: int, hidden: int, outward: int, kind: str) -> None:
        super().__init__()
        self.first = Convolution(inward, hidden, 1, active=False)
        self.second = Convolution(hidden, outward, 1, active=False)
        self.slope = 0.0 if kind == "relu" else SLOPE

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.second(functional.leaky_relu(self.first(x), self.slope) * GAIN)
        return found


class Predictors(nn.ModuleList):
    """One for each side of the generator's maps."""

    def __init__(self, settings: StyleGan2Settings, widths: Sequence[int]) -> None:
        super().__init__(
            Predictor(
                channels(side, settings.base, settings.most),
                settings.hidden,
                width,
                settings.predictor,
            )
            for side, width in zip(settings.hsr, widths, strict=True)
        )

    def forward(self, kept: Mapping[int, Tensor], targets: Sequence[Tensor]) -> Tensor:
        """The sum over sides of the mean squared difference, at the teacher's grid.

        kept: maps of the generator by side, in the order of `settings.hsr`.
        """
        total = targets[0].new_zeros(())
        for predictor, maps, target in zip(self, kept.values(), targets, strict=True):
            found = functional.interpolate(predictor(maps), target.shape[-2:], mode="area")
            total = total + (found - target).square().mean()
        return total
