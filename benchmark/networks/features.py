"""From images that stream by to what distances between sets need, in memory that does not grow.

    network = feature_network("fd-squeezenet")
    real = collect(folder_images("faces/"), network, keep=10_000)
    fake = collect(generated_images(generator, 50_000, seed=0), network, keep=10_000)
    frechet_distance(real.mean, real.covariance(), fake.mean, fake.covariance())
    kernel_distance(real.kept, fake.kept)

Images come in batches, uint8 (B, H, W, 3), and are let go once their features are counted: the
moments take the same memory for a hundred images and for a million. What needs the features
themselves (kernel distance, precision, recall, density, coverage) gets a sample of fixed size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmark.contracts.errors import DataMissing, InvalidInput
from benchmark.image_files import decode
from benchmark.metrics.frechet import FeatureMoments
from benchmark.networks.feature_networks import FeatureNetwork

if TYPE_CHECKING:
    from benchmark.contracts.predictions import Generator

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
FEWEST = 2  # a covariance of one image is not defined


class FeatureSample:
    """At most `capacity` of the features that pass, float32; each has the same chance to be kept.

    Reservoir sampling (Vitter 1985, algorithm R) with NumPy's PCG64 and `seed`: which are kept
    depends on their order and number, not on how they were cut into batches. As long as no more
    than `capacity` have passed, all are kept, in order.

    >>> sample = FeatureSample(capacity=2, dimensions=1)
    >>> sample.add(np.array([[1.0], [2.0]], np.float32))
    >>> sample.rows.tolist()
    [[1.0], [2.0]]
    """

    def __init__(self, capacity: int, dimensions: int, seed: int = 0) -> None:
        if capacity < 1:
            raise InvalidInput(f"a sample needs room for at least one, got {capacity}")
        self.passed = 0
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._rows = np.empty((capacity, dimensions), np.float32)

    def add(self, features: np.ndarray) -> None:
        """Let features (B, D) pass."""
        capacity, dimensions = self._rows.shape
        if features.ndim != 2 or features.shape[1] != dimensions:
            raise InvalidInput(f"features: expected (B, {dimensions}), got {features.shape}")
        room = max(capacity - self.passed, 0)
        first, later = features[:room], features[room:]
        self._rows[self.passed : self.passed + len(first)] = first
        self.passed += len(first)
        if not len(later):
            return
        numbers = self.passed + 1 + np.arange(len(later))
        places = self._rng.integers(0, numbers)
        for place, row in zip(places, later, strict=True):
            if place < capacity:
                self._rows[place] = row
        self.passed += len(later)

    @property
    def rows(self) -> np.ndarray:
        """float32 (min(passed, capacity), D), read-only."""
        rows = self._rows[: self.passed]
        rows.flags.writeable = False
        return rows


@dataclass(frozen=True)
class FeatureStatistics:
    """What is left of a set of images: how many they were, their moments, a sample of features.

    `identity` names the network, its weights, resize and scaling, and how the sample was drawn;
    statistics compare only with others of the same identity.
    """

    moments: FeatureMoments
    sample: FeatureSample | None
    identity: dict[str, object]

    @property
    def count(self) -> int:
        return self.moments.count

    @property
    def mean(self) -> np.ndarray:
        """float64 (D,)."""
        return self.moments.mean

    def covariance(self, ddof: int = 1) -> np.ndarray:
        """float64 (D, D), divided by count - ddof."""
        return self.moments.covariance(ddof)

    @property
    def kept(self) -> np.ndarray:
        """float32 (K, D), the sample; `InvalidInput` if none was asked for."""
        if self.sample is None:
            raise InvalidInput("no features were kept", cure="collect(…, keep=…)")
        return self.sample.rows


def collect(
    images: Iterable[Any], network: FeatureNetwork, *, keep: int = 0, seed: int = 0
) -> FeatureStatistics:
    """Run images through a network; one pass, one batch in memory.

    images: batches, uint8 (B, H, W, 3), whose sizes may differ from batch to batch. Features are
    float32, moments float64. keep: how many features to keep at most, drawn evenly by `seed`.
    Raises `InvalidInput` for other images, features that are not finite, and fewer than two images.
    """
    moments = FeatureMoments(network.dimensions)
    sample = FeatureSample(keep, network.dimensions, seed) if keep else None
    for batch in images:
        features = network.features(batch)
        moments.update(features)
        if sample is not None:
            sample.add(features.cpu().numpy())
    if moments.count < FEWEST:
        raise InvalidInput(f"expected at least {FEWEST} images, got {moments.count}")
    drawn = {"keep": keep, "seed": seed} if keep else {}
    return FeatureStatistics(moments, sample, {**network.identity(), **drawn})


def folder_images(folder: str | Path, batch: int = 32) -> Iterator[np.ndarray]:
    """Images of a folder (not of folders in it), in the order of their names, uint8 (B, H, W, 3).

    A batch holds at most `batch` images, all of one size. Grey, palette and CMYK images are
    converted to RGB, alpha is dropped, EXIF orientation is ignored, as clean-fid and the trainers
    of image generators do. Raises `DataMissing` for fewer than two images, `DataAltered` naming an
    image that can't be read.
    """
    folder = Path(folder).expanduser()
    if batch < 1:
        raise InvalidInput(f"a batch holds at least one image, got {batch}")
    found = folder.iterdir() if folder.is_dir() else ()
    paths = sorted(path for path in found if path.suffix.lower() in SUFFIXES)
    if len(paths) < FEWEST:
        raise DataMissing(
            f"expected a folder with at least {FEWEST} images at {folder}, found {len(paths)}",
            cure=f"put images ({', '.join(SUFFIXES)}) directly into it",
        )
    return _batches((np.asarray(decode(path, "RGB")) for path in paths), batch)


def _batches(images: Iterator[np.ndarray], batch: int) -> Iterator[np.ndarray]:
    waiting: list[np.ndarray] = []
    for image in images:
        if waiting and (len(waiting) == batch or image.shape != waiting[0].shape):
            yield np.stack(waiting)
            waiting = []
        waiting.append(image)
    yield np.stack(waiting)


@torch.no_grad()
def generated_images(
    generator: Generator, count: int, seed: int, batch: int = 32
) -> Iterator[np.ndarray]:
    """The images of `generator.sample(count, seed)`, as they are made, uint8 (B, size, size, 3)."""
    for images in generator.stream(count, seed, batch=batch):
        yield images.permute(0, 2, 3, 1).numpy()
