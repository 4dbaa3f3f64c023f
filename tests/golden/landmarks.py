"""What bench gives for the golden items of landmarks, their probes, descriptors and warps."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from scipy.io import loadmat

from benchmark.contracts.errors import DataAltered
from benchmark.contracts.spec import CentreRule
from benchmark.metrics.landmarks import (
    inter_ocular_distance,
    keypoint_l1_sum,
    keypoint_l1_terms,
    keypoint_l2_sum,
    normalised_mean_error,
)
from benchmark.metrics.matching import match_descriptors, matching_errors
from benchmark.probes.linear import LinearProbe, linear_probe
from benchmark.probes.part_centres import part_centres
from benchmark.probes.spatial import Reading
from benchmark.warps.thin_plate import ThinPlateSpline
from tests.golden.fixtures import find_file, find_table
from tests.golden.items import Item, Value

CELEBA = (218.0, 178.0)
"""Height and width of an aligned image, the pixels that `true_pixels` and `anisotropic` mean."""

#: The golden folder's words for rules. GANSeg's positions run to 128 whatever the size of the maps.
CENTRES: dict[str, CentreRule] = {
    "ganseg": "ganseg",
    "scops": "scops",
    "mcs": "motion_cosegmentation",
}

PRESETS = {
    "with_intercept": "linear/scops",
    "no_intercept_centred": "linear/zhang",
    "no_intercept_uncentred": "linear/ganseg",
}
TEMPERATURE, LOSS_SCALE = 100.0, 10.0


def normalised_errors(item: Item) -> Iterator[Value]:
    target = item["target"]
    eyes = (int(item["eye_indices"][0]), int(item["eye_indices"][1]))
    scale = inter_ocular_distance(target, eyes)
    errors = normalised_mean_error(item["prediction"], target, scale)
    values = {
        "nme_percent_per_image": errors,
        "nme_percent": errors.mean(),
        "median_percent": np.median(errors),
        "ratio_of_means_percent": (errors * scale).mean() / scale.mean(),
    }
    for match in item.named(r"failure_rate_at_(\d+)_percent"):
        values[match[0]] = (errors > int(match[1])).mean()
    for quantity, found in values.items():
        yield Value(quantity, "normalised_mean_error", found)


def linear_regression(item: Item) -> Iterator[Value]:
    """Names are a fit, with the first rows it sees, the part it is scored on and its pixels."""
    if "external_sha256" in item.entry:
        points = _scops_fixture(item.entry["external_sha256"])
    else:
        points = {f"{part}_{side}": item[f"{part}_{side}"] for part, side in _SIDES}
    names = rf"(true_pixels_|anisotropic_)?({'|'.join(PRESETS)})(?:_first_(\d+))?(_train_error)?"
    for match in item.named(names):
        pixels, fit, rows, on_train = match.groups()
        first = slice(int(rows) if rows else None)
        probe = linear_probe(PRESETS[fit]).fit(points["train_x"][first], points["train_y"][first])
        part = "train" if on_train else "test"
        scale = CELEBA if pixels else (1.0, 1.0)
        pred, target = probe.predict(points[f"{part}_x"]) * scale, points[f"{part}_y"] * scale
        errors = normalised_mean_error(pred, target, inter_ocular_distance(target))
        yield Value(match[0], f"LinearProbe, {PRESETS[fit]}", errors.mean())


_PARTS = ("train", "test")
_SIDES = [(part, side) for part in _PARTS for side in ("x", "y")]


def _scops_fixture(digests: dict[str, str]) -> dict[str, np.ndarray]:
    """SCOPS' predictions (x) and labels (y); it stores them minus 0.5."""
    points = {}
    for part, side in _SIDES:
        array = f"{part}_{'pred' if side == 'x' else 'gt'}_kp"
        if f"{array}.mat" not in digests:
            raise DataAltered(f"no sha256 is given for {array}.mat")
        content = loadmat(find_file(f"{array}.mat", digests[f"{array}.mat"]))
        points[f"{part}_{side}"] = content[array].astype(np.float64) + 0.5
    return points


def taichi(item: Item) -> Iterator[Value]:
    digests = item.entry.get("external_sha256_of_value_array_float64_sorted")
    if digests is None:
        train_x, test_x = (item[f"{part}_centres"] for part in _PARTS)
        train_y, test_y = (item[f"{part}_labels"] for part in _PARTS)
    else:
        train_x, test_x = (item[f"{part}_part_centres_xy"] for part in _PARTS)
        train_y, test_y = (find_table(f"{part} labels", digests[part]) for part in _PARTS)
    seen = test_y[..., 0] != -1
    scored = _each_joint(train_x, train_y, test_x), test_y, seen
    for match in item.named(r"mae_(\d+|each)"):
        yield Value(match[0], "keypoint_l1_terms", keypoint_l1_terms(*scored))
    for match in item.named(r"mae_sum\d*"):
        yield Value(match[0], "keypoint_l1_sum", keypoint_l1_sum(*scored).mean())
    for match in item.named(r"l2_sum\d*"):
        yield Value(match[0], "keypoint_l2_sum", keypoint_l2_sum(*scored).mean())
    nothing = np.zeros((len(train_y), 1, 2)), train_y, np.zeros((len(test_y), 1, 2))
    for match in item.named(r"constant_predictor_mae_sum\d*"):
        found = keypoint_l1_sum(_each_joint(*nothing), test_y, seen).mean()
        yield Value(match[0], "keypoint_l1_sum", found)


