"""LMDIS as a method: landmarks are where the detector's maps lie."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from bench_lmdis import training
from bench_lmdis.networks import Networks
from bench_lmdis.points import inside, spots
from bench_lmdis.settings import LmdisSettings
from bench_lmdis.warps import with_border
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext, MethodInfo
from benchmark.contracts.predictions import Landmarks
from benchmark.training.batches import averaged
from benchmark.training.network_method import NetworkMethod


class Lmdis(NetworkMethod[Networks]):
    """K points in each image."""

    Settings = LmdisSettings
    gives = ("landmarks",)
    settings: LmdisSettings

    @classmethod
    def info(cls, settings: LmdisSettings) -> MethodInfo:
        drawn = "" if any(settings.reconstruction) else "; images are not drawn again"
        notes = f"points follow warps and part from each other{drawn}"
        return MethodInfo(gives=cls.gives, points=settings.landmarks, milestones=True, notes=notes)

    def build(self, size: int) -> Networks:
        return Networks(self.settings)

    def learn(self, network: Networks, images: Images, context: FitContext) -> Networks:
        training.fit(network, images, context, self.settings, partial(self.write, network))
        return network

    def predict(self, images: Tensor) -> Landmarks:
        _, points = self._found(images)
        # a point may lie on the border that was put around the image
        return Landmarks((points * images.shape[-1] - 0.5).clamp(0, images.shape[-1] - 1))

    def pictures(self, images: Tensor) -> dict[str, Tensor]:
        """Each image drawn again from its points, and with the features of the next one's."""
        padded, points = self._found(images)
        features = self.network.describe(padded, self.network.maps(padded))
        swapped = features.roll(-1, 0)
        return {
            "drawn from its points and their features": self.network.draw(points, features) * 2 - 1,
            "drawn from its points and the next one's features": self.network.draw(points, swapped)
            * 2
            - 1,
        }

    def _found(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Padded images (B, 3, P, P), and points (B, K, 2) in sides of the image."""
        s = self.settings
        # means over areas, as in training
        seen = averaged(images, s.size)
        padded = with_border(seen, s.border).contiguous(memory_format=torch.channels_last)
        found = spots(self.network.maps(padded)[:, :-1]).points
        return padded, inside(found, s.padded, s.size)
