"""IMM as a method: landmarks are the points by which the pose encoder tells the renderer the pose."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from bench_imm import training
from bench_imm.keypoints import to_pixels
from bench_imm.networks import Networks
from bench_imm.pairs import resized
from bench_imm.settings import ImmSettings
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext, Method, MethodInfo
from benchmark.contracts.predictions import Landmarks
from benchmark.networks.trunks import TRUNKS
from benchmark.training.randomness import seeded
from benchmark.training.warp import draw_warps, warp_generator
from benchmark.training.weights import load_weights, needed, save_weights, settled


class Imm(Method):
    """K points in each image."""

    Settings = ImmSettings  # type: ignore[assignment]  # a pydantic model of its own
    gives = ("landmarks",)

    def __init__(self, settings: ImmSettings) -> None:
        super().__init__(settings)
        self.networks: Networks | None = None

    @classmethod
    def info(cls, settings: ImmSettings) -> MethodInfo:
        looks = settings.depth and settings.perceptual in TRUNKS
        notes = f"the loss looks through {settings.perceptual} maps" if settings.depth else ""
        return MethodInfo(
            gives=cls.gives,
            pretrained=(TRUNKS[settings.perceptual].weight,) if looks else (),
            milestones=True,
            notes=notes or "the loss looks at pixels alone",
        )

    def initialise(self, images: Images, context: FitContext) -> None:
        self.device = context.device
        settled(self._build(context.seed), context.device)

    def fit(self, images: Images, context: FitContext) -> None:
        self.device = context.device
        networks = self._build(context.seed)
        training.fit(networks, images, context, self.settings, self.save)
        settled(networks, context.device)

    def predict(self, images: Tensor) -> Landmarks:
        networks = needed(self.networks, "IMM")
        seen = resized(images, self.settings.size).contiguous(memory_format=torch.channels_last)
        points = to_pixels(networks.points(seen), self.settings.grid, images.shape[-1])
        return Landmarks(points)

    def render(self, source: Tensor, target: Tensor) -> Tensor:
        """What the networks make of images (B, 3, S, S) in [-1, 1]: `source` in the pose of `target`.

        In [-1, 1], `size` × `size`.
        """
        size = self.settings.size
        networks = needed(self.networks, "IMM")
        picture: Tensor = networks(resized(source, size), resized(target, size))
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

    def save(self, folder: Path) -> None:
        save_weights(folder, needed(self.networks, "IMM").state_dict())

    def load(self, folder: Path, device: str) -> None:
        self.device = device
        networks = self._build(0)
        networks.load_state_dict(load_weights(folder))
        settled(networks, device)

    def _build(self, seed: int) -> Networks:
        with seeded(seed, "networks"):
            self.networks = Networks(self.settings)
        return self.networks
