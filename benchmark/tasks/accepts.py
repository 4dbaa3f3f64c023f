"""What each task takes: sections, prediction kinds, labels and measures, as data.

One place: checks refuse a protocol by it before anything runs, and the reference prints it. Light: no
task is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from benchmark.contracts.errors import UnknownName
from benchmark.contracts.spec import Kind
from benchmark.metrics.catalogue import CATALOGUE, Measure
from benchmark.protocols import Label


@dataclass(frozen=True)
class Accepts:
    """What a task takes.

    `implementation` ("module:Class") is imported when the task runs. `splits` are the roles it looks at
    beside "fit"; `kinds` what it scores; `sections` the parts of a protocol file that it reads and
    needs; `labels` those it needs, `also` those it reads where they are named. `measures` maps a
    metric's `measure` (its id, where it states none) to what is known of it, "*" standing for any
    text; `metric_fields` are the fields of a metric that it reads beside id, unit, better and aggregate.
    `compares_with_fit`: images fitted on may be those compared with, as in distances of sets of images.
    """

    implementation: str
    splits: tuple[str, ...]
    kinds: tuple[Kind, ...]
    sections: tuple[str, ...]
    measures: Mapping[str, Measure]
    labels: tuple[Label, ...] = ()
    also: tuple[Label, ...] = ()
    metric_fields: tuple[str, ...] = ()
    compares_with_fit: bool = False

    def measure(self, name: str) -> Measure | None:
        """What is known of a measure, or None for one that the task does not know."""
        found = (m for pattern, m in self.measures.items() if fnmatchcase(name, pattern))
        return next(found, None)


def _of(*names: str) -> Mapping[str, Measure]:
    return {name: CATALOGUE[name] for name in names}


LANDMARK_MEASURES = _of(
    "nme_iod", "nme_visible", "pck", "keypoint_l1_sum", "keypoint_l2_sum", "keypoint_l2_edge"
)
PARTS_AT_LANDMARKS = [name for name in CATALOGUE if name.startswith("part_")]

TASKS: Mapping[str, Accepts] = {
    "landmark_regression": Accepts(
        "benchmark.tasks.landmark_regression:LandmarkRegression",
        splits=("train", "test"),
        kinds=("descriptors", "landmarks"),
        sections=("landmarks", "probes"),
        also=("visible",),
        measures=LANDMARK_MEASURES,
        metric_fields=("measure", "probe", "stretch", "threshold"),
    ),
    "landmark_limited": Accepts(
        "benchmark.tasks.landmark_limited:LandmarkLimited",
        splits=("train", "test"),
        kinds=("descriptors", "landmarks"),
        sections=("landmarks", "probes", "limited"),
        measures=LANDMARK_MEASURES,
        metric_fields=("measure", "on", "stretch", "threshold"),
    ),
    "landmark_scale": Accepts(
        "benchmark.tasks.landmark_scale:LandmarkScale",
        splits=("train", "test"),
        kinds=("descriptors", "landmarks"),
        sections=("landmarks", "probes", "zoom"),
        measures=LANDMARK_MEASURES,
        metric_fields=("measure", "on", "stretch", "threshold"),
    ),
    "landmark_matching": Accepts(
        "benchmark.tasks.landmark_matching:LandmarkMatching",
        splits=("test",),
        kinds=("descriptors",),
        sections=("landmarks", "pairs"),
        measures=_of("match_different", "match_same"),
    ),
    "foreground_segmentation": Accepts(
        "benchmark.tasks.foreground_segmentation:ForegroundSegmentation",
        splits=("test",),
        kinds=("parts", "translation"),
        sections=("foreground",),
        labels=("masks",),
        also=("visible",),
        measures=_of(
            "foreground_iou",
            "iou_best_of_two",
            "iou_background_80",
            "iou_pooled",
            "pixel_accuracy",
            *PARTS_AT_LANDMARKS,
        ),
    ),
    "mask_disagreement": Accepts(
        "benchmark.tasks.mask_disagreement:MaskDisagreement",
        splits=("test",),
        kinds=("shape_and_pose", "parts", "translation"),
        sections=("foreground",),
        labels=("masks",),
        also=("quaternions", "clouds"),
        measures=_of("mask_disagreement", "disagreement_area", "disagreement_area_smoothed"),
    ),
    "shape_and_pose": Accepts(
        "benchmark.tasks.shape_and_pose:ShapeAndPoseTask",
        splits=("validation", "test"),
        kinds=("shape_and_pose",),
        sections=("shape",),
        labels=("quaternions", "clouds"),
        measures=_of(
            *(
                f"{name}{frame}"
                for frame in ("", "_unaligned")
                for name in (
                    *("chamfer", "chamfer_precision", "chamfer_coverage"),
                    *("pose_accuracy", "pose_median"),
                )
            )
        ),
    ),
    "image_generation": Accepts(
        "benchmark.tasks.image_generation:ImageGeneration",
        compares_with_fit=True,
        splits=("test",),
        kinds=("generator",),
        sections=("generation",),
        # which of them a protocol may name, its network and its constants decide
        measures=_of(
            *("fid", "fid/*", "fd_*", "kid", "kid/*", "kd_*"),
            *("precision", "recall", "density", "coverage"),
            *("precision/*", "recall/*", "density/*", "coverage/*"),
            *("ppl2_*", "ppl_*", "als_*"),
        ),
    ),
}
"""The tasks by name."""


def accepts(task: str) -> Accepts:
    """What the task of that name takes; raises `UnknownName`.

    >>> accepts("landmark_matching").kinds
    ('descriptors',)
    """
    if task not in TASKS:
        raise UnknownName("task", task, TASKS)
    return TASKS[task]
