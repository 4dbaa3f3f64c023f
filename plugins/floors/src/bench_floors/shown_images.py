"""Generators that invent nothing: images in a table, picked by z, and noise.

w is the image itself, so a straight line in w is a cross-fade of two images: the shortest way between
them that needs no understanding, and the scale for path lengths and linearity.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmark.contracts import (
    FitContext,
    Generator,
    Images,
    Method,
    MethodSettings,
    to_signed,
)

CHUNK = 256


def from_table(
    pixels: np.ndarray, size: int, order: Callable[[int, range], np.ndarray]
) -> Generator:
    """Images of a table uint8 (N, S + 2m, S + 2m, 3), of which the middle `size` is shown.

    z (B, 2) picks by its direction: the angle, in N equal parts. The generator's own latents show the
    images in the `order` (seed, range) → their rows; a standard normal z draws with replacement.
    """
    count, margin = len(pixels), (pixels.shape[1] - size) // 2
    middle = slice(margin, margin + size)

    def mapping(z: torch.Tensor) -> torch.Tensor:
        turn = torch.atan2(z[:, 1], z[:, 0]).double() / (2 * math.pi) % 1.0
        rows = (turn * count).long().clamp(max=count - 1).cpu().numpy()
        shown = np.stack([pixels[row, middle, middle] for row in rows])
        images = to_signed(torch.from_numpy(shown).permute(0, 3, 1, 2)).to(z.device)
        return images.reshape(len(z), 1, -1)

    def synthesis(w: torch.Tensor, noise: int) -> torch.Tensor:
        return w[:, 0].reshape(-1, 3, size, size)

    def latents(seed: int, images: range) -> torch.Tensor:
        angle = 2 * math.pi * (order(seed, images) + 0.5) / count
        return torch.from_numpy(np.stack([np.cos(angle), np.sin(angle)], axis=1)).float()

    return Generator(2, 1, size, mapping, synthesis, latents)


def in_turn(pixels: np.ndarray, size: int) -> Generator:
    """Every image once, then again from the first."""
    return from_table(pixels, size, lambda _, images: np.array(images) % len(pixels))


def shuffled(pixels: np.ndarray, size: int) -> Generator:
    """Every image once in an order drawn from the seed, then again."""

    def order(seed: int, images: range) -> np.ndarray:
        drawn = np.random.Generator(np.random.PCG64(seed)).permutation(len(pixels))
        return drawn[np.array(images) % len(pixels)]

    return from_table(pixels, size, order)


class TrainingImages(Method):
    """Gives back the images it was fitted on: what copying is worth, and what a set that is as real as
    the test set leaves of a distance to it.

    At most `images` of them are kept, by a draw from the seed of the fit.
    """

    gives = ("generator",)

    class Settings(MethodSettings):
        images: int = 50_000
        """Greatest number of images that are kept."""

    def fit(self, images: Images, context: FitContext) -> None:
        drawn = np.random.Generator(np.random.PCG64(context.seed)).permutation(len(images))
        self.rows = np.sort(drawn[: self.settings.images])
        self.seen = images

    def save(self, folder: Path) -> None:
        size = self.seen.size
        shape = (len(self.rows), size, size, 3)
        kept = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, shape)
        for first in range(0, len(self.rows), CHUNK):
            rows = self.rows[first : first + CHUNK]
            kept[first : first + CHUNK] = self.seen.batch(rows).permute(0, 2, 3, 1).numpy()
        kept.flush()

    def load(self, folder: Path, device: str) -> None:
        self.images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        self.seen = Images(self.images, self.images.shape[1], "")
        self.rows = np.arange(len(self.images))

    def generator(self) -> Generator:
        return shuffled(self.images, self.images.shape[1])


class NoiseImages(Method):
    """Every pixel and channel on its own, uniform in [-1, 1]: z through the normal distribution."""

    gives = ("generator",)

    def fit(self, images: Images, context: FitContext) -> None:
        self.size = images.size

    def save(self, folder: Path) -> None:
        (folder / "size.json").write_text(json.dumps(self.size))

    def load(self, folder: Path, device: str) -> None:
        self.size = int(json.loads((folder / "size.json").read_text()))

    def generator(self) -> Generator:
        size = self.size

        def synthesis(w: torch.Tensor, noise: int) -> torch.Tensor:
            return torch.erf(w[:, 0] / math.sqrt(2)).reshape(-1, 3, size, size)

        return Generator(3 * size * size, 1, size, lambda z: z[:, None], synthesis)
