"""From features, path lengths and logits to the numbers that a protocol of image generation asks for.

Only distances through Inception bear the names that papers use, `fid` and `kid`. Through another
network they are called after it, `fd_squeezenet` and `kd_squeezenet`: they compare with themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.contracts.method import Progress
from benchmark.metrics.frechet import (
    FeatureMoments,
    frechet_distance,
    frechet_distance_from_features,
)
from benchmark.metrics.kernel import kernel_distance
from benchmark.metrics.linearity import VARIANTS, attribute_linearity, deviation_by_step
from benchmark.metrics.mahalanobis import mahalanobis
from benchmark.metrics.neighbours import density_coverage, precision_recall
from benchmark.metrics.path_length import trimmed_mean, within_percentiles
from benchmark.protocols import Protocol
from benchmark.protocols.generation import Generation

PATHS: dict[str, dict[str, Any]] = {
    "ppl2_wend": {"space": "w", "sampling": "end", "crop": False},
    "ppl_wend": {"space": "w", "sampling": "end", "crop": True},
    "ppl_wfull": {"space": "w", "sampling": "full", "crop": True},
    "ppl_zend": {"space": "z", "sampling": "end", "crop": True},
    "ppl_zfull": {"space": "z", "sampling": "full", "crop": True},
}
"""StyleGAN's names of the variants of perceptual path length."""

NEIGHBOURS = ("precision", "recall", "density", "coverage")
LPIPS = "lpips-vgg"
NEAR = "near-"
"""What files of features begin with that only precision and the three beside it are measured on."""

LOGITS, FAR = "logits", "mahalanobis"
"""What a run keeps beside the lengths of its paths: logits along its walks (walks, steps + 1, A), and
how far each generated image lies from the real ones (N,)."""

ROWS = 4096  # of features in memory at a time


@dataclass
class GenerationValues:
    """Values by metric id, how many items stand behind each, what else is worth writing down, and the
    small arrays that are worth keeping: lengths of paths by their metric's id, logits, distances."""

    values: dict[str, float] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, name: str, value: float, items: int) -> None:
        self.values[name], self.items[name] = float(value), items


def frechet_id(network: str) -> str:
    """What the Fréchet distance through a network is called.

    >>> frechet_id("inception/clean"), frechet_id("inception/legacy_pytorch")
    ('fid', 'fid/legacy_pytorch')
    >>> frechet_id("fd-squeezenet")
    'fd_squeezenet'
    """
    return _named(network, "fid", "fd")


def kernel_id(network: str) -> str:
    """What the kernel distance through a network is called.

    >>> kernel_id("inception/clean"), kernel_id("fd-squeezenet")
    ('kid', 'kd_squeezenet')
    """
    return _named(network, "kid", "kd")


def _named(network: str, inception: str, other: str) -> str:
    family, _, mode = network.partition("/")
    if family == "inception":
        return inception if mode == "clean" else f"{inception}/{mode}"
    return f"{other}_{family.removeprefix('fd-').replace('-', '_')}"


def path_id(variant: str, distance: str) -> str:
    """What a path length is called: by LPIPS with VGG16 it bears the paper's name.

    >>> path_id("ppl2_wend", "lpips-vgg"), path_id("ppl2_wend", "random-conv")
    ('ppl2_wend', 'ppl2_wend/random-conv')
    """
    return variant if distance == LPIPS else f"{variant}/{distance}"


def neighbours_id(name: str, how: Generation) -> str:
    """What precision and the three beside it are called: those of another network bear its name.

    >>> one = {"images": 2, "network": "inception/clean", "neighbours": {"images": 2}}
    >>> neighbours_id("recall", Generation.model_validate(one))
    'recall'
    >>> other = one | {"neighbours": {"images": 2, "network": "vgg16"}}
    >>> neighbours_id("recall", Generation.model_validate(other))
    'recall/vgg16'
    """
    own = how.neighbours.network if how.neighbours else ""
    return f"{name}/{own.removeprefix('fd-')}" if own else name


def possible(how: Generation) -> list[str]:
    """All ids that can be measured under a protocol's section."""
    names = [frechet_id(how.network)] if how.network else []
    if how.kernel:
        names.append(kernel_id(how.network))
    if how.neighbours:
        names += [neighbours_id(name, how) for name in NEIGHBOURS]
    if how.path:
        names += [path_id(variant, how.path.distance) for variant in PATHS]
    if how.linearity:
        names += [f"als_{variant}" for variant in VARIANTS]
    return names


def few_images(how: Generation, count: int, which: str) -> Iterator[str]:
    """What `count` images of one side ("generated", "test") are too few for, in a sentence each.

    >>> list(few_images(Generation(images=9, network="fd-squeezenet"), 1, "test"))
    ['a covariance needs more than 1 test images, there are 1']
    """
    if count <= how.ddof:
        yield f"a covariance needs more than {how.ddof} {which} images, there are {count}"
    if how.kernel and how.kernel.subset_size > count:
        yield (
            f"kernel.subset_size {how.kernel.subset_size} is more than the {count} {which} images"
        )
    if how.neighbours:
        compared = min(count, how.neighbours.images)
        for name in ("k", "density_k"):
            k = getattr(how.neighbours, name)
            if not 1 <= k < compared:
                yield (
                    f"neighbours.{name} {k} must be at least 1 and fewer than the {compared} {which} "
                    "images that are compared"
                )


