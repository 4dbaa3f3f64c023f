"""What is measured between predicted and annotated landmarks, by the name a protocol's metric gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmark.contracts.errors import BenchError, InvalidInput, UnknownName
from benchmark.metrics.landmarks import (
    correct_keypoints,
    inter_ocular_distance,
    joint_errors,
    normalised_mean_error,
    visible_distances,
    visible_errors,
)
from benchmark.protocols import Metric, Protocol


@dataclass(frozen=True)
class Annotation:
    """The how points (N, K, 2) float32 of a split, and which of them are there (N, K)."""

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
    """Per-item values of a metric for points (N, K, 2): (N,), or (N, M) where its aggregate asks so.

    Raises `UnknownName` for a measure that is not in `MEASURES`.
    """
    name = metric.measure or metric.id
    if name not in MEASURES:
        raise UnknownName("measure of landmarks", name, MEASURES)
    stretch = np.asarray(metric.stretch)
    how = Measurement(metric, protocol)
    return MEASURES[name](points * stretch, truth.points * stretch, truth.visibility(), how)


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
        how, stretch = Measurement(metric, protocol), np.asarray(metric.stretch)
        known = truth.visibility()[:, list(how.unit)].all(axis=1)
        unit = inter_ocular_distance(exact.points[known] * stretch, how.unit).min(initial=np.inf)
        far = float(np.linalg.norm(np.spacing(np.abs(points)) * stretch, axis=2).max() / unit)
        inner, outer = (
            item_values(metric.model_copy(update={"threshold": at}), points, truth, protocol)
            for at in (metric.threshold - far, metric.threshold + far)
        )
        return outer - inner
    off = item_values(metric, exact.points + np.spacing(np.abs(points)) / 2, exact, protocol)
    return off - item_values(metric, exact.points, exact, protocol)


@dataclass(frozen=True)
class Measurement:
    """What a protocol says of an error beside the points."""

    metric: Metric
    protocol: Protocol

    @property
    def unit(self) -> tuple[int, int]:
        """The two landmarks whose distance is the unit."""
        rule = self.protocol.landmarks
        if rule is None or rule.eyes is None:
            raise BenchError(
                f"{self.metric.id} of {self.protocol.name} is in units of the distance of two points",
                cure="name them in its [landmarks]: eyes = [first, second]",
            )
        return rule.eyes


def _nme_iod(
    points: np.ndarray, truth: np.ndarray, shown: np.ndarray, how: Measurement
) -> np.ndarray:
    if not shown.all():
        raise InvalidInput(
            f"{how.metric.id} needs every landmark of every image annotated",
            cure='measure = "nme_visible" counts the visible ones alone',
        )
    return normalised_mean_error(points, truth, inter_ocular_distance(truth, how.unit))


def _nme_visible(
    points: np.ndarray, truth: np.ndarray, shown: np.ndarray, how: Measurement
) -> np.ndarray:
    return visible_errors(points, truth, shown, how.unit)


def _pck(points: np.ndarray, truth: np.ndarray, shown: np.ndarray, how: Measurement) -> np.ndarray:
    return correct_keypoints(points, truth, shown, how.unit, how.metric.threshold or 0)


def _l1(points: np.ndarray, truth: np.ndarray, shown: np.ndarray, _: Measurement) -> np.ndarray:
    return joint_errors(points, truth, shown, "l1")


def _l2(points: np.ndarray, truth: np.ndarray, shown: np.ndarray, _: Measurement) -> np.ndarray:
    return joint_errors(points, truth, shown, "l2")


def _edge(points: np.ndarray, truth: np.ndarray, shown: np.ndarray, how: Measurement) -> np.ndarray:
    return visible_distances(points, truth, shown, float(how.protocol.size))


MEASURES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray, Measurement], np.ndarray]] = {
    "nme_iod": _nme_iod,  # (N,) percent of the distance of the eyes; aggregate mean
    "nme_visible": _nme_visible,  # (N, 2) sum and count; aggregate ratio_of_sums, percent of the unit
    "pck": _pck,  # (N, 2) right and all; aggregate ratio_of_sums
    "keypoint_l1_sum": _l1,  # (N, 2K) pixels; aggregate sum_of_means
    "keypoint_l2_sum": _l2,  # (N, K) pixels; aggregate sum_of_means
    "keypoint_l2_edge": _edge,  # (N, 2) sum and count; aggregate ratio_of_sums, percent of the side
}