def _each_joint(train_x: np.ndarray, train_y: np.ndarray, test_x: np.ndarray) -> np.ndarray:
    """One fit with intercept per joint, on the rows that have it."""
    pred = []
    for joint in range(train_y.shape[1]):
        seen = train_y[:, joint, 0] != -1
        probe = LinearProbe(intercept=True, centre=False)
        probe.fit(train_x[seen], train_y[seen, joint : joint + 1])
        pred.append(probe.predict(test_x))
    return np.concatenate(pred, axis=1)


def softargmax(item: Item) -> Iterator[Value]:
    names = ("features", "filters", "linear", "target")
    features, filters, linear, target = (torch.from_numpy(item[n]).double() for n in names)
    reading = Reading(filters, linear, TEMPERATURE)

    def value(quantity: str, found: Any) -> Value:
        return Value(quantity, "Reading in float64", np.asarray(found), "in float64")

    yield value("prediction", reading.points(features))
    for match in item.named(r"prediction_multiplier_(\d+)"):
        other = dataclasses.replace(reading, temperature=float(match[1]))
        yield value(match[0], other.points(features))
    # Each filter as a landmark of its own, whose linear map is the identity.
    landmarks, count = filters.shape[:2]
    each = torch.eye(2, dtype=torch.float64).expand(landmarks * count, 2, 2)
    points = Reading(filters.flatten(0, 1)[:, None], each, TEMPERATURE).points(features)
    yield value("intermediate_points", points.unflatten(1, (landmarks, count)))
    loss = reading.loss_and_gradient(features, target, LOSS_SCALE, torch.float64)[0]
    yield value("smooth_l1_loss", loss)


def matching(item: Item) -> Iterator[Value]:
    width = int(item["image_width"])
    seen = int(item["image_width_before_crop"]) - 2 * int(item["crop"])
    channels_rows_columns = item["source"].shape
    size = (width * channels_rows_columns[1] // channels_rows_columns[2], width)
    found = {}
    for match in item.named(r"(dve|paper)_(same|different)_xy"):
        rule, pair = match.groups()
        maps = item["source"], item[pair]
        found[rule, pair] = match_descriptors(*maps, item["query_xy"], rule, size)
        yield Value(match[0], "match_descriptors", found[rule, pair], "points")
    for match in item.named(r"(dve|paper)_(same)_mean_pixel_error_(unscaled|\d+)"):
        reported = None if match[3] == "unscaled" else float(match[3])
        errors = matching_errors(found[match[1], match[2]], item["target_xy"], seen, reported)
        yield Value(match[0], "matching_errors", errors.mean(), "errors")


def thin_plate(item: Item) -> Iterator[Value]:
    weights, affine = (torch.from_numpy(item[n])[None] for n in ("weights", "affine"))
    spline = ThinPlateSpline(weights, affine)
    height, width = int(item["height"]), int(item["width"])
    row, column = item["positions_row_col"].T
    yield Value("grid_xy", "sampling_grid", spline.sampling_grid(height, width)[0, row, column])
    pixels = torch.from_numpy(np.stack([column, row], axis=1))
    read = spline.points_inverse(pixels, height, width)[0]
    yield Value("grid_xy_pixels", "points_inverse", read)
    nearest = spline.nearest_pixels(torch.from_numpy(item["keypoints_xy"]), height, width)[0]
    yield Value("warped_keypoints_xy", "nearest_pixels", nearest)
    image = torch.from_numpy(item["image"])[None, None].double()
    for match in item.named(r"grid_sample_align_corners_(true|false)"):
        warped = spline.warp(image, align_corners=match[1] == "true")[0, 0]
        yield Value(match[0], "warp", warped[row, column])


def centres(item: Item) -> Iterator[Value]:
    for match in item.named(r"(ganseg|scops|mcs)_(row_col|x_y)"):
        maps = torch.from_numpy(np.asarray(item["part_maps"]))
        found = part_centres(maps, CENTRES[match[1]], side=128).numpy()
        yield Value(match[0], "part_centres", found if match[2] == "x_y" else found[..., ::-1])
