"""A grid laid over every image: what can be had without looking at it."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field

from benchmark.contracts import (
    Descriptors,
    FitContext,
    Images,
    Landmarks,
    Method,
    MethodInfo,
    MethodSettings,
    Parts,
    Prediction,
)


class ImageGrid(Method):
    """The centres of K cells of a grid, as landmarks, or the cells around them as parts; or positions.

    K points lie in rows of as equal a length as can be; a pixel belongs to the nearest of them, and
    none to the background. As descriptors, `cells` × `cells` of them say where they are and nothing
    else, so that a point is matched with the same place in the other image.
    """

    class Settings(MethodSettings):
        points: int = Field(default=4, ge=1)
        """Points of the grid, in rows of nearly equal length."""
        cells: int = Field(default=48, ge=2)
        """Side of the grid of descriptors."""
        kind: Literal["landmarks", "parts", "descriptors"] = "landmarks"
        """What is predicted."""

    gives = ("landmarks", "parts", "descriptors")

    @classmethod
    def info(cls, settings: Settings) -> MethodInfo:
        points = None if settings.kind == "descriptors" else settings.points
        return MethodInfo(gives=(settings.kind,), points=points)

    def fit(self, images: Images, context: FitContext) -> None:
        """Nothing to learn."""

    def predict(self, images: torch.Tensor) -> Prediction:
        if self.settings.kind == "descriptors":
            maps = self._positions().to(images.device)
            return Descriptors.covering(maps.expand(len(images), -1, -1, -1), images.shape[-1])
        centres = self._centres(images.shape[-1]).to(images.device)
        if self.settings.kind == "landmarks":
            return Landmarks(centres.expand(len(images), -1, -1))
        pixels = torch.arange(images.shape[-1], device=images.device).float()
        grid = torch.stack(torch.meshgrid(pixels, pixels, indexing="xy"), dim=-1)
        nearest = torch.cdist(grid.flatten(0, 1), centres).argmin(dim=1).view(grid.shape[:2])
        maps = torch.nn.functional.one_hot(nearest + 1, len(centres) + 1).permute(2, 0, 1)
        return Parts(maps.float().expand(len(images), -1, -1, -1))

    def _positions(self) -> torch.Tensor:
        """(1, 4, cells, cells) of equal length: the nearer two positions, the larger the product."""
        along = torch.linspace(0, torch.pi, self.settings.cells)
        y, x = torch.meshgrid(along, along, indexing="ij")
        return torch.stack([x.cos(), x.sin(), y.cos(), y.sin()])[None]

    def _centres(self, size: int) -> torch.Tensor:
        """(K, 2) float32 (x, y) pixels of a square image, row by row."""
        count = self.settings.points
        rows = max(1, round(count**0.5))
        lengths = [(count + row) // rows for row in range(rows)]
        points = [
            [size * (column + 0.5) / length - 0.5, size * (row + 0.5) / rows - 0.5]
            for row, length in enumerate(lengths)
            for column in range(length)
        ]
        return torch.tensor(points)
