"""DVE as a method: the network's maps are the descriptors."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_dve import training
from bench_dve.networks import descriptor_network
from bench_dve.settings import DveSettings
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext, MethodInfo
from benchmark.contracts.predictions import Descriptors
from benchmark.training.batches import averaged
from benchmark.training.network_method import NetworkMethod


class Dve(NetworkMethod[nn.Module]):
    """A descriptor for every second pixel of the image as it is seen."""

    Settings = DveSettings
    gives = ("descriptors",)

    @classmethod
    def info(cls, settings: DveSettings) -> MethodInfo:
        way = "by way of another image" if settings.exchange else "without vector exchange"
        return MethodInfo(gives=cls.gives, milestones=True, notes=f"views are matched {way}")

    def build(self, size: int) -> nn.Module:
        return descriptor_network(
            self.settings.network, self.settings.width, self.settings.dimension
        )

    def learn(self, network: nn.Module, images: Images, context: FitContext) -> nn.Module:
        training.fit(network, images, context, self.settings, partial(self.write, network))
        return network

    def predict(self, images: Tensor) -> Descriptors:
        size = self.settings.size
        # means over areas, as in training
        seen = averaged(images, size)
        maps = self.network(seen.contiguous(memory_format=torch.channels_last)).float()
        if self.settings.unit_length:
            maps = functional.normalize(maps, dim=1)
        return Descriptors.covering(maps, images.shape[-1])
