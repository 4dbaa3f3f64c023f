"""Foreground without looking: the whole picture, or a disc in its middle."""

from __future__ import annotations

import torch
from pydantic import Field

from benchmark.contracts import FitContext, Images, Method, MethodSettings, Parts


class FullFrame(Method):
    """One part that is everywhere. Its IoU is the mean share of the foreground."""

    gives = ("parts",)

    def fit(self, images: Images, context: FitContext) -> None:
        """Nothing to learn."""

    def predict(self, images: torch.Tensor) -> Parts:
        return one_part(torch.ones_like(images[:, 0], dtype=torch.bool))


class CentreDisc(Method):
    """One part: a disc around the middle of the picture, which photographers aim at.

    `radius` is a fraction of the picture's side. The default, 0.4, covers half of the picture and was
    fitted to no data set.
    """

    class Settings(MethodSettings):
        radius: float = Field(default=0.4, gt=0)
        """Of the disc, in sides of the picture."""

    gives = ("parts",)

    def fit(self, images: Images, context: FitContext) -> None:
        """Nothing to learn."""

    def predict(self, images: torch.Tensor) -> Parts:
        size = images.shape[-1]
        at = torch.arange(size, device=images.device) - (size - 1) / 2
        inside = at[:, None] ** 2 + at**2 < (self.settings.radius * size) ** 2
        return one_part(inside.expand(len(images), -1, -1))


def one_part(inside: torch.Tensor) -> Parts:
    """A part that is certain in `inside` (B, S, S) bool, and nowhere else."""
    part = inside.float()
    return Parts(torch.stack([1 - part, part], 1))