def generation_values(
    store: Path, protocol: Protocol, how: Generation, progress: Progress
) -> GenerationValues:
    """Everything the protocol asks for, from what was kept in `store`."""
    asked = {metric.id for metric in protocol.metrics}
    found = GenerationValues()
    if how.network:
        _compare(store, asked, how, found, progress)
    for variant in PATHS:
        if how.path and path_id(variant, how.path.distance) in asked:
            lengths = np.load(store / f"{variant}.npy", allow_pickle=False)
            name = path_id(variant, how.path.distance)
            found.add(name, trimmed_mean(lengths), len(lengths))
            found.about[f"{name}_kept"] = int(within_percentiles(lengths).sum())
            found.kept[name] = lengths
    if how.linearity:
        _linearity(np.load(store / "logits.npy", allow_pickle=False), asked, found)
    return found


def values_of_kept(kept: Mapping[str, np.ndarray], protocol: Protocol) -> dict[str, float]:
    """Values by metric id, of those metrics that kept arrays suffice for: path lengths and linearity."""
    asked = {metric.id for metric in protocol.metrics}
    found = GenerationValues()
    for name in asked & kept.keys():
        found.add(name, trimmed_mean(kept[name]), len(kept[name]))
    if LOGITS in kept:
        _linearity(kept[LOGITS], asked, found)
    return found.values


def _compare(
    store: Path, asked: set[str], how: Generation, found: GenerationValues, progress: Progress
) -> None:
    real, fake = _seen(store, "")
    found.about["images"] = {"real": len(real), "fake": len(fake)}
    _far(real, fake, found, progress)
    if frechet_id(how.network) in asked:
        progress("Fréchet distance", 0, 1)
        found.add(frechet_id(how.network), _frechet(real, fake, how.ddof), len(fake))
    if kernel_id(how.network) in asked:
        _kernel(real, fake, how, found, progress)
    if asked & {neighbours_id(name, how) for name in NEIGHBOURS}:
        assert how.neighbours is not None
        if how.neighbours.network:
            real, fake = _seen(store, NEAR)
        _neighbours(real, fake, how, found, progress)


def _seen(store: Path, through: str) -> tuple[np.ndarray, np.ndarray]:
    """Features of real and of generated images, through the section's network or that of `NEAR`."""
    real, fake = (
        np.load(store / f"{through}{side}.npy", mmap_mode="r", allow_pickle=False)
        for side in ("real", "fake")
    )
    return real, fake


def _frechet(real: np.ndarray, fake: np.ndarray, ddof: int) -> float:
    """From features themselves where they are few (no covariance is formed), else from moments."""
    dimensions = real.shape[1]
    if max(len(real), len(fake)) <= dimensions:
        return frechet_distance_from_features(
            np.array(real, np.float64), np.array(fake, np.float64), ddof
        )
    sides = []
    for features in (real, fake):
        moments = FeatureMoments(dimensions)
        for first in range(0, len(features), ROWS):
            moments.update(np.array(features[first : first + ROWS], np.float64))
        if moments.count <= ddof:
            raise InvalidInput(f"a covariance needs more than {ddof} images, got {moments.count}")
        sides += [moments.mean, moments.covariance(ddof)]
    return frechet_distance(*sides)


def _far(real: np.ndarray, fake: np.ndarray, found: GenerationValues, progress: Progress) -> None:
    """Which generated images are least like real ones, for the pictures of a run."""
    progress("Mahalanobis distances", 0, 1)
    try:
        distances, shrinkage = mahalanobis(real, fake)
    except InvalidInput:
        return  # real images that are all alike: nothing is far, and no score is made of it
    found.kept[FAR] = distances.astype(np.float32)
    found.about[FAR] = {"shrinkage": round(shrinkage, 6)}


def _kernel(
    real: np.ndarray, fake: np.ndarray, how: Generation, found: GenerationValues, progress: Progress
) -> None:
    assert how.kernel is not None
    progress("kernel distance", 0, 1)
    values = 1000 * kernel_distance(
        np.array(real), np.array(fake), how.kernel.subset_size, how.kernel.subsets,
        how.kernel.seed,
    )  # fmt: skip
    found.add(kernel_id(how.network), float(values.mean()), len(fake))
    # of the draws of subsets, not of the images: no interval of the metric
    found.about["kernel_spread_over_subsets"] = round(float(values.std()), 6)


def _neighbours(
    real: np.ndarray, fake: np.ndarray, how: Generation, found: GenerationValues, progress: Progress
) -> None:
    rule = how.neighbours
    assert rule is not None
    progress("nearest neighbours", 0, 1)
    real, fake = (_thinned(side, rule.images, rule.seed) for side in (real, fake))
    near = precision_recall(real, fake, rule.k, rule.boundary)
    dense = density_coverage(real, fake, rule.density_k)
    for name, each in {**near._asdict(), **dense._asdict()}.items():
        found.add(neighbours_id(name, how), 100 * float(each.mean()), len(each))
    found.about["neighbours_images"] = {"real": len(real), "fake": len(fake)}


def _thinned(features: np.ndarray, most: int, seed: int) -> np.ndarray:
    """All rows, or `most` of them by a draw, in their order."""
    if len(features) <= most:
        return np.array(features)
    rng = np.random.Generator(np.random.PCG64([seed, len(features)]))
    rows = np.sort(rng.choice(len(features), most, replace=False))
    return np.array(features[rows])


def _linearity(logits: np.ndarray, asked: set[str], found: GenerationValues) -> None:
    found.kept[LOGITS] = logits
    table = {}
    for variant in VARIANTS:
        if f"als_{variant}" in asked:
            by_attribute = attribute_linearity(logits, variant)
            found.add(f"als_{variant}", float(by_attribute.mean()), len(logits))
            table[f"als_{variant}"] = [round(float(v), 6) for v in by_attribute]
    found.about["linearity_by_attribute"] = table
    deviation = logits.std(axis=(0, 1), dtype=np.float64)
    found.about["attribute_deviation"] = [round(float(s), 6) for s in deviation]
    found.about["linearity_by_step"] = deviation_by_step(logits).round(6).tolist()
