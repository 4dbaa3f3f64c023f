"""Directions of attributes: the plane of the package it stands for, and codes whose answer is known."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from benchmark.contracts.errors import InvalidInput
from benchmark.probes import directions
from benchmark.probes.directions import attribute_direction, large_margin_plane


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(directions, extraglobs={"np": np}).failed == 0


@pytest.mark.parametrize("dimensions", [2, 30, 300])
def test_it_is_the_plane_of_a_linear_support_vector_machine(dimensions: int) -> None:
    svm = pytest.importorskip("sklearn.svm")
    rng = np.random.default_rng(dimensions)
    points = rng.normal(size=(120, dimensions)) + 5
    sides = np.where(points[:, 0] + rng.normal(size=120) > 5, 1.0, -1.0)
    normal, offset = large_margin_plane(points, sides)
    # theirs draws the offset towards 0 as well, the less the larger its scale
    peer = svm.LinearSVC(C=1.0, intercept_scaling=1e3, tol=1e-10, max_iter=200_000, dual=False)
    peer.fit(points, sides)
    np.testing.assert_allclose(normal, peer.coef_[0], atol=2e-3)
    assert offset == pytest.approx(peer.intercept_[0], rel=1e-2)

    def loss(normal: np.ndarray, offset: float) -> float:
        short = np.maximum(0, 1 - sides * (points @ normal + offset))
        return float(normal @ normal / 2 + short @ short)

    assert loss(normal, offset) <= loss(peer.coef_[0], peer.intercept_[0]) * (1 + 1e-9)


def test_an_attribute_that_is_one_axis_is_found_whatever_the_others_do() -> None:
    codes = np.random.default_rng(0).normal(size=(4000, 16))
    found = attribute_direction(codes, 3 * codes[:, 5] + 1)
    assert np.linalg.norm(found.normal) == pytest.approx(1)
    assert found.normal[5] > 0.99
    assert found.accuracy == 1.0
    assert found.held_out == 240
    assert attribute_direction(codes, -codes[:, 5]).normal[5] < -0.99


def test_an_attribute_that_has_nothing_to_do_with_codes_is_not_told_apart() -> None:
    rng = np.random.default_rng(0)
    found = attribute_direction(rng.normal(size=(4000, 8)), rng.normal(size=4000))
    assert 0.35 < found.accuracy < 0.65


def test_the_same_codes_give_the_same_direction() -> None:
    codes = np.random.default_rng(0).normal(size=(500, 4))
    one, other = (attribute_direction(codes, codes[:, 1] ** 3) for _ in range(2))
    np.testing.assert_array_equal(one.normal, other.normal)


def test_what_has_no_direction_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 20"):
        attribute_direction(np.zeros((19, 2)), np.arange(19.0))
    with pytest.raises(InvalidInput, match="alike"):
        attribute_direction(np.zeros((40, 2)), np.arange(40.0))
    with pytest.raises(InvalidInput, match="one for each score"):
        attribute_direction(np.zeros((40, 2)), np.arange(30.0))
    with pytest.raises(InvalidInput, match="both of them"):
        large_margin_plane(np.eye(2), np.ones(2))
