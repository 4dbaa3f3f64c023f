"""The labels through the same probe: what a perfect method would score."""

from __future__ import annotations

from typing import Literal

import torch

from benchmark.contracts import (
    Ceiling,
    Descriptors,
    Generator,
    Images,
    Landmarks,
    MethodInfo,
    MethodSettings,
    Prediction,
)


class Oracle(Ceiling):
    """Landmarks as they are, or a descriptor map with one bump per landmark.

    Where images are generated, the real ones in turn.
    """

    class Settings(MethodSettings):
        kind: Literal["landmarks", "descriptors"] = "landmarks"
        cells: int = 24
        width: float = 1.0

    @classmethod
    def info(cls, settings: Settings) -> MethodInfo:
        return MethodInfo(gives=(settings.kind, "generator"), supervision="labels")

    def generator_from_images(self, images: Images) -> Generator:
        from bench_floors.shown_images import in_turn

        return in_turn(images.pixels, images.size)

    def predict_from_labels(self, images: torch.Tensor, labels: torch.Tensor) -> Prediction:
        if self.settings.kind == "landmarks":
            return Landmarks(labels)
        return Descriptors.covering(self._bumps(labels, images.shape[-1]), images.shape[-1])

    def _bumps(self, labels: torch.Tensor, size: int) -> torch.Tensor:
        """(B, K, cells, cells): −½ (distance in cells / width)², whose softmax is a Gaussian."""
        cells = self.settings.cells
        stride = size / cells
        centres = torch.arange(cells, device=labels.device) * stride + (stride - 1) / 2
        x = (centres - labels[..., :1]) / (stride * self.settings.width)
        y = (centres - labels[..., 1:]) / (stride * self.settings.width)
        return -0.5 * (x[:, :, None, :] ** 2 + y[:, :, :, None] ** 2)
