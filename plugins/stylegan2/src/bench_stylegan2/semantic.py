"""Hierarchical semantic regularisation: maps of the generator predict those of a frozen network.

Source: Karmali et al. 2022 (HSR), as released in val-iisc/HSR 6f79595, training/loss.py and load_fe.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from bench_stylegan2.generator import channels
from bench_stylegan2.layers import GAIN, SLOPE, Convolution
from bench_stylegan2.settings import StyleGan2Settings
from benchmark.contracts.errors import DataMissing, Incompatible
from benchmark.contracts.weights import Weights
from benchmark.networks.trunks import IMAGENET_STD, TRUNKS, trunk, untrained_trunk

RELEASED_MEAN = (0.48145466, 0.4578275, 0.40821073)
"""CLIP's, which the release pairs with ImageNet's spread for every teacher."""


def declared(settings: StyleGan2Settings) -> tuple[Weights, ...]:
    """The file that the teacher reads."""
    if settings.teacher == "none" or not settings.teacher_trained:
        return ()
    if settings.teacher in TRUNKS:
        return (TRUNKS[settings.teacher].weight,)
    return (
        Weights(
            settings.teacher_file,
            f"the weights of timm's {settings.teacher.removeprefix('timm/')}",
            settings.teacher_sha256,
        ),
    )


class Teacher(nn.Module):
    """Images (B, 3, S, S) in [-1, 1] → the maps (B, C, h, w) of each layer, without gradient."""

    def __init__(
        self, maps: Callable[[Tensor], Sequence[Tensor]], size: int, scale: nn.Module
    ) -> None:
        super().__init__()
        self.maps, self.size, self.scale = maps, size, scale
        self.requires_grad_(False).eval()

    @torch.no_grad()
    def forward(self, images: Tensor) -> list[Tensor]:
        seen = functional.interpolate(images.float(), (self.size, self.size), mode="area")
        return list(self.maps(self.scale(seen)))

    @torch.no_grad()
    def widths(self) -> list[int]:
        """Channels of each layer."""
        device = next(self.parameters()).device
        return [m.shape[1] for m in self(torch.zeros(1, 3, self.size, self.size, device=device))]


class Scale(nn.Module):
    """RGB in [-1, 1] → the release's mean and spread."""

    def forward(self, images: Tensor) -> Tensor:
        mean, spread = (images.new_tensor(v)[:, None, None] for v in (RELEASED_MEAN, IMAGENET_STD))
        return ((images + 1) / 2 - mean) / spread


class Normed(nn.Module):
    """Maps of a trunk, each place's channels brought to mean 0 and variance 1.

    What a transformer's last norm does, without learned scales: maps of a convolutional network differ
    in size by orders of magnitude, and the loss would be that of the largest.
    """

    def __init__(self, maps: nn.Module) -> None:
        super().__init__()
        self.maps = maps

    def forward(self, images: Tensor) -> list[Tensor]:
        found = []
        for each in self.maps(images):
            last = each.permute(0, 2, 3, 1)
            found.append(functional.layer_norm(last, last.shape[-1:]).permute(0, 3, 1, 2))
        return found


class TimmMaps(nn.Module):
    """Maps of numbered blocks of one of timm's networks."""

    def __init__(self, network: nn.Module, blocks: Sequence[int], norm: bool) -> None:
        super().__init__()
        self.network, self.blocks, self.norm = network, list(blocks), norm

    def forward(self, images: Tensor) -> Sequence[Tensor]:
        order = sorted(set(self.blocks))
        found = self.network.forward_intermediates(  # type: ignore[operator]
            images, indices=order, norm=self.norm, intermediates_only=True
        )
        return [found[order.index(block)] for block in self.blocks]


def teacher(settings: StyleGan2Settings, weights: Callable[[str], Path], seed: int) -> Teacher:
    """The frozen network; an untrained one is drawn from `seed`."""
    name, layers = settings.teacher, settings.teacher_layers
    if name in TRUNKS:
        if settings.teacher_trained:
            maps = trunk(name, layers, weights(TRUNKS[name].weight.name))
        else:
            maps = untrained_trunk(name, layers, seed)
        scale: nn.Module = maps.scale if settings.teacher_scale == "own" else Scale()
        seen = Normed(maps) if settings.teacher_norm else maps
        return Teacher(seen, settings.teacher_size, scale)
    network = _timm(name.removeprefix("timm/"), settings, weights)
    blocks = TimmMaps(network, [int(layer) for layer in layers], settings.teacher_norm)
    return Teacher(blocks, settings.teacher_size, _timm_scale(network, settings))


def _timm(name: str, settings: StyleGan2Settings, weights: Callable[[str], Path]) -> nn.Module:
    try:
        import timm
    except ImportError as error:
        raise DataMissing(
            f"teacher timm/{name} needs the package timm",
            cure='pip install "structbench-stylegan2[timm]"',
        ) from error
    more: dict[str, Any] = {"img_size": settings.teacher_size} if "vit" in name else {}
    network: nn.Module = timm.create_model(name, pretrained=False, num_classes=0, **more)
    if settings.teacher_trained:
        wanted, state = network.state_dict(), load_file(weights(settings.teacher_file))
        wrong = [k for k, v in wanted.items() if k not in state or state[k].shape != v.shape]
        if wrong:
            raise Incompatible(
                f"{settings.teacher_file} does not hold {name} at {settings.teacher_size} pixels: "
                f"missing or of another shape {wrong[:3]}",
                cure="give the file of that network, and the teacher_size it was trained with",
            )
        network.load_state_dict({key: state[key] for key in wanted})
    return network


def _timm_scale(network: nn.Module, settings: StyleGan2Settings) -> nn.Module:
    if settings.teacher_scale == "released":
        return Scale()
    about: Mapping[str, Any] = network.default_cfg  # type: ignore[assignment]
    return _Own(about["mean"], about["std"])


class _Own(nn.Module):
    """RGB in [-1, 1] → a network's own mean and spread, of RGB in [0, 1]."""

    def __init__(self, mean: Sequence[float], spread: Sequence[float]) -> None:
        super().__init__()
        self.mean, self.spread = tuple(mean), tuple(spread)

    def forward(self, images: Tensor) -> Tensor:
        mean, spread = (images.new_tensor(v)[:, None, None] for v in (self.mean, self.spread))
        return ((images + 1) / 2 - mean) / spread


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
