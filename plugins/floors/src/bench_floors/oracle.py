"""The labels through the same probe or alignment: what a perfect method would score."""

from __future__ import annotations

from typing import Any, Literal

import torch

from benchmark.contracts import (
    Ceiling,
    Descriptors,
    Generator,
    Images,
    Landmarks,
    MethodInfo,
    MethodSettings,
    Parts,
    Prediction,
    ShapeAndPose,
)
from benchmark.contracts.spec import Kind


class Oracle(Ceiling):
    """The labels as they are, or a descriptor map with a channel per landmark.

    With kind "landmarks" a task that shows masks instead of points gets them back as one part, and
    one that shows clouds and poses gets those; where images are generated, it gives the real ones in
    turn: what the labels are is the task's to say, not a setting. A channel is −½ (distance in cells /
    width)², whose softmax is a Gaussian (`shape` "parabola", for probes), or that Gaussian itself
    beside a constant channel ("bump", for matching: the cell most like that of a landmark is that
    landmark's).
    """

    class Settings(MethodSettings):
        kind: Literal["landmarks", "descriptors"] = "landmarks"
        """What is predicted: the labels, or a descriptor map with a channel for each landmark."""
        cells: int = 24
        """Side of that map."""
        width: float = 1.0
        """Of a landmark's bump, in cells."""
        shape: Literal["parabola", "bump"] = "parabola"
        """What a channel is: a parabola for probes, or a Gaussian for matching."""

    @classmethod
    def info(cls, settings: Settings) -> MethodInfo:
        if settings.kind == "descriptors":
            return MethodInfo(gives=("descriptors",), supervision="labels")
        gives: tuple[Kind, ...] = ("landmarks", "parts", "shape_and_pose", "generator")
        return MethodInfo(gives=gives, supervision="labels")

    def generator_from_images(self, images: Images) -> Generator:
        from bench_floors.shown_images import in_turn

        return in_turn(images.pixels, images.size)

    def predict_from_labels(self, images: torch.Tensor, labels: Any) -> Prediction:
        if isinstance(labels, ShapeAndPose):
            return labels
        if labels.dtype == torch.uint8:
            inside = (labels == 1).float()
            return Parts(torch.stack([1 - inside, inside], 1))
        if self.settings.kind == "landmarks":
            return Landmarks(labels)
        return Descriptors.covering(self._bumps(labels, images.shape[-1]), images.shape[-1])

    def _bumps(self, labels: torch.Tensor, size: int) -> torch.Tensor:
        """(B, K, cells, cells), or K + 1 channels where the shape is "bump"."""
        cells = self.settings.cells
        stride = size / cells
        centres = torch.arange(cells, device=labels.device) * stride + (stride - 1) / 2
        x = (centres - labels[..., :1]) / (stride * self.settings.width)
        y = (centres - labels[..., 1:]) / (stride * self.settings.width)
        parabola = -0.5 * (x[:, :, None, :] ** 2 + y[:, :, :, None] ** 2)
        if self.settings.shape == "parabola":
            return parabola
        return torch.cat([parabola.exp(), torch.ones_like(parabola[:, :1])], dim=1)
