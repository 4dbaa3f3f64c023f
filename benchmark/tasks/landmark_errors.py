"""What is measured between predicted and annotated landmarks, by the name a protocol's metric gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmark.contracts.errors import BenchError, InvalidInput, UnknownName
from benchmark.metrics.landmarks import (
    inter_ocular_distance,
    joint_errors,
    normalised_mean_error,
    visible_distances,
)
from benchmark.protocols import Metric, Protocol


@dataclass(frozen=True)
class Annotation:
    """The asked points (N, K, 2) float32 of a split, and which of them are there (N, K)."""

    points: np.ndarray
    visible: np.ndarray | None

    def shown(self) -> np.ndarray:
        """bool (N, K); everything, where the data set hides nothing."""
        if self.visible is None:
            return np.ones(self.points.shape[:2], bool)
        return self.visible


def measured(
    metric: Metric, points: np.ndarray, truth: Annotation, protocol: Protocol
) -> np.ndarray:
    """Per-item values of a metric for points (N, K, 2): (N,), or (N, M) where its aggregate asks so.

    Raises `UnknownName` for a measure that is not in `MEASURES`.
    """
    name = metric.measure or metric.id
    if name not in MEASURES:
        raise UnknownName("measure of landmarks", name, MEASURES)
    stretch = np.asarray(metric.stretch)
    return MEASURES[name](points * stretch, truth.points * stretch, truth.shown(), protocol)


def moved_by_rounding(
    metric: Metric, points: np.ndarray, truth: Annotation, protocol: Protocol
) -> np.ndarray:
    """How far `measured` of kept points (N, K, 2) may lie from that of the points before they were
    rounded to the kept ones' dtype; of its shape and unit.

    Every measure here is a mean or sum of distances, so by the triangle inequality none moves by more
    than it gives for points that lie off the truth by what was rounded: half the distance between two
    numbers of that dtype.
    """
    exact = Annotation(truth.points.astype(np.float64), truth.visible)
    off = measured(metric, exact.points + np.spacing(np.abs(points)) / 2, exact, protocol)
    return off - measured(metric, exact.points, exact, protocol)


def _nme_iod(
    points: np.ndarray, truth: np.ndarray, shown: np.ndarray, protocol: Protocol
) -> np.ndarray:
    rule = protocol.landmarks
    if rule is None or rule.eyes is None:
        raise BenchError(f"protocol {protocol.name} does not say which landmarks are the eyes")
    if not shown.all():
        raise InvalidInput("errors in units of the eyes' distance need every landmark annotated")
    return normalised_mean_error(points, truth, inter_ocular_distance(truth, rule.eyes))


def _l1(points: np.ndarray, truth: np.ndarray, shown: np.ndarray, _: Protocol) -> np.ndarray:
    return joint_errors(points, truth, shown, "l1")


def _l2(points: np.ndarray, truth: np.ndarray, shown: np.ndarray, _: Protocol) -> np.ndarray:
    return joint_errors(points, truth, shown, "l2")


def _edge(
    points: np.ndarray, truth: np.ndarray, shown: np.ndarray, protocol: Protocol
) -> np.ndarray:
    return visible_distances(points, truth, shown, float(protocol.size))


MEASURES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray, Protocol], np.ndarray]] = {
    "nme_iod": _nme_iod,  # (N,) percent of the distance of the eyes; aggregate mean
    "keypoint_l1_sum": _l1,  # (N, 2K) pixels; aggregate sum_of_means
    "keypoint_l2_sum": _l2,  # (N, K) pixels; aggregate sum_of_means
    "keypoint_l2_edge": _edge,  # (N, 2) sum and count; aggregate ratio_of_sums, percent of the side
}
