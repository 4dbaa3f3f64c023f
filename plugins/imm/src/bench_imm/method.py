"""IMM as a method: landmarks are the points by which the pose encoder tells the renderer the pose."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from bench_imm import training
from bench_imm.keypoints import to_pixels
from bench_imm.networks import Networks
from bench_imm.pairs import resized
from bench_imm.settings import ImmSettings
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext, MethodInfo
from benchmark.contracts.predictions import Landmarks
from benchmark.networks.trunks import TRUNKS
from benchmark.training.network_method import NetworkMethod
from benchmark.training.warp import draw_warps, warp_generator


class Imm(NetworkMethod[Networks]):
    """K points in each image."""

    Settings = ImmSettings
    gives = ("landmarks",)

    @classmethod
    def info(cls, settings: ImmSettings) -> MethodInfo:
        looks = settings.depth and settings.perceptual in TRUNKS
        notes = f"the loss looks through {settings.perceptual} maps" if settings.depth else ""
        return MethodInfo(
            gives=cls.gives,
            points=settings.landmarks,
            pretrained=(TRUNKS[settings.perceptual].weight,) if looks else (),
            milestones=True,
            notes=notes or "the loss looks at pixels alone",
        )

    def build(self, size: int) -> Networks:
        return Networks(self.settings)

    def learn(self, network: Networks, images: Images, context: FitContext) -> Networks:
        training.fit(network, images, context, self.settings, partial(self.write, network))
        return network

    def predict(self, images: Tensor) -> Landmarks:
        seen = resized(images, self.settings.size).contiguous(memory_format=torch.channels_last)
        points = to_pixels(self.network.points(seen), self.settings.grid, images.shape[-1])
        return Landmarks(points)

    def render(self, source: Tensor, target: Tensor) -> Tensor:
        """What the networks make of images (B, 3, S, S) in [-1, 1]: `source` in the pose of `target`.

        In [-1, 1], `size` × `size`.
        """
        size = self.settings.size
        picture: Tensor = self.network(resized(source, size), resized(target, size))
        return picture.clamp(-1, 1)

    def pictures(self, images: Tensor) -> dict[str, Tensor]:
        """Each image rendered from a further warp of it, and from the looks of the next image."""
        warp = draw_warps(len(images), warp_generator(0), "imm-source", images.device)
        source = warp.warp(images)
        return {
            "source": source,
            "rendered from the source in the image's pose": self.render(source, images),
            "rendered from the next image in this one's pose": self.render(
                images.roll(-1, 0), images
            ),
        }
