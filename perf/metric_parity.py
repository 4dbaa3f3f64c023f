"""How far every metric lies from its golden values, as a Markdown page.

    python perf/metric_parity.py > docs/metric_parity.md

Reads the golden inputs and expected values from the folder that BENCH_GOLDEN names (and Taichi's
labels from BENCH_DATA where set). Exits with 1 if a value is outside its
tolerance or a golden item is neither compared nor listed as compared elsewhere.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy
import torch

from benchmark.metrics.frechet import (
    FeatureMoments,
    frechet_distance,
    frechet_distance_from_features,
)
from benchmark.metrics.kernel import polynomial_mmd
from benchmark.metrics.landmarks import (
    inter_ocular_distance,
    keypoint_l1_sum,
    keypoint_l1_terms,
    keypoint_l2_sum,
    normalised_mean_error,
)
from benchmark.metrics.linearity import attribute_linearity
from benchmark.metrics.matching import match_descriptors, matching_errors
from benchmark.metrics.neighbours import density_coverage, precision_recall
from benchmark.metrics.path_length import trimmed_mean, within_percentiles
from benchmark.metrics.points import chamfer, nearest_distances
from benchmark.metrics.pose import (
    align_poses,
    conjugate,
    mean_rotation,
    multiply,
    pose_accuracy,
    rotation_error_degrees,
    unit,
    upper_median,
)
from benchmark.metrics.segmentation import (
    best_label_accuracy,
    best_label_iou,
    foreground_iou,
    mask_disagreement,
    pixel_accuracy,
    pooled_iou,
    pooled_mask_disagreement,
)

ELSEWHERE = {
    "lpips_squeeze": "features",
    "clean_resize_up": "data sets",
    "clean_resize_down": "data sets",
    "tps_warp": "data sets",
    "softargmax_regressor": "probes",
    "linear_regression_scops_fixture": "probes",
    "linear_regression_synthetic": "probes",
    "part_centres": "contracts",
    "camera_quaternion": "3-D tasks",
}


class Row(NamedTuple):
    function: str
    quantity: str
    found: Any
    expected: Any
    kind: str  # "rel" or "abs"
    tolerance: float


Item = dict[str, np.ndarray]


def frechet(item: Item) -> Iterator[Row]:
    real, fake = item["in_real"], item["in_fake"]
    for ddof in (0, 1):
        expected = item[f"out_frechet_ddof{ddof}"]
        found = frechet_distance_from_features(real, fake, ddof)
        yield Row("frechet_distance_from_features", f"ddof {ddof}", found, expected, "rel", 1e-6)
        sides = []
        for features in (real, fake):
            moments = FeatureMoments(features.shape[1])
            for batch in np.array_split(features, 7):
                moments.update(batch)
            sides += [moments.mean, moments.covariance(ddof)]
        found = frechet_distance(*sides)
        yield Row("FeatureMoments, frechet_distance", f"ddof {ddof}", found, expected, "rel", 1e-6)


def kid(item: Item) -> Iterator[Row]:
    real, fake = item["in_real"], item["in_fake"]
    some = fake[: int(item["in_fake_unequal_count"])]
    for quantity, found in {
        "kid_unbiased": polynomial_mmd(real, fake),
        "kid_biased": polynomial_mmd(real, fake, unbiased=False),
        "kid_unbiased_unequal": polynomial_mmd(real, some),
    }.items():
        yield Row("polynomial_mmd", quantity, found, item[f"out_{quantity}"], "rel", 1e-6)


def _neighbour_rows(item: Item, calls: dict[tuple[str, str], Any]) -> Iterator[Row]:
    function = {"precision": "precision_recall", "density": "density_coverage"}
    for names, scores in calls.items():
        for name, values in zip(names, scores, strict=True):
            which = function["precision" if "precision" in names[0] else "density"]
            yield Row(which, name, values.mean(), item[f"out_{name}"], "abs", 1e-9)


def neighbours(item: Item) -> Iterator[Row]:
    real, fake = item["in_real"], item["in_fake"]
    yield from _neighbour_rows(
        item,
        {
            ("precision_k3", "recall_k3"): precision_recall(real, fake),
            ("prdc_precision_k5", "prdc_recall_k5"): precision_recall(real, fake, 5, "open"),
            ("prdc_density_k5", "prdc_coverage_k5"): density_coverage(real, fake),
            ("prdc_density_k3", "prdc_coverage_k3"): density_coverage(real, fake, 3),
        },
    )


def ties(item: Item) -> Iterator[Row]:
    real, fake = item["in_real"], item["in_fake"]
    calls: dict[tuple[str, str], Any] = {
        (f"precision_k{k}_{suffix}", f"recall_k{k}_{suffix}"): precision_recall(real, fake, k, how)
        for k in (3, 5)
        for suffix, how in (("le", "closed"), ("lt", "open"))
    }
    calls[("density_k5_lt", "coverage_k5_lt")] = density_coverage(real, fake)
    yield from _neighbour_rows(item, calls)


def trimming(item: Item) -> Iterator[Row]:
    distances = item["in_distances"]
    found = trimmed_mean(distances)
    yield Row("trimmed_mean", "ppl_mean", found, item["out_ppl_mean"], "rel", 1e-6)
    kept = within_percentiles(distances).sum()
    yield Row("within_percentiles", "kept", kept, item["out_kept"], "abs", 0.0)


def als(item: Item) -> Iterator[Row]:
    golden = {
        "released": "released_code",
        "sum_normalised": "sum_t_mean_squares_normalised",
        "mean_normalised": "mean_t_excluding_t0_normalised",
        "mean_normalised_with_start": "mean_t_11points_normalised",
        "mean_raw": "mean_t_excluding_t0_raw",
        "mean_raw_with_start": "mean_t_11points_raw",
    }
    for variant, name in golden.items():
        found = attribute_linearity(item["in_logits"], variant)
        yield Row("attribute_linearity", variant, found.mean(), item[f"out_{name}"], "rel", 1e-9)
        each = {
            "released": "released_code_per_attribute",
            "mean_raw": "raw_per_attribute_excluding_t0",
        }
        if variant in each:
            expected = item[f"out_{each[variant]}"]
            quantity = f"{variant}, per attribute"
            yield Row("attribute_linearity", quantity, found, expected, "rel", 1e-9)


def nme(item: Item) -> Iterator[Row]:
    target = item["in_target"]
    eyes = (int(item["in_eye_indices"][0]), int(item["in_eye_indices"][1]))
    found = normalised_mean_error(
        item["in_prediction"], target, inter_ocular_distance(target, eyes)
    )
    for quantity, value in {
        "nme_percent_per_image": found,
        "nme_percent": found.mean(),
        "median_percent": np.median(found),
        "failure_rate_at_10_percent": (found > 10).mean(),
    }.items():
        expected = item[f"out_{quantity}"]
        yield Row("normalised_mean_error", quantity, value, expected, "rel", 1e-9)


def _taichi(train_x: Any, train_y: Any, test_x: Any, test_y: Any) -> tuple[Any, ...]:
    """One least-squares fit per coordinate on the rows that have it, then the scores."""

    def design(x: Any) -> np.ndarray:
        return np.c_[x.reshape(len(x), -1).astype(np.float64), np.ones(len(x))]

    columns = train_y.reshape(len(train_y), -1).T
    fits = [np.linalg.lstsq(design(train_x)[c != -1], c[c != -1], rcond=None)[0] for c in columns]
    pred = (design(test_x) @ np.stack(fits, axis=1)).reshape(test_y.shape)
    scored = pred, test_y, test_y[..., 0] != -1
    return keypoint_l1_terms(*scored), keypoint_l1_sum(*scored), keypoint_l2_sum(*scored)


def taichi_synthetic(item: Item) -> Iterator[Row]:
    terms, l1, l2 = _taichi(
        *(item[f"in_{part}_{what}"] for part in ("train", "test") for what in ("centres", "labels"))
    )
    yield Row("keypoint_l1_terms", "mae_each", terms, item["out_mae_each"], "rel", 1e-7)
    yield Row("keypoint_l1_sum", "mae_sum", l1.mean(), item["out_mae_sum"], "rel", 1e-7)
    yield Row("keypoint_l2_sum", "l2_sum", l2.mean(), item["out_l2_sum"], "rel", 1e-7)


def taichi_real(item: Item) -> Iterator[Row]:
    if "BENCH_DATA" not in os.environ:
        return
    labels = {}
    for part in ("train", "test"):
        folder = Path(os.environ["BENCH_DATA"]) / "taichi_points" / "landmarks"
        with np.load(folder / f"taichi_{part}_gt.npz") as table:
            labels[part] = table["value"][np.argsort(table["file_name"])]
    terms, l1, l2 = _taichi(
        item["in_train_part_centres_xy"],
        labels["train"],
        item["in_test_part_centres_xy"],
        labels["test"],
    )
    yield Row("keypoint_l1_terms", "mae_36", terms, item["out_mae_36"], "rel", 1e-7)
    yield Row("keypoint_l1_sum", "mae_sum36", l1.mean(), item["out_mae_sum36"], "rel", 1e-7)
    yield Row("keypoint_l2_sum", "l2_sum18", l2.mean(), item["out_l2_sum18"], "rel", 1e-7)


def iou(item: Item) -> Iterator[Row]:
    pred, target = item["in_prediction"], item["in_target"]
    some = item["in_non_empty_target_indices"]
    ganseg, redo = foreground_iou(pred, target), best_label_iou(pred[some], target[some])
    accuracy = best_label_accuracy(pred[some], target[some]).mean()
    for function, quantity, found, kind, tolerance in [
        ("foreground_iou", "ganseg_per_image", ganseg, "abs", 1e-6),
        ("foreground_iou", "ganseg_mean", ganseg.mean(), "abs", 1e-6),
        ("best_label_iou", "redo_per_image", redo, "rel", 1e-9),
        ("best_label_iou", "redo_mean", redo.mean(), "rel", 1e-9),
        ("best_label_accuracy", "redo_accuracy_mean", accuracy, "rel", 1e-9),
        ("pooled_iou", "dataset_level", pooled_iou(pred, target), "rel", 1e-9),
        ("pixel_accuracy", "pixel_accuracy", pixel_accuracy(pred, target).mean(), "rel", 1e-9),
    ]:
        yield Row(function, quantity, found, item[f"out_{quantity}"], kind, tolerance)


def xor(item: Item) -> Iterator[Row]:
    pred, target = item["in_prediction"], item["in_target"]
    some = item["in_non_empty_target_indices"]
    ratios = mask_disagreement(pred[some], target[some])
    pooled = pooled_mask_disagreement
    for function, quantity, found in [
        ("mask_disagreement", "per_image", ratios),
        ("mask_disagreement", "mean_of_ratios", ratios.mean()),
        ("pooled_mask_disagreement", "ratio_of_sums_non_empty", pooled(pred[some], target[some])),
        ("pooled_mask_disagreement", "ratio_of_sums_all", pooled(pred, target)),
    ]:
        yield Row(function, quantity, found, item[f"out_{quantity}"], "rel", 1e-12)


def clouds(item: Item) -> Iterator[Row]:
    for i in range(2):
        pred, target = item[f"in_prediction_{i}"], item[f"in_target_{i}"]
        score = chamfer(pred, target)
        there, back = nearest_distances(pred, target), nearest_distances(target, pred)
        squared = 1000 * ((there**2).mean() + (back**2).mean())
        for function, quantity, found in [
            ("chamfer", f"precision_{i}", score.precision),
            ("chamfer", f"coverage_{i}", score.coverage),
            ("chamfer", f"chamfer_{i}", score.distance),
            ("nearest_distances", f"squared_chamfer_x1000_{i}", squared),
        ]:
            yield Row(function, quantity, found, item[f"out_{quantity}"], "rel", 1e-9)


def pose(item: Item) -> Iterator[Row]:
    aligned = align_poses(item["in_prediction_wxyz"], item["in_reference_rotation_wxyz"])
    expected = item["out_aligned_prediction_wxyz"]
    signed = aligned * np.sign((aligned * expected).sum(axis=1, keepdims=True))
    errors = rotation_error_degrees(aligned, item["in_gt_wxyz"])
    for function, quantity, found, tolerance in [
        ("align_poses", "aligned_prediction_wxyz", signed, 1e-9),
        ("rotation_error_degrees", "angle_error_degrees", errors, 3e-6),
        ("pose_accuracy", "accuracy_30", pose_accuracy(errors), 0.0),
        ("upper_median", "median_degrees", upper_median(errors), 1e-6),
    ]:
        yield Row(function, quantity, found, item[f"out_{quantity}"], "abs", tolerance)


def alignment(item: Item) -> Iterator[Row]:
    found = mean_rotation(item["in_quaternions_wxyz"])
    expected = item["out_markley_average_wxyz"]
    yield Row("mean_rotation", "markley_average_wxyz", found, expected, "abs", 1e-9)
    pred, target = item["in_prediction_wxyz"], item["in_gt_wxyz"]
    found = mean_rotation(multiply(conjugate(unit(target)), unit(pred)))
    expected = item["out_recovered_rotation_wxyz"]
    yield Row("mean_rotation", "recovered_rotation_wxyz", found, expected, "abs", 1e-9)


def matching(item: Item) -> Iterator[Row]:
    width = int(item["in_image_width"])
    scaled = {"dve": ("mean_pixel_error_70", 70), "paper": ("mean_pixel_error_unscaled", None)}
    for rule, (name, reported) in scaled.items():
        for pair in ("same", "different"):
            maps = item["in_source"], item[f"in_{pair}"]
            found = match_descriptors(*maps, item["in_query_xy"], rule, (width, width))
            quantity = f"{rule}_{pair}_xy"
            yield Row("match_descriptors", quantity, found, item[f"out_{quantity}"], "abs", 0.0)
            if pair == "same":
                error = matching_errors(found, item["in_target_xy"], width, reported).mean()
                quantity = f"{rule}_same_{name}"
                yield Row("matching_errors", quantity, error, item[f"out_{quantity}"], "abs", 1e-9)


COMPARED: dict[str, Callable[[Item], Iterator[Row]]] = {
    "nme_5pt": nme,
    "nme_68pt": nme,
    "taichi_mae_synthetic": taichi_synthetic,
    "taichi_mae_real_labels": taichi_real,
    "landmark_matching": matching,
    "foreground_iou": iou,
    "mask_xor": xor,
    "frechet_full_rank": frechet,
    "frechet_rank_deficient": frechet,
    "frechet_large_mean": frechet,
    "kid_full_sample": kid,
    "precision_recall_k3_prdc_k5": neighbours,
    "precision_recall_ties": ties,
    "ppl_trimming": trimming,
    "als": als,
    "chamfer": clouds,
    "pose_accuracy": pose,
    "alignment": alignment,
}

PAGE = """\
# How close the metrics are to their references

