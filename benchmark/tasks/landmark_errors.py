"""What is measured between predicted and annotated landmarks, by the name a protocol's metric gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmark.metrics.landmarks import (
    correct_keypoints,
    inter_ocular_distance,
    joint_errors,
    normalised_mean_error,
    visible_distances,
    visible_errors,
)
from benchmark.protocols import LandmarkRule, Metric, Protocol


@dataclass(frozen=True)
class Annotation:
    """The landmarks (N, K, 2) float32 of a split, and which of them are there (N, K)."""

    points: np.ndarray
    visible: np.ndarray | None

    def visibility(self) -> np.ndarray:
        """bool (N, K); everything, where the data set hides nothing."""
        if self.visible is None:
            return np.ones(self.points.shape[:2], bool)
        return self.visible


def item_values(
    metric: Metric, points: np.ndarray, truth: Annotation, protocol: Protocol
) -> np.ndarray:
    """Per-item values of a metric for points (N, K, 2): (N,), or (N, M) where its aggregate asks so."""
    stretch, rule = np.asarray(metric.stretch), protocol.section(LandmarkRule)
    compared = (points * stretch, truth.points * stretch, truth.visibility())
    how = (float(protocol.size), rule, metric.threshold or 0.0)
    return MEASURES[metric.measured](Compared(*compared, *how))


def moved_by_rounding(
    metric: Metric, points: np.ndarray, truth: Annotation, protocol: Protocol
) -> np.ndarray:
    """How far `item_values` of kept points (N, K, 2) may lie from that of the points before they were
    rounded to the kept ones' dtype; of its shape and unit.

    Measures that are means or sums of distances move by no more, by the triangle inequality, than they
    give for points that lie off the truth by what was rounded: half the distance between two numbers of
    that dtype. One that counts distances moves by those that are as near to its threshold.
    """
    exact = Annotation(truth.points.astype(np.float64), truth.visible)
    if metric.threshold:
        eyes, stretch = protocol.section(LandmarkRule).unit, np.asarray(metric.stretch)
        known = truth.visibility()[:, list(eyes)].all(axis=1)
        unit = inter_ocular_distance(exact.points[known] * stretch, eyes).min(initial=np.inf)
        far = float(np.linalg.norm(np.spacing(np.abs(points)) * stretch, axis=2).max() / unit)
        inner, outer = (
            item_values(metric.model_copy(update={"threshold": at}), points, truth, protocol)
            for at in (metric.threshold - far, metric.threshold + far)
        )
        return outer - inner
    off = item_values(metric, exact.points + np.spacing(np.abs(points)) / 2, exact, protocol)
    return off - item_values(metric, exact.points, exact, protocol)


@dataclass(frozen=True)
class Compared:
    """What a measure is taken of: points (N, K, 2), those annotated and whether they are there (N, K),
    the side of the image in pixels, and what the protocol says of unit and threshold."""

    points: np.ndarray
    truth: np.ndarray
    shown: np.ndarray
    side: float
    rule: LandmarkRule
    threshold: float

    @property
    def visible(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What measures of visible points begin with."""
        return self.points, self.truth, self.shown


def _nme_iod(c: Compared) -> np.ndarray:
    return normalised_mean_error(c.points, c.truth, inter_ocular_distance(c.truth, c.rule.unit))


MEASURES: dict[str, Callable[[Compared], np.ndarray]] = {
    # (N,) percent of the unit; aggregate mean
    "nme_iod": _nme_iod,
    # (N, 2) sum and count; aggregate ratio_of_sums, percent of the unit
    "nme_visible": lambda c: visible_errors(*c.visible, c.rule.unit),
    # (N, 2) right and all; aggregate ratio_of_sums
    "pck": lambda c: correct_keypoints(*c.visible, c.rule.unit, c.threshold),
    # (N, 2K) pixels; aggregate sum_of_means
    "keypoint_l1_sum": lambda c: joint_errors(*c.visible, "l1"),
    # (N, K) pixels; aggregate sum_of_means
    "keypoint_l2_sum": lambda c: joint_errors(*c.visible, "l2"),
    # (N, 2) sum and count; aggregate ratio_of_sums, percent of the side
    "keypoint_l2_edge": lambda c: visible_distances(*c.visible, c.side),
}
