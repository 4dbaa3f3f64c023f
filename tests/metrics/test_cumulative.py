"""Cumulative curves: against SciPy's kernel estimate, and areas against sums over a fine grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gaussian_kde

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.cumulative import (
    area_below,
    cumulative_share,
    scott_bandwidth,
    smoothed_area_below,
    smoothed_share,
)

GRID = np.linspace(0, 1, 20001)


def values(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).gamma(2, 0.2, 80)


def test_the_smoothed_curve_is_that_of_scipys_kernel_estimate():
    found, kernel = values(0), gaussian_kde(values(0))
    at = np.array([-0.2, 0.0, 0.3, 1.0, 5.0])
    wanted = [kernel.integrate_box_1d(-np.inf, x) for x in at]
    np.testing.assert_allclose(smoothed_share(found, at), wanted, rtol=1e-12)
    assert scott_bandwidth(found) == pytest.approx(float(np.sqrt(kernel.covariance[0, 0])))


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_areas_are_those_under_the_curves(seed):
    found = values(seed)
    plain = np.trapezoid(cumulative_share(found, GRID), GRID)
    assert area_below(found).mean() == pytest.approx(plain, abs=1e-4)
    smooth = np.trapezoid(smoothed_share(found, GRID), GRID)
    assert smoothed_area_below(found) == pytest.approx(smooth, abs=1e-8)
    half = GRID / 2
    smooth = np.trapezoid(smoothed_share(found, half), half) / 0.5
    assert smoothed_area_below(found, 0.5) == pytest.approx(smooth, abs=1e-8)


def test_curves_rise_from_0_to_1():
    found = values(1)
    at = np.linspace(-3, 9, 200)
    for curve in (cumulative_share(found, at), smoothed_share(found, at)):
        assert (np.diff(curve) >= 0).all()
        assert curve[0] == pytest.approx(0, abs=1e-12)
        assert curve[-1] == pytest.approx(1)


def test_items_that_are_all_the_same_are_not_smoothed():
    for same in ([0.25], [0.25] * 5):
        assert smoothed_area_below(same) == 0.75
        assert smoothed_share(same, [0.2, 0.25]).tolist() == [0, 1]
    assert smoothed_area_below([0.0, 0.0]) == 1
    assert area_below([0.0, 0.0]).mean() == 1


def test_bad_input_is_refused():
    for function in (area_below, smoothed_area_below):
        with pytest.raises(InvalidInput, match="NaN"):
            function([0.1, np.nan])
        with pytest.raises(InvalidInput, match="empty"):
            function([])
