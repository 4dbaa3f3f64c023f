"""What bench gives for the golden items of masks, point clouds, poses and cameras."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmark.metrics.camera import camera_rotation, project
from benchmark.metrics.points import chamfer, nearest_distances
from benchmark.metrics.pose import (
    align_poses,
    conjugate,
    mean_rotation,
    multiply,
    pose_accuracy,
    rotate,
    rotation_error_degrees,
    select_for_alignment,
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
from tests.golden.items import Item, Value


def foreground(item: Item) -> Iterator[Value]:
    pred, target = item["prediction"], item["target"]
    some = item["non_empty_target_indices"]
    each, better = foreground_iou(pred, target), best_label_iou(pred[some], target[some])
    accuracy = best_label_accuracy(pred[some], target[some])
    yield Value("ganseg_per_image", "foreground_iou", each, "ganseg")
    yield Value("ganseg_mean", "foreground_iou", each.mean(), "ganseg")
    yield Value("redo_per_image", "best_label_iou", better, "otherwise")
    yield Value("redo_mean", "best_label_iou", better.mean(), "otherwise")
    yield Value("redo_accuracy_mean", "best_label_accuracy", accuracy.mean(), "otherwise")
    inverted = pooled_iou(np.logical_not(pred), target)
    yield Value("dataset_level", "pooled_iou", pooled_iou(pred, target), "otherwise")
    yield Value("dataset_level_inverted_prediction", "pooled_iou", inverted, "otherwise")
    same = pixel_accuracy(pred, target).mean()
    yield Value("pixel_accuracy", "pixel_accuracy", same, "otherwise")


def disagreement(item: Item) -> Iterator[Value]:
    pred, target = item["prediction"], item["target"]
    some = item["non_empty_target_indices"]
    ratios = mask_disagreement(pred[some], target[some])
    yield Value("per_image", "mask_disagreement", ratios)
    yield Value("mean_of_ratios", "mask_disagreement", ratios.mean())
    pooled = pooled_mask_disagreement
    some_pooled = pooled(pred[some], target[some])
    yield Value("ratio_of_sums_non_empty", "pooled_mask_disagreement", some_pooled)
    yield Value("ratio_of_sums_all", "pooled_mask_disagreement", pooled(pred, target))


def clouds(item: Item) -> Iterator[Value]:
    names = sorted(
        name.removeprefix("prediction_") for name in item.inputs if "prediction_" in name
    )
    scores = []
    for name in names:
        pred, target = item[f"prediction_{name}"], item[f"target_{name}"]
        score = chamfer(pred, target)
        scores.append(score)
        yield Value(f"precision_{name}", "chamfer", score.precision)
        yield Value(f"coverage_{name}", "chamfer", score.coverage)
        yield Value(f"chamfer_{name}", "chamfer", score.distance)
        there, back = nearest_distances(pred, target), nearest_distances(target, pred)
        squared = 1000 * ((there**2).mean() + (back**2).mean())
        yield Value(f"squared_chamfer_x1000_{name}", "nearest_distances", squared)
    yield Value("precision_mean", "chamfer", np.mean([score.precision for score in scores]))
    yield Value("coverage_mean", "chamfer", np.mean([score.coverage for score in scores]))


def pose(item: Item) -> Iterator[Value]:
    aligned = align_poses(item["prediction_wxyz"], item["reference_rotation_wxyz"])
    yield Value("aligned_prediction_wxyz", "align_poses", aligned, up_to_sign=True)
    errors = rotation_error_degrees(aligned, item["gt_wxyz"])
    yield Value("angle_error_degrees", "rotation_error_degrees", errors)
    for match in item.named(r"accuracy_(\d+)"):
        yield Value(match[0], "pose_accuracy", pose_accuracy(errors, float(match[1])))
    yield Value("median_degrees", "upper_median", upper_median(errors))


def alignment(item: Item) -> Iterator[Value]:
    mean = mean_rotation(item["quaternions_wxyz"])
    yield Value("markley_average_wxyz", "mean_rotation", mean, up_to_sign=True)
    pred, target = item["prediction_wxyz"], item["gt_wxyz"]
    before = rotation_error_degrees(pred, target).mean()
    yield Value("mean_angle_error_before_degrees", "rotation_error_degrees", before)
    recovered = mean_rotation(multiply(conjugate(unit(target)), unit(pred)))
    yield Value("recovered_rotation_wxyz", "mean_rotation", recovered, up_to_sign=True)
    after = rotation_error_degrees(align_poses(pred, recovered), target).max()
    yield Value("max_angle_error_after_degrees", "align_poses", after)
    cloud, shape = item["predicted_cloud"], item["shape"]
    yield Value("chamfer_before", "chamfer", chamfer(cloud, shape).distance)
    turned = chamfer(rotate(recovered, cloud), shape)
    yield Value("chamfer_after", "rotate, chamfer", turned.distance)
    models, views = select_for_alignment(
        item["selection_rmse"], *item.expected["selection_views"].shape
    )
    yield Value("selection_models", "select_for_alignment", models)
    yield Value("selection_views", "select_for_alignment", views)
    chosen = item["selection_rotations_wxyz"][models[:, None], views].reshape(-1, 4)
    chosen = chosen[np.isfinite(chosen).all(axis=1)]
    yield Value("selection_used", "select_for_alignment", len(chosen))
    yield Value("selection_average_wxyz", "mean_rotation", mean_rotation(chosen), up_to_sign=True)


def camera(item: Item) -> Iterator[Value]:
    rotations = camera_rotation(item["camera_position"])
    seen = np.stack([rotate(q, item["points"]) for q in rotations])
    yield Value("quaternion_wxyz", "camera_rotation", rotations, up_to_sign=True)
    matrices = np.stack([rotate(q, np.eye(3)).T for q in rotations])
    yield Value("rotation_matrix", "rotate", matrices)
    yield Value("camera_points", "rotate", seen)
    yield Value("projection_xy", "project", np.stack([project(points) for points in seen]))