Written by `perf/metric_parity.py` from the golden inputs and expected values, which were computed
with the reference implementations (or exact arithmetic) named in `golden.json`. The error is the
largest one over the array, relative to the expected value (`rel`) or not (`abs`); an error of 0
means equal to the last bit. Python {python}, NumPy {numpy}, SciPy {scipy}, torch {torch}, on a CPU.

| golden item | function | quantity | error | tolerance | within |
| --- | --- | --- | --- | --- | --- |
{rows}

{verdict}

## Compared elsewhere

These golden items belong to other rooms and are left to the tests there.

| golden item | room |
| --- | --- |
{elsewhere}

Of `alignment`, the choice of views and models belongs to the 3-D tasks and is left to them too.
"""


def error_of(row: Row) -> float:
    found, expected = (np.asarray(x, np.float64) for x in (row.found, row.expected))
    if found.shape != expected.shape:
        return float("inf")
    error = np.abs(found - expected)
    if row.kind == "rel":
        error = np.where(error == 0, 0.0, error / np.abs(expected).clip(1e-300))
    return float(error.max())


def main() -> int:
    folder = os.environ.get("BENCH_GOLDEN")
    if not folder:
        print("BENCH_GOLDEN names no folder with golden.json", file=sys.stderr)
        return 2
    entries = {
        e["name"]: e for e in json.loads((Path(folder) / "golden.json").read_text())["items"]
    }
    unknown = sorted(entries.keys() - COMPARED.keys() - ELSEWHERE.keys())
    lines, outside, total = [], 0, 0
    for name, compare in COMPARED.items():
        with np.load(Path(folder) / entries[name]["file"]) as arrays:
            rows = list(compare({key: arrays[key] for key in arrays}))
        if not rows:
            lines.append(f"| {name} | – | not compared: needs BENCH_DATA | – | – | – |")
        for row in rows:
            error = error_of(row)
            within = error <= row.tolerance
            total, outside = total + 1, outside + (not within)
            tolerance = f"{row.kind} {row.tolerance:.0e}" if row.tolerance else "exact"
            lines.append(
                f"| {name} | `{row.function}` | {row.quantity} | {error:.1e} | {tolerance} |"
                f" {'yes' if within else '**no**'} |"
            )
    print(
        PAGE.format(
            python=sys.version.split()[0],
            numpy=np.__version__,
            scipy=scipy.__version__,
            torch=torch.__version__,
            rows="\n".join(lines),
            verdict=f"{total - outside} of {total} values are within their tolerance.",
            elsewhere="\n".join(f"| {name} | {room} |" for name, room in ELSEWHERE.items()),
        ),
        end="",
    )
    if unknown:
        print(f"golden items that nothing compares: {', '.join(unknown)}", file=sys.stderr)
    return 1 if outside or unknown else 0


if __name__ == "__main__":
    sys.exit(main())
