"""What each task takes: sections, prediction kinds, labels and measures, as data.

One place: checks refuse a protocol by it before anything runs, and the reference prints it. Light: no
task is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from benchmark.contracts.errors import UnknownName
from benchmark.contracts.spec import Kind
from benchmark.protocols import Label

PER_ITEM = ("mean", "median", "upper_median")
"""The aggregates of one value per item."""


@dataclass(frozen=True)
class Measure:
    """One thing that a task measures.

    `better` is its direction and `aggregates` what may make one number of its values. `labels` are
    those that the test images need for it, beside the task's; `kinds` the predictions it can be read
    from, where that is not all that the task scores. `unit_points`: it needs `landmarks.eyes`, the two
    points whose distance is the unit; `every_point`: no point may be hidden; `threshold`: the metric
    states how near is near enough.
    """

    better: Literal["lower", "higher"]
    aggregates: tuple[str, ...] = PER_ITEM
    labels: tuple[Label, ...] = ()
    kinds: tuple[Kind, ...] = ()
    unit_points: bool = False
    every_point: bool = False
    threshold: bool = False


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


LANDMARK_MEASURES: Mapping[str, Measure] = {
    "nme_iod": Measure("lower", unit_points=True, every_point=True),
    "nme_visible": Measure("lower", ("ratio_of_sums",), unit_points=True),
    "pck": Measure("higher", ("ratio_of_sums",), unit_points=True, threshold=True),
    "keypoint_l1_sum": Measure("lower", ("sum_of_means",)),
    "keypoint_l2_sum": Measure("lower", ("sum_of_means",)),
    "keypoint_l2_edge": Measure("lower", ("ratio_of_sums",)),
}

PART_AT_LANDMARK = Measure("higher", ("single",), labels=("visible",), kinds=("parts",))
POSE_ERROR = Measure("lower", ("upper_median", "median"))
ONE_NUMBER = Measure("lower", ("single",))
ONE_SHARE = Measure("higher", ("single",))

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
        measures={"match_different": Measure("lower"), "match_same": Measure("lower")},
    ),
    "foreground_segmentation": Accepts(
        "benchmark.tasks.foreground_segmentation:ForegroundSegmentation",
        splits=("test",),
        kinds=("parts", "translation"),
        sections=("foreground",),
        labels=("masks",),
        also=("visible",),
        measures={
            "foreground_iou": Measure("higher"),
            "iou_best_of_two": Measure("higher"),
            "iou_background_80": Measure("higher", kinds=("parts",)),
            "iou_pooled": Measure("higher", ("ratio_of_sums",)),
            "pixel_accuracy": Measure("higher", ("ratio_of_sums",)),
            **{
                f"part_{agreement}{where}{variant}": PART_AT_LANDMARK
                for agreement in ("nmi", "ari")
                for where in ("", "_foreground")
                for variant in ("", "/unsup_parts")
            },
        },
    ),
    "mask_disagreement": Accepts(
        "benchmark.tasks.mask_disagreement:MaskDisagreement",
        splits=("test",),
        kinds=("parts", "translation"),
        sections=("foreground",),
        labels=("masks",),
        measures={
            "mask_disagreement": Measure("lower"),
            "disagreement_area": Measure("higher"),
            "disagreement_area_smoothed": ONE_SHARE,
        },
    ),
    "shape_and_pose": Accepts(
        "benchmark.tasks.shape_and_pose:ShapeAndPoseTask",
        splits=("validation", "test"),
        kinds=("shape_and_pose",),
        sections=("shape",),
        labels=("quaternions", "clouds"),
        measures={
            "chamfer": Measure("lower"),
            "chamfer_precision": Measure("lower"),
            "chamfer_coverage": Measure("lower"),
            "pose_accuracy": Measure("higher", ("mean",)),
            "pose_median": POSE_ERROR,
            "chamfer_unaligned": Measure("lower"),
            "chamfer_precision_unaligned": Measure("lower"),
            "chamfer_coverage_unaligned": Measure("lower"),
            "pose_accuracy_unaligned": Measure("higher", ("mean",)),
            "pose_median_unaligned": POSE_ERROR,
        },
    ),
    "image_generation": Accepts(
        "benchmark.tasks.image_generation:ImageGeneration",
        compares_with_fit=True,
        splits=("test",),
        kinds=("generator",),
        sections=("generation",),
        # which of them a protocol may name, its network and its constants decide
        measures={
            **dict.fromkeys(("fid", "fid/*", "fd_*", "kid", "kid/*", "kd_*"), ONE_NUMBER),
            **dict.fromkeys(("precision", "recall", "density", "coverage"), ONE_SHARE),
            **dict.fromkeys(("precision/*", "recall/*", "density/*", "coverage/*"), ONE_SHARE),
            **dict.fromkeys(("ppl2_*", "ppl_*", "als_*"), ONE_NUMBER),
        },
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
