"""One cloud for every image, seen from anywhere: what a shape metric is worth without looking."""

from __future__ import annotations

from pathlib import Path

import torch

from benchmark.contracts import FitContext, Images, Method, MethodSettings, ShapeAndPose


class EllipsoidCloud(Method):
    """Points on one ellipsoid, in directions drawn evenly, and a rotation drawn for each image.

    No label is seen: the half axes are settings, by default those of a box twice as long (z) as high
    and wide whose diagonal is 1, as ShapeNet scales its models. The rotation of an image comes from the
    seed and the image's pixels, so it does not depend on the batch.
    """

    gives = ("shape_and_pose",)

    class Settings(MethodSettings):
        points: int = 8000
        """Points of the cloud."""
        half_axes: tuple[float, float, float] = (0.2, 0.2, 0.41)
        """Of the ellipsoid along x, y and z, where the diagonal of a model's box is 1."""

    def fit(self, images: Images, context: FitContext) -> None:
        self.seed = context.seed

    def predict(self, images: torch.Tensor) -> ShapeAndPose:
        random = torch.Generator().manual_seed(self.seed)
        directions = torch.randn(self.settings.points, 3, generator=random, dtype=torch.float64)
        directions /= directions.norm(dim=1, keepdim=True)
        cloud = (directions * torch.tensor(self.settings.half_axes)).float().to(images.device)
        rotations = torch.stack([self._rotation(image) for image in images]).to(images.device)
        return ShapeAndPose(cloud.expand(len(images), -1, -1), rotations)

    def _rotation(self, image: torch.Tensor) -> torch.Tensor:
        """Four normal numbers, scaled to length one, are a rotation drawn evenly from all."""
        number = int((image.detach().cpu().double() * 127.5 + 127.5).round().sum())
        random = torch.Generator().manual_seed((self.seed * 1_000_003 + number) % 2**63)
        q = torch.randn(4, generator=random, dtype=torch.float64)
        return (q / q.norm()).float()

    def save(self, folder: Path) -> None:
        torch.save({"seed": self.seed}, folder / "seed.pt")

    def load(self, folder: Path, device: str) -> None:
        self.seed = torch.load(folder / "seed.pt", weights_only=True)["seed"]
