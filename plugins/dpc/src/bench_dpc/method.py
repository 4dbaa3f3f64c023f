"""Differentiable point clouds as a method: the cloud of a picture and its pose."""

from __future__ import annotations

import math
from functools import partial

from torch import Tensor

from bench_dpc import training
from bench_dpc.networks import Networks
from bench_dpc.pictures import outlined, relief, turned
from bench_dpc.projection import Cameras, occupancy, silhouettes
from bench_dpc.rotations import unit, with_axes
from bench_dpc.settings import DpcSettings
from benchmark.contracts.errors import Incompatible
from benchmark.contracts.images import Images, to_bytes, to_signed
from benchmark.contracts.method import FitContext, MethodInfo
from benchmark.contracts.predictions import ShapeAndPose
from benchmark.training.batches import shrunk
from benchmark.training.network_method import NetworkMethod

TURNS = 8


class Dpc(NetworkMethod[Networks]):
    """A cloud in a frame of the method's own, and the rotation from it to the camera, of each image."""

    Settings = DpcSettings
    gives = ("shape_and_pose",)

    @classmethod
    def info(cls, settings: DpcSettings) -> MethodInfo:
        known = settings.poses == "known"
        return MethodInfo(
            gives=cls.gives,
            milestones=True,
            data_parallel=True,
            notes="learns from silhouettes of several views of each object"
            + (", and from their cameras" if known else ""),
        )

    def build(self, size: int) -> Networks:
        s = self.settings
        size = s.size or size
        if size & (size - 1) or size < 16:
            raise Incompatible(
                f"images of {size} pixels: the encoder halves a power of two, 16 or more",
                cure="set size to one that is no larger, as --set size=32 does",
            )
        candidates = s.candidates if s.poses == "unknown" else 0
        return Networks(size, s.width, s.code, s.points, candidates, s.extent)

    def learn(self, network: Networks, images: Images, context: FitContext) -> Networks:
        training.fit(network, images, context, self.settings, partial(self.write, network))
        return network

    def predict(self, images: Tensor) -> ShapeAndPose:
        found = self.network(self.seen(images))
        rotation = with_axes(unit(found.student), self.settings.axes)
        return ShapeAndPose(found.points, rotation)

    def seen(self, images: Tensor) -> Tensor:
        """Images (B, 3, S, S) in [-1, 1] at the side that the networks look at, as in the fit."""
        size = self.settings.size or images.shape[-1]
        return images if images.shape[-1] == size else to_signed(shrunk(to_bytes(images), size))

    def pictures(self, images: Tensor) -> dict[str, Tensor]:
        """The predicted silhouette over each image, and its cloud turned about the camera's up."""
        s, found = self.settings, self.network(self.seen(images))

        def voxels(angle: float) -> Tensor:
            cameras = Cameras.looking(turned(found.student, angle), s.focal, s.distance)
            return occupancy(
                found.points, found.scale, cameras,
                side=s.grid, sigma=s.sigma[1], taps=s.taps, cells=s.cells,
            )  # fmt: skip

        shown = {"predicted silhouette, in red": outlined(images, silhouettes(voxels(0.0)))}
        for turn in range(TURNS):
            name = f"cloud turned by {360 * turn // TURNS}°"
            shown[name] = relief(voxels(2 * math.pi * turn / TURNS))
        return shown
