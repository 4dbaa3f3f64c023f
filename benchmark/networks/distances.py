"""Distances between images, by name: LPIPS, and one of random features that needs no weights."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.networks import trunks
from benchmark.networks.feature_networks import RandomConvolutions
from benchmark.networks.lpips import VARIANTS, Lpips

NAMES = (*VARIANTS, "random-conv")
EPSILON = 1e-8


class ImageDistance(ABC):
    """Two batches of images (B, 3, H, W) in [-1, 1] to their distance, float (B,); 0 when equal."""

    name: str

    @abstractmethod
    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """Without gradients. Raises `InvalidInput` for other shapes and dtypes."""

    @abstractmethod
    def identity(self) -> dict[str, object]:
        """What a number measured by this distance depends on."""


class LpipsDistance(ImageDistance):
    """LPIPS, which see; its weight files are looked for where weights lie."""

    def __init__(self, name: str, device: torch.device | str = "cpu") -> None:
        self.name = name
        self.network = Lpips(name).to(device)

    @torch.no_grad()
    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        found: Tensor = self.network(first, second)
        return found

    def identity(self) -> dict[str, object]:
        return self.network.identity()


class RandomDistance(ImageDistance):
    """`random-conv`: as LPIPS, on the maps of three random convolutions, without heads.

    At each layer maps x are divided by √(|x|² + 1e-8), their length over channels; their squared
    differences are summed over channels and averaged over space; layers add up. It is no LPIPS and
    compares only with itself.
    """

    name = "random-conv"

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.network = RandomConvolutions(device=device)

    @torch.no_grad()
    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        if first.shape != second.shape:
            raise InvalidInput(
                f"two batches of one shape, got {tuple(first.shape)} and {tuple(second.shape)}"
            )
        one, other = trunks.require_signed(first), trunks.require_signed(second)
        total = torch.zeros(len(one), device=one.device)
        for filters in self.network.filters:
            one, other = (
                torch.nn.functional.conv2d(maps, filters, stride=2, padding=1).relu()
                for maps in (one, other)
            )
            apart = (_unit(one) - _unit(other)).square().sum(dim=1)
            total = total + apart.mean(dim=(1, 2))
        return total

    def identity(self) -> dict[str, object]:
        return {
            "name": self.name,
            "sha256": self.network.sha256(),
            "resize": "none",
            "input": "RGB in [-1, 1]",
        }


def _unit(maps: Tensor) -> Tensor:
    return maps / (maps.square().sum(dim=1, keepdim=True) + EPSILON).sqrt()


def image_distance(name: str, device: torch.device | str = "cpu") -> ImageDistance:
    """The distance of a name in `NAMES`. Raises `DataMissing` where its weights are missing.

    >>> image = torch.zeros(2, 3, 16, 16)
    >>> image_distance("random-conv")(image, image)
    tensor([0., 0.])
    """
    if name in VARIANTS:
        return LpipsDistance(name, device)
    if name == "random-conv":
        return RandomDistance(device)
    raise UnknownName("image distance", name, NAMES)
