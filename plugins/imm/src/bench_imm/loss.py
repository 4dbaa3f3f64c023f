"""The reconstruction loss: squared differences of pixels and of the maps of a fixed network.

Source: tomasjakab/imm 0fee6b2, imm/models/imm_model.py (its network is the self-supervised
colourisation VGG16 of Larsson et al.; here it is a classifier's, or one drawn from a seed).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.contracts.weights import no_weights
from benchmark.networks.trunks import TRUNKS, ImageNetScale, trunk, untrained_trunk

LAYERS = {
    "vgg16": ("relu1_2", "relu2_2", "relu3_2", "relu4_2", "relu5_2"),
    "squeezenet": ("relu1", "fire3", "fire5", "fire7", "fire9"),
}
UNTRAINED_SEED = 0


class Features(nn.Module):
    """Pixels in 0 … 255 and the first `depth` maps of a network, of images in [-1, 1].

    `weights` says where a file of weights lies, by its name.
    """

    def __init__(
        self, perceptual: str, depth: int, weights: Callable[[str], Path] = no_weights
    ) -> None:
        super().__init__()
        self.scale = ImageNetScale()
        self.maps: nn.Module | None = None
        if depth and perceptual == "untrained":
            layers = LAYERS["squeezenet"][:depth]
            self.maps = untrained_trunk("squeezenet", layers, UNTRAINED_SEED)
        elif depth:
            file = weights(TRUNKS[perceptual].weight.name)
            self.maps = trunk(perceptual, LAYERS[perceptual][:depth], file)

    def forward(self, images: Tensor) -> list[Tensor]:
        found = [images.float() * 127.5]
        if self.maps is not None:
            found += self.maps(self.scale(images))
        return found


def differences(wanted: Sequence[Tensor], found: Sequence[Tensor], mask: Tensor | None) -> Tensor:
    """Mean squared difference of each pair of maps (B, C, h, w) times the mask (B, 1, H, W): (L,).

    The mask is resized to each map, and the mean is over all positions, masked or not.
    """
    return torch.stack([_difference(w, f, mask) for w, f in zip(wanted, found, strict=True)])


def _difference(wanted: Tensor, found: Tensor, mask: Tensor | None) -> Tensor:
    squared = (wanted.float() - found.float()) ** 2
    if mask is None:
        return squared.mean()
    size = squared.shape[-2:]
    if mask.shape[-2:] != size:
        mask = functional.interpolate(mask, size, mode="bilinear", align_corners=False)
    return (squared.mean(1, keepdim=True) * mask).mean()


class DifferenceWeights(nn.Module):
    """The weight of each difference: fixed, or its running average."""

    values: Tensor

    def __init__(self, settings: Any) -> None:
        super().__init__()
        self.running, self.decay = settings.weighting == "running", settings.weights_decay
        self.register_buffer("values", torch.tensor(settings.weights[: settings.depth + 1]))

    def forward(self, differences: Tensor) -> Tensor:
        """The sum of differences (L,) over their weights, which first take them in; () float32."""
        if self.running and self.training:
            self.values.lerp_(differences.detach(), 1 - self.decay)
        return (differences / self.values).sum()
