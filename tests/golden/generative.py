"""What bench gives for the golden items of image generators and what they are looked at through."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import torch

from benchmark.contracts.errors import DataAltered
from benchmark.contracts.images import to_signed
from benchmark.metrics.frechet import (
    FeatureMoments,
    frechet_distance,
    frechet_distance_from_features,
)
from benchmark.metrics.kernel import polynomial_mmd
from benchmark.metrics.linearity import attribute_linearity
from benchmark.metrics.neighbours import density_coverage, precision_recall
from benchmark.metrics.path_length import trimmed_mean, within_percentiles
from benchmark.networks.lpips import Lpips
from benchmark.networks.resize import clean_resize
from tests.golden.fixtures import find_file
from tests.golden.items import Item, Value

INCEPTION_SIZE = 299
BATCH = 64


def frechet(item: Item) -> Iterator[Value]:
    real, fake = item["real"], item["fake"]
    sides = []
    for features in (real, fake):
        moments = FeatureMoments(features.shape[1])
        for first in range(0, len(features), BATCH):
            moments.update(features[first : first + BATCH])
        sides.append(moments)
    for match in item.named(r"frechet_ddof(\d+)"):
        ddof = int(match[1])
        found = frechet_distance_from_features(real, fake, ddof)
        yield Value(match[0], "frechet_distance_from_features", found)
        gaussians = [x for side in sides for x in (side.mean, side.covariance(ddof))]
        yield Value(match[0], "FeatureMoments, frechet_distance", frechet_distance(*gaussians))
    gap = sides[0].mean - sides[1].mean
    yield Value("mean_term", "FeatureMoments", gap @ gap)


def kid(item: Item) -> Iterator[Value]:
    real, fake = item["real"], item["fake"]
    some = fake[: int(item["fake_unequal_count"])]
    yield Value("kid_unbiased", "polynomial_mmd", polynomial_mmd(real, fake))
    yield Value("kid_biased", "polynomial_mmd", polynomial_mmd(real, fake, unbiased=False))
    yield Value("kid_unbiased_unequal", "polynomial_mmd", polynomial_mmd(real, some))


def neighbours(item: Item) -> Iterator[Value]:
    """Names are `precision_k3`, with `_lt` or a leading `prdc_` for balls without their surface."""
    sides = item["real"], item["fake"]
    names = r"(prdc_)?(precision|recall|density|coverage)_k(\d+)(_le|_lt)?"
    for match in item.named(names):
        package, score, k, suffix = match.groups()
        if score in ("density", "coverage"):
            found = getattr(density_coverage(*sides, int(k)), score)
            yield Value(match[0], "density_coverage", found.mean())
        else:
            boundary = "open" if package or suffix == "_lt" else "closed"
            found = getattr(precision_recall(*sides, int(k), boundary), score)
            yield Value(match[0], "precision_recall", found.mean())


def path_length(item: Item) -> Iterator[Value]:
    distances = item["distances"]
    yield Value("ppl_mean", "trimmed_mean", trimmed_mean(distances))
    kept = within_percentiles(distances)
    yield Value("kept", "within_percentiles", kept.sum())
    yield Value("lower", "within_percentiles", distances[kept].min())
    yield Value("upper", "within_percentiles", distances[kept].max())


def linearity(item: Item) -> Iterator[Value]:
    logits = item["logits"]

    def score(variant: str) -> np.ndarray:
        return attribute_linearity(logits, variant)

    values = {
        "released_code": score("released").mean(),
        "released_code_per_attribute": score("released"),
        "sum_t_mean_squares_normalised": score("sum_normalised").mean(),
        "mean_t_excluding_t0_normalised": score("mean_normalised").mean(),
        "mean_t_excluding_t0_raw": score("mean_raw").mean(),
        "raw_per_attribute_excluding_t0": score("mean_raw"),
    }
    for match in item.named(r"mean_t_\d+points_(raw|normalised)"):
        values[match[0]] = score(f"mean_{match[1]}_with_start").mean()
    for quantity, found in values.items():
        yield Value(quantity, "attribute_linearity", found)


def lpips(item: Item) -> Iterator[Value]:
    digest = re.search(r"\b[0-9a-f]{64}\b", item.entry.get("notes", ""))
    if digest is None:
        raise DataAltered(f"{item.name}: its notes name no trunk by sha256")
    network = Lpips("lpips-squeeze", find_file("squeezenet1_1_features.pth", digest[0]))
    images = [to_signed(torch.from_numpy(item[f"image{i}_uint8"])) for i in (0, 1)]
    layers = network.by_layer(*images)
    yield Value("lpips", "Lpips", network(*images).numpy())
    yield Value("per_layer", "Lpips.by_layer", layers.numpy())
    exact = network.double()(*(x.double() for x in images))
    yield Value("lpips_float64_reimplementation", "Lpips in float64", exact.numpy())


def resized(item: Item) -> Iterator[Value]:
    image = clean_resize(item["image_uint8"][None], INCEPTION_SIZE)[0]
    samples = image[tuple(item["sample_positions_row_col_channel"].T)]
    yield Value("samples", "clean_resize", samples)
    for match in item.named(r"first_(\d+)_flat"):
        yield Value(match[0], "clean_resize", image.ravel()[: int(match[1])])
    image = image.astype(np.float64)
    for quantity, found in {
        "mean": image.mean(),
        "std": image.std(),
        "minimum": image.min(),
        "maximum": image.max(),
    }.items():
        yield Value(quantity, "clean_resize", found)
