"""Clouds of the training models as the answer: what it is worth to know models and not to look."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from bench_floors.ellipsoid_cloud import EllipsoidCloud
from benchmark.contracts import (
    FitContext,
    Images,
    Incompatible,
    MethodInfo,
    MethodSettings,
    ShapeAndPose,
)


class TrainingClouds(EllipsoidCloud):
    """One cloud for every image: the true clouds of all models fitted on, mixed, as many points of each.

    Points are drawn from the seed, without replacement while there are enough, and the rotation of an
    image as that of the ellipsoid. It is told the clouds, so its supervision is "labels".
    """

    class Settings(MethodSettings):
        points: int = 8000
        """Points of the cloud."""

    @classmethod
    def info(cls, settings: Settings) -> MethodInfo:
        return MethodInfo(gives=cls.gives, supervision="labels", told=("clouds",))

    def fit(self, images: Images, context: FitContext) -> None:
        clouds = images.clouds.of_objects() if images.clouds is not None else []
        if not clouds:
            raise Incompatible("none of the models fitted on has a true cloud")
        random = np.random.Generator(np.random.PCG64(context.seed))
        clouds = self._chosen(clouds, random)
        # a model with a large cloud has no larger share than others
        each = -(-self.settings.points // len(clouds))
        parts = [cloud[_rows(random, len(cloud), each)] for cloud in clouds]
        mixed = np.concatenate(parts)
        self.cloud = mixed[_rows(random, len(mixed), self.settings.points)]
        self.seed = context.seed

    def _chosen(self, clouds: list[np.ndarray], random: np.random.Generator) -> list[np.ndarray]:
        return clouds

    def predict(self, images: torch.Tensor) -> ShapeAndPose:
        cloud = torch.from_numpy(self.cloud).to(images.device)
        rotations = torch.stack([self._rotation(image) for image in images]).to(images.device)
        return ShapeAndPose(cloud.expand(len(images), -1, -1), rotations)

    def save(self, folder: Path) -> None:
        super().save(folder)
        np.save(folder / "cloud.npy", self.cloud)

    def load(self, folder: Path, device: str) -> None:
        super().load(folder, device)
        self.cloud = np.load(folder / "cloud.npy", allow_pickle=False)


class TrainingCloud(TrainingClouds):
    """One cloud for every image: that of one model fitted on, drawn from the seed."""

    def _chosen(self, clouds: list[np.ndarray], random: np.random.Generator) -> list[np.ndarray]:
        return [clouds[random.integers(len(clouds))]]


def _rows(random: np.random.Generator, there: int, wanted: int) -> np.ndarray:
    """`wanted` of the numbers below `there`, in a drawn order; once more where there are few."""
    return np.resize(random.permutation(there), wanted)
