"""Shape and pose: predicted clouds against true surfaces, predicted cameras against true ones.

A method that is not told the data set's canonical frame has one of its own. One rotation between the
two is found on validation models and turns all shapes and poses of the test models; what is left is
the error. The same numbers without it, "unaligned", say what the rotation hides.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from benchmark.contracts.clouds import Clouds
from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.contracts.method import Method, Progress
from benchmark.contracts.predictions import ShapeAndPose
from benchmark.contracts.spec import Kind
from benchmark.datasets.opening import split_name
from benchmark.files import save_array
from benchmark.metrics.alignment import (
    NO_MATCH,
    candidate,
    iterative_closest_point,
    reference_rotation,
)
from benchmark.metrics.points import chamfer
from benchmark.metrics.pose import align_poses, rotate, rotation_error_degrees
from benchmark.protocols import Alignment, Protocol, Shape
from benchmark.tasks.accepts import TASKS
from benchmark.tasks.base import Scores, Scoring, Task
from benchmark.tasks.collect import ArrayFile, predictions
from benchmark.tasks.views import ImageSet

if TYPE_CHECKING:
    from benchmark.datasets.prepared import PreparedSplit

Found = TypeVar("Found")

BATCH = 16
SHOWN_POINTS = 8000  # what ceilings are shown of a true cloud: as many points as methods predict
CHAMFERS = ("chamfer", "chamfer_precision", "chamfer_coverage")
BINS = 18  # of pose errors: ten degrees each
KEPT_CLOUDS, KEPT_POINTS = 16, 512  # what a run keeps to be drawn: 48 KB in half precision


class ShapeAndPoseTask(Task):
    """Chamfer distance of clouds and angle of poses, with and without the common rotation."""

    accepts = TASKS["shape_and_pose"]
    keeps_predictions = True

    def require(self, splits: Mapping[str, PreparedSplit], how: Scoring) -> None:
        shape = how.protocol.section(Shape)
        views, rule = shape.views, shape.alignment
        for name in self.splits:
            rows = view_rows(splits[name], views)
            clouds = clouds_of(splits[name])
            if "quaternions" not in splits[name].labels:
                raise DataAltered(f"{splits[name].folder} carries no quaternions")
            models, needed = (
                (rows[: rule.models], rule.keep_models) if name == "validation" else (rows, 1)
            )
            there = sum(len(clouds[model[0]]) > 0 for model in models)
            if there < needed:
                raise DataAltered(
                    f"{there} models of {split_name(how.protocol, name, twin=how.twin)} have a true "
                    f"cloud, {needed} are needed"
                )

    def image_sets(self, splits: Mapping[str, PreparedSplit], protocol: Protocol) -> list[ImageSet]:
        rule, found = protocol.section(Shape), []
        for name in self.splits:
            rows = view_rows(splits[name], rule.views)
            models = rule.alignment.models if name == "validation" else len(rows)
            found.append(ImageSet.of_split(name, splits[name], count=rows[:models].size))
        return found

    def predict(
        self,
        method: Method,
        kind: Kind,
        splits: Mapping[str, PreparedSplit],
        protocol: Protocol,
        store: Path,
        progress: Progress,
    ) -> None:
        for view in self.image_sets(splits, protocol):
            folder, split, rotations = store / view.name, splits[view.name], []
            folder.mkdir(parents=True)
            clouds = ArrayFile(folder / "points.npy", len(view), "float32", "clouds")
            truth = partial(truth_of, split, seed=protocol.evaluation_seed)
            for rows, prediction in predictions(
                method, kind, split.images(), truth, progress, view.name,
                count=len(view), batch=BATCH,
            ):  # fmt: skip
                assert isinstance(prediction, ShapeAndPose)
                # they go to disk as they come: 96 KB an image
                clouds.write(rows, prediction.points.float().cpu().numpy(), method)
                rotations.append(prediction.rotation.double().cpu().numpy())
            save_array(folder / "rotation.npy", np.concatenate(rotations))

    def score(self, store: Path, splits: Mapping[str, PreparedSplit], how: Scoring) -> Scores:
        rule = how.protocol.section(Shape)
        reference, about = _align(store / "validation", splits["validation"], how)
        points, rotation = _predicted(store / "test")
        test = splits["test"]
        target = np.asarray(test.labels["quaternions"])
        rows = view_rows(test, rule.views)
        asked = {metric.id for metric in how.protocol.metrics}
        scores: dict[str, np.ndarray] = {}
        about["pose_errors"] = {}
        for suffix, turn in (("", reference), ("_unaligned", UNTURNED)):
            angles = rotation_error_degrees(align_poses(rotation, turn), target)
            about["pose_errors"][suffix.lstrip("_") or "aligned"] = histogram(angles)
            scores |= _of_poses(angles, suffix, how.protocol)
            if not suffix or asked & {f"{name}{suffix}" for name in CHAMFERS}:
                shapes = _chamfer_by_model(points, clouds_of(test), rows, turn, rule, how.progress)
                scores[f"chamfer_precision{suffix}"] = shapes[:, 0]
                scores[f"chamfer_coverage{suffix}"] = shapes[:, 1]
                scores[f"chamfer{suffix}"] = shapes.sum(axis=1)
        missing = len(rows) - len(scores["chamfer"])
        notes = [
            f"{missing} test models have no true cloud and are left out of the Chamfer distance"
        ]
        return Scores(
            {name: values for name, values in scores.items() if name in asked},
            predictions={
                "rotation": rotation.astype(np.float32),
                "reference": reference.astype(np.float32),
                **_kept(points, clouds_of(test), rows, scores["chamfer"]),
            },
            probe=about,
            notes=notes if missing else [],
        )

    def groups(self, split: PreparedSplit, protocol: Protocol, metric: str) -> np.ndarray | None:
        """Poses are of views, clouds of models."""
        if metric.startswith("chamfer"):
            return None
        return super().groups(split, protocol, metric)

    def errors(
        self, kept: Mapping[str, np.ndarray], split: PreparedSplit, protocol: Protocol
    ) -> dict[str, np.ndarray]:
        """Those of poses; of clouds too few points are kept."""
        found: dict[str, np.ndarray] = {}
        for suffix, turn, _ in _turns(kept):
            found |= _of_poses(_angles(kept, split, turn), suffix, protocol)
        return found

    def rounding(
        self, kept: Mapping[str, np.ndarray], split: PreparedSplit, protocol: Protocol
    ) -> dict[str, np.ndarray]:
        """Angles move by twice what quaternions turn by; accuracies, where they are as near."""
        threshold = protocol.section(Shape).threshold
        found: dict[str, np.ndarray] = {}
        for suffix, turn, rounded in _turns(kept):
            moved = np.degrees(2 * (_turned(kept["rotation"]) + rounded))
            near = np.abs(_angles(kept, split, turn) - threshold) <= moved
            found |= {f"pose_median{suffix}": moved, f"pose_accuracy{suffix}": 100.0 * near}
        return found


def histogram(angles: np.ndarray) -> list[int]:
    """How many of the angles (N,), 0 to 180 degrees, lie in each of `BINS` equal parts of that range.

    Two modes half a turn apart show as a heap at either end.

    >>> histogram(np.array([0.0, 9.9, 10.0, 180.0]))
    [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    """
    counts, _ = np.histogram(angles, bins=BINS, range=(0, 180))
    return [int(count) for count in counts]


def _of_poses(angles: np.ndarray, suffix: str, protocol: Protocol) -> dict[str, np.ndarray]:
    """The metrics of poses that a protocol asks for, from the angles (N,) of their errors in degrees."""
    scores = {
        f"pose_median{suffix}": angles,
        f"pose_accuracy{suffix}": 100.0 * (angles < protocol.section(Shape).threshold),
    }
    asked = {metric.id for metric in protocol.metrics}
    return {name: values for name, values in scores.items() if name in asked}


UNTURNED = np.array([1.0, 0, 0, 0])


def _turns(kept: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray, float]]:
    """Suffix of the metrics, the rotation between the frames, and what rounding turned it by at most."""
    yield "", kept["reference"], float(_turned(kept["reference"]))
    yield "_unaligned", UNTURNED, 0.0


def _angles(kept: Mapping[str, np.ndarray], split: PreparedSplit, turn: np.ndarray) -> np.ndarray:
    target = np.asarray(split.labels["quaternions"])
    return rotation_error_degrees(align_poses(kept["rotation"], turn), target)


def _turned(quaternions: np.ndarray) -> np.ndarray:
    """The angle in radians by which rounding to their dtype turned quaternions (..., 4), at most."""
    half = np.spacing(np.abs(quaternions)).astype(np.float64) / 2
    angle: np.ndarray = np.arcsin(
        np.linalg.norm(half, axis=-1) / np.linalg.norm(quaternions, axis=-1)
    )
    return angle


def clouds_of(split: PreparedSplit) -> Clouds:
    """The true clouds of a split."""
    if split.clouds is None:
        raise DataAltered(f"{split.folder} carries no point clouds")
    return split.clouds


def view_rows(split: PreparedSplit, views: int) -> np.ndarray:
    """The images of each model, (models, views): runs of `views` images of one identity."""
    names = np.array(split.identities)
    if len(split) % views == 0:
        rows = np.arange(len(split)).reshape(-1, views)
        shown = names[rows]
        if (shown == shown[:, :1]).all() and len(set(shown[:, 0])) == len(rows):
            return rows
    raise DataAltered(
        f"{split.folder}: its {len(split)} images are not {views} views of one model after another"
    )


def truth_of(split: PreparedSplit, rows: slice, seed: int) -> ShapeAndPose:
    """What ceilings are shown: the true pose, and SHOWN_POINTS points of the true cloud.

    A cloud of just so many points comes as it is; a smaller one repeats its points, of a larger one
    come some, drawn without replacement. A model without a cloud, whose shape is not scored, shows
    the origin.
    """
    clouds, shown = clouds_of(split), []
    for i in range(rows.start, rows.stop):
        cloud = clouds[i] if len(clouds[i]) else np.zeros((1, 3), np.float32)
        order = np.arange(SHOWN_POINTS) % len(cloud)
        if len(cloud) > SHOWN_POINTS:
            random = np.random.Generator(np.random.PCG64([seed, i]))
            order = np.sort(random.permutation(len(cloud))[:SHOWN_POINTS])
        shown.append(cloud[order])
    rotation = np.array(split.labels["quaternions"][rows], np.float32)
    return ShapeAndPose(torch.from_numpy(np.stack(shown)), torch.from_numpy(rotation))


def _predicted(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    return np.load(folder / "points.npy", mmap_mode="r"), np.load(folder / "rotation.npy")


def _align(folder: Path, split: PreparedSplit, how: Scoring) -> tuple[np.ndarray, dict[str, Any]]:
    """The common rotation (4,) and what is worth knowing of how it was found."""
    shape = how.protocol.section(Shape)
    rule, views = shape.alignment, shape.views
    points, rotation = _predicted(folder)
    rows = view_rows(split, views)[: rule.models]
    target = np.asarray(split.labels["quaternions"])[: rows.size]
    clouds = clouds_of(split)
    starts = candidate(rotation[: rows.size], target)

    def register(row: int) -> tuple[np.ndarray, float]:
        if not len(clouds[row]):
            return starts[row], NO_MATCH
        try:
            found = iterative_closest_point(
                points[row], clouds[row], starts[row],
                reach=rule.reach, iterations=rule.iterations, tolerance=rule.tolerance,
                unmet=rule.unmet,
            )  # fmt: skip
        except InvalidInput:  # a cloud on one line fixes no rotation
            return starts[row], NO_MATCH
        return found.rotation, found.error

    done = list(_each(register, rows.ravel(), "align", how.progress))
    errors = np.array([error for _, error in done]).reshape(rows.shape)
    candidates = np.stack([turned for turned, _ in done]).reshape(*rows.shape, 4)
    try:
        reference = reference_rotation(
            candidates, errors, rule.keep_models, rule.keep_views, rule.consensus
        )
    except InvalidInput as error:
        raise InvalidInput(
            f"predictions can't be aligned to the truth: {error.message}",
            cure="look at the predicted clouds: collapsed to a line or a point, or far too large?",
        ) from None
    fits = errors[np.isfinite(errors)]
    spread = rotation_error_degrees(candidates[np.isfinite(errors)],
                                    np.broadcast_to(reference, (len(fits), 4)))  # fmt: skip
    about = {
        "name": "align/icp",
        "reference": [round(float(x), 9) for x in reference],
        "candidates": len(fits),
        "icp_error_median": round(float(np.median(fits)), 6),
        "degrees_from_reference_median": round(float(np.median(spread)), 3),
        **_agreement(spread, rule),
    }
    return reference, about


def _agreement(spread: np.ndarray, rule: Alignment) -> dict[str, float]:
    """The share of all candidates that are as close to the common rotation as the rule says."""
    if rule.consensus is None:
        return {}
    return {"consensus_share": round(float((spread < rule.consensus).mean()), 3)}


def _chamfer_by_model(
    points: np.ndarray,
    clouds: Clouds,
    rows: np.ndarray,
    turn: np.ndarray,
    rule: Shape,
    progress: Progress,
) -> np.ndarray:
    """(precision, coverage) of each model that has a true cloud, the mean over its scored views."""
    scored = rows if rule.clouds == "every_view" else rows[:, :1]
    there = scored[[len(clouds[model[0]]) > 0 for model in scored]]
    if not len(there):
        raise DataAltered("none of the test models has a true cloud")

    def measure(row: int) -> tuple[float, float]:
        found = chamfer(rotate(turn, points[row]), clouds[row])
        return found.precision, found.coverage

    values = np.array(list(_each(measure, there.ravel(), "chamfer", progress)))
    means: np.ndarray = values.reshape(*there.shape, 2).mean(axis=1)
    return means


def _each(
    work: Callable[[int], Found], rows: np.ndarray, name: str, progress: Progress
) -> Iterator[Found]:
    """`work` of each row, in order, on all cores: the search trees leave Python's lock."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, value in enumerate(pool.map(work, rows.tolist()), start=1):
            yield value
            if done % 50 == 0 or done == len(rows):
                progress(name, done, len(rows))


def _kept(
    points: np.ndarray, clouds: Clouds, rows: np.ndarray, errors: np.ndarray
) -> dict[str, np.ndarray]:
    """First views of some models, from the smallest error to the largest, thinned to be drawn."""
    first = np.array([model[0] for model in rows if len(clouds[model[0]])])
    order = np.argsort(errors, kind="stable")
    count = min(KEPT_CLOUDS, len(order))
    chosen = order[np.linspace(0, len(order) - 1, count).round().astype(int)]
    thin = np.linspace(0, points.shape[1] - 1, min(KEPT_POINTS, points.shape[1])).astype(int)
    return {
        "drawn": first[chosen],
        "drawn_error": errors[chosen].astype(np.float32),
        "drawn_points": points[first[chosen]][:, thin].astype(np.float16),
    }
