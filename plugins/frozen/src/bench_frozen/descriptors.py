"""A frozen network's maps as descriptors."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from bench_frozen.settings import BackboneSettings, DescriptorSettings
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext, Method, MethodInfo
from benchmark.contracts.predictions import Descriptors
from benchmark.networks.backbones import Frozen
from benchmark.training.randomness import derived_seed
from benchmark.training.weights import for_inference, load_notes, require_network, save_weights


class OfBackbone(Method):
    """What looks through a frozen network: it keeps the seed of an untrained one, and no weights."""

    settings: BackboneSettings
    _network: Frozen | None = None
    _seed = 0

    @classmethod
    def info(cls, settings: BackboneSettings) -> MethodInfo:
        """Gives what the class gives; declares the file that is read."""
        labels = "" if not settings.trained else f"{settings.backbone} was trained elsewhere"
        return MethodInfo(gives=cls.gives, pretrained=settings.network.weights(), notes=labels)

    @property
    def network(self) -> Frozen:
        """The network on its device."""
        return require_network(self._network, type(self).__name__)

    def fit(self, images: Images, context: FitContext) -> None:
        """Build the network; nothing is learned."""
        self.pretrained, self._seed = context.weights, context.seed
        self.build(context.device)

    def build(self, device: str) -> None:
        """Read the weights, or draw them."""
        s = self.settings
        seed = derived_seed(self._seed, "backbone")
        network = s.network.build(self.pretrained, seed, s.size, s.norm)
        self._network = for_inference(network, device)

    def maps(self, images: Tensor) -> list[Tensor]:
        """Maps (B, C, h, w) of each layer, of images (B, 3, S, S) in [-1, 1]."""
        size = (self.settings.size, self.settings.size)
        seen = functional.interpolate(images, size, mode="bilinear", antialias=True)
        found: list[Tensor] = self.network(seen)
        return found

    def kept(self) -> dict[str, Tensor]:
        """What was learned, by name."""
        return {}

    def save(self, folder: Path) -> None:
        """Write the seed and what was learned."""
        # a file of weights holds a tensor at least
        save_weights(folder, {"none": torch.zeros(1)} | self.kept(), {"seed": str(self._seed)})

    def load(self, folder: Path, device: str) -> None:
        """Build the network of the same seed."""
        self._seed = int(load_notes(folder)["seed"])
        self.build(device)


class FrozenBackbone(OfBackbone):
    """Maps of several layers on one grid."""

    Settings = DescriptorSettings
    gives = ("descriptors",)
    settings: DescriptorSettings

    def predict(self, images: Tensor) -> Descriptors:
        grid, found = (self.settings.grid, self.settings.grid), []
        for maps in self.maps(images):
            maps = functional.interpolate(maps, grid, mode="bilinear", antialias=True)
            found.append(functional.normalize(maps, dim=1) if self.settings.unit_length else maps)
        return Descriptors.covering(torch.cat(found, 1), images.shape[-1])
