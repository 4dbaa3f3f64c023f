"""The generator: three noises → points, embeddings, background → an image.

Source: He, Wandt and Rhodin 2021 (LatentKeypointGAN), abstract and introduction; He et al. 2022
(GANSeg), §3.1, for points and embeddings, which it takes over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor, nn

from bench_latentkeypointgan.maps import gaussian_maps, spread
from bench_latentkeypointgan.settings import LatentKeypointGanSettings
from bench_latentkeypointgan.spade import SpadeBlock
from benchmark.training.layers import convolution, cropped, doubled, leaky, perceptron
from benchmark.training.positions import Encoding, pixel_centres


@dataclass(frozen=True)
class Scene:
    """What an image is made of, for B images.

    `points` (B, K, 2) in [-1, 1]; `embeddings` (B, K, D); `background` (B, D); `present` (B, K), 1 for
    each part that is drawn and 0 for one that is left out, or None for all.
    """

    points: Tensor
    embeddings: Tensor
    background: Tensor
    present: Tensor | None = None

    def packed(self) -> Tensor:
        """w (B, 2K + K·D + D): points, embeddings and background, one after the other."""
        return torch.cat([self.points.flatten(1), self.embeddings.flatten(1), self.background], 1)

    def with_background(self, other: Tensor) -> Scene:
        """The same points and embeddings before other backgrounds (B, D)."""
        return replace(self, background=other)


def unpacked(w: Tensor, landmarks: int, embedding: int) -> Scene:
    """The scenes of w (B, 2K + K·D + D), as `Scene.packed` gave it."""
    points, embeddings, background = w.split(
        [2 * landmarks, landmarks * embedding, embedding], dim=1
    )
    return Scene(
        points.unflatten(1, (landmarks, 2)),
        embeddings.unflatten(1, (landmarks, embedding)),
        background,
    )


class Start(nn.Module):
    """The maps that synthesis begins with: learned ones, or sine and cosine of pixel − points.

    A learned constant knows where it is in the image; differences only know where the points are, so
    that what follows moves with them. Source of the latter: He et al. 2022, §3.2.
    """

    def __init__(self, settings: LatentKeypointGanSettings) -> None:
        super().__init__()
        self.side, self.margin = settings.start_side, settings.margin
        whole, channels = self.side + 2 * self.margin, settings.channels(self.side)
        if settings.start == "constant":
            self.constant = nn.Parameter(torch.randn(1, channels, whole, whole))
        else:
            self.encoding = Encoding(settings.landmarks, channels // 2)

    def forward(self, points: Tensor) -> Tensor:
        if hasattr(self, "constant"):
            return self.constant.expand(len(points), -1, -1, -1)
        at = pixel_centres(self.side, self.margin, points.device)
        encoded: Tensor = self.encoding(
            points, torch.stack(torch.meshgrid(at, at, indexing="xy"), -1)
        )
        return encoded


class Synthesis(nn.Module):
    """Scenes → images (B, 3, size, size), not clamped."""

    def __init__(self, settings: LatentKeypointGanSettings) -> None:
        super().__init__()
        s = settings
        self.sides, self.margin, self.tau, self.output = s.sides, s.margin, s.tau, s.output
        self.start = Start(s)
        widths = [s.channels(s.start_side), *map(s.channels, s.sides)]
        self.blocks = nn.ModuleList(
            SpadeBlock(
                inward,
                outward,
                s.embedding,
                hidden=s.hidden,
                kernel=s.modulation,
                convolutions=s.convolutions,
                normalisation=s.normalisation,
            )
            for inward, outward in pairwise(widths)
        )
        self.colours = convolution(widths[-1], 3, 3)
        with torch.no_grad():
            self.colours.weight.mul_(s.last)

    def forward(self, scene: Scene) -> Tensor:
        x = self.start(scene.points)
        for side, block in zip(self.sides, self.blocks, strict=True):
            if side != self.sides[0]:
                x = doubled(x, self.margin)
            x = block(x, self.style(scene, side))
        images = cropped(self.colours(leaky(x)), self.margin).float()
        return images.tanh() if self.output == "tanh" else images

    def style(self, scene: Scene, side: int) -> Tensor:
        """(B, D, s, s): the embeddings, spread by the maps of a level with its margin."""
        maps = gaussian_maps(scene.points, side, self.tau, self.margin)
        if scene.present is not None:
            maps = maps * scene.present[:, :, None, None]
        return spread(maps, scene.embeddings, scene.background)


class LatentKeypointGenerator(nn.Module):
    """z (B, z_dim) → scenes → images."""

    def __init__(self, settings: LatentKeypointGanSettings) -> None:
        super().__init__()
        s = settings
        self.landmarks, self.embedding, self.noise = s.landmarks, s.embedding, s.noise
        self.divisor, self.roam = s.divisor, s.roam
        self.pose = perceptron(s.noise, s.width, 2 * s.landmarks, s.depth)
        self.appearance = perceptron(s.noise, s.width, s.embedding, s.depth)
        self.background = perceptron(s.noise, s.width, s.embedding, s.depth)
        self.constants = nn.Parameter(torch.randn(s.landmarks, s.embedding))
        self.synthesis = Synthesis(s)

    @property
    def z_dim(self) -> int:
        """Numbers in a latent: those of pose, of appearance, of background, and two of where all
        points lie together, if they roam."""
        return 3 * self.noise + (2 if self.roam else 0)

    def scene(self, z: Tensor) -> Scene:
        """What z (B, z_dim) asks for: points tanh(·/divisor), a part's embedding its learned constant
        times the one appearance of the image.

        With `roam` points lie within ±(1 - roam) before all of an image are moved together by up to
        ±roam, evenly in both directions (the normal distribution's function of two numbers of z)."""
        pose, appearance, background = z[:, : 3 * self.noise].split(self.noise, dim=1)
        points = (self.pose(pose) / self.divisor).tanh().unflatten(1, (self.landmarks, 2))
        if self.roam:
            together = torch.special.erf(z[:, None, 3 * self.noise :] * 0.5**0.5)
            points = (1 - self.roam) * points + self.roam * together
        embeddings = self.constants * self.appearance(appearance)[:, None]
        return Scene(points, embeddings, self.background(background))

    def unpacked(self, w: Tensor) -> Scene:
        """The scenes of w (B, 2K + K·D + D)."""
        return unpacked(w, self.landmarks, self.embedding)

    def forward(self, scene: Scene) -> Tensor:
        """Images of scenes, not clamped."""
        images: Tensor = self.synthesis(scene)
        return images
