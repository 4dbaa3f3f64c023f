"""Numbers too large or too small to be squared are refused by every metric, not turned into inf or 0."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks
from benchmark.metrics.alignment import iterative_closest_point, rigid_fit
from benchmark.metrics.frechet import frechet_distance_from_features
from benchmark.metrics.kernel import polynomial_mmd
from benchmark.metrics.landmarks import normalised_mean_error
from benchmark.metrics.linearity import attribute_linearity
from benchmark.metrics.matching import matching_errors
from benchmark.metrics.neighbours import density_coverage, precision_recall
from benchmark.metrics.pose import mean_rotation, rotation_error_degrees


def some(*shape):
    return np.random.default_rng(0).normal(size=shape)


METRICS = {
    "normalised_mean_error": lambda u: normalised_mean_error(
        some(4, 2, 2) * u, some(4, 2, 2), np.ones(4)
    ),
    "matching_errors": lambda u: matching_errors(some(4, 2) * u, some(4, 2), 96),
    "rotation_error_degrees": lambda u: rotation_error_degrees(some(4, 4) * u, some(4, 4)),
    "mean_rotation": lambda u: mean_rotation(some(4, 4) * u),
    "rigid_fit": lambda u: rigid_fit(some(9, 3) * u, some(9, 3)),
    "iterative_closest_point": lambda u: iterative_closest_point(
        some(9, 3) * u, some(9, 3), [1, 0, 0, 0], reach=0.1, iterations=3, tolerance=1e-6
    ),
    "frechet_distance_from_features": lambda u: frechet_distance_from_features(
        some(9, 3) * u, some(9, 3)
    ),
    "polynomial_mmd": lambda u: polynomial_mmd(some(9, 3) * u, some(9, 3)),
    "precision_recall": lambda u: precision_recall(some(9, 3) * u, some(9, 3)),
    "density_coverage": lambda u: density_coverage(some(9, 3), some(9, 3) * u),
    "attribute_linearity": lambda u: attribute_linearity(some(4, 5, 2) * u, "mean_raw"),
}


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize("unit", [1e200, 1e-200])
def test_every_metric_that_squares_refuses_what_can_not_be_squared(metric, unit):
    metric(1.0)
    with pytest.raises(InvalidInput, match="expected numbers that can be squared"):
        metric(unit)


def test_what_float32_holds_is_taken_from_arrays_and_tensors():
    for largest in (checks.LARGEST, checks.SMALLEST):
        values = np.array([[1e-300, -largest]])
        assert checks.arrays(x=(values, "N 2"))[0][0, 1] == -largest
        assert checks.tensors(x=(torch.tensor(values), "N 2"))[0][0, 1] == -largest
    assert not checks.arrays(x=(np.zeros(3), "N"))[0].any()
    assert checks.arrays(x=([1e-300], "N"))[0] == 1e-300  # not squared
    with pytest.raises(InvalidInput, match="got 1e-39"):
        checks.features(x=(torch.tensor([[0.0, -1e-39]]), "N 2"))
