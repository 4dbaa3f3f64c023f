"""The mean of the training labels, reached without seeing a label."""

from __future__ import annotations

import torch

from benchmark.contracts import FitContext, Images, Landmarks, Method


class MeanShape(Method):
    """One constant point for every image.

    A linear probe on a constant can only learn a constant, and the least-squares one is the mean of
    the training targets. The point is the corner (0, 0)'s opposite, so that probes without intercept
    and with centred coordinates see something other than zero.
    """

    gives = ("landmarks",)

    def fit(self, images: Images, context: FitContext) -> None:
        """Nothing to learn."""

    def predict(self, images: torch.Tensor) -> Landmarks:
        height, width = images.shape[-2:]
        corner = torch.tensor([[[width - 1.0, height - 1.0]]], device=images.device)
        return Landmarks(corner.expand(len(images), -1, -1))
