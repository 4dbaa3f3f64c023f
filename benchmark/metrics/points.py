"""How well two point clouds cover each other."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from benchmark.metrics import checks


class Chamfer(NamedTuple):
    """Mean distances to the nearest point, × 100: `precision` pred → target, `coverage` back."""

    precision: float
    coverage: float

    @property
    def distance(self) -> float:
        """Precision + coverage."""
        return self.precision + self.coverage


def chamfer(pred: Any, target: Any) -> Chamfer:
    """Precision, coverage and their sum, × 100, of one cloud against another.

    pred: (P, 3), target: (Q, 3), in one frame and unit; every point counts, nothing is sampled or
    rescaled. Distances are Euclidean, not squared. Raises `InvalidInput` for bad shapes, NaN and
    empty clouds. For the other published convention, squared and × 1000, square and average what
    `nearest_distances` gives.

    Source: eldar/differentiable-point-clouds@d9b6725 util/point_cloud_distance.py.

    >>> chamfer([[0.0, 0.0, 0.0]], [[3.0, 4.0, 0.0], [0.0, 0.0, 0.0]])
    Chamfer(precision=0.0, coverage=250.0)
    """
    pred, target = checks.arrays(pred=(pred, "P 3"), target=(target, "Q 3"))
    return Chamfer(
        precision=100.0 * float(nearest_distances(pred, target).mean()),
        coverage=100.0 * float(nearest_distances(target, pred).mean()),
    )


def nearest_distances(points: Any, cloud: Any) -> np.ndarray:
    """Euclidean distance of each point to the nearest point of a cloud, float64 (P,).

    points: (P, 3), cloud: (Q, 3), in one unit. Exact: coordinates are subtracted, not expanded into
    dot products, so equal points are at distance zero.

    >>> nearest_distances([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], [[0.0, 0.0, 2.0], [1.0, 1.0, 1.0]])
    array([1.73205081, 0.        ])
    """
    points, cloud = checks.arrays(points=(points, "P 3"), cloud=(cloud, "Q 3"))
    # The tree agrees with comparing all pairs to the last bits, needs no P × Q table, and for two
    # surfaces of 8,000 and 10,000 points took 0.05 s where all pairs took 5 s on the same core. Cuts
    # in the middle of space instead of at the median build it twice as fast and search no slower.
    return cKDTree(cloud, balanced_tree=False).query(points, workers=-1)[0]
