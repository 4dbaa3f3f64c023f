"""Aggregates: each formula against numbers by hand, and what they refuse."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.metrics.aggregates import AGGREGATES, OF_WEIGHTS, aggregate
from benchmark.metrics.intervals import bootstrap_interval

NAN = float("nan")


@pytest.mark.parametrize(
    ("name", "values", "wanted"),
    [
        ("mean", [1.0, 2.0, 6.0], 3.0),
        ("median", [4.0, 1.0, 3.0, 2.0], 2.5),
        ("median", [5.0, 1.0, 3.0], 3.0),
        ("upper_median", [4.0, 1.0, 3.0, 2.0], 3.0),
        ("upper_median", [5.0, 1.0, 3.0], 3.0),
        ("sum_of_means", [[1.0, 4.0], [3.0, NAN]], 6.0),
        ("ratio_of_sums", [[1.0, 2.0], [2.0, 2.0]], 75.0),
        ("single", [7.5], 7.5),
    ],
)
def test_formulas(name: str, values: list, wanted: float) -> None:
    assert aggregate(np.array(values), name) == pytest.approx(wanted, rel=1e-15)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("mean", []),
        ("mean", [1.0, NAN]),
        ("mean", [[1.0]]),
        ("upper_median", [NAN]),
        ("sum_of_means", [1.0]),
        ("sum_of_means", [[NAN, 1.0], [NAN, 2.0]]),
        ("sum_of_means", [[float("inf"), 1.0]]),
        ("ratio_of_sums", [[1.0, 2.0, 3.0]]),
        ("single", [1.0, 2.0]),
    ],
)
def test_what_has_no_aggregate_is_refused(name: str, values: list) -> None:
    with pytest.raises(InvalidInput):
        aggregate(np.array(values), name)


def test_an_unknown_aggregate_is_named() -> None:
    with pytest.raises(UnknownName, match="medium"):
        aggregate(np.ones(3), "medium")


def test_the_interval_of_a_ratio_is_that_of_pooled_items() -> None:
    rng = np.random.default_rng(0)
    below = rng.integers(50, 150, 400).astype(float)
    above = below * rng.beta(6, 4, 400)
    values = np.stack([above, below], 1)
    low, high = bootstrap_interval(values, by="ratio_of_sums")
    assert low < aggregate(values, "ratio_of_sums") < high
    assert 0.5 < high - low < 10


def test_missing_values_do_not_count() -> None:
    rng = np.random.default_rng(1)
    values = rng.random((200, 3))
    values[rng.random((200, 3)) < 0.3] = NAN
    low, high = bootstrap_interval(values, by="sum_of_means")
    assert low < np.nanmean(values, 0).sum() < high


def test_one_number_has_no_interval() -> None:
    with pytest.raises(InvalidInput, match="no items to draw"):
        bootstrap_interval(np.ones(1), by="single")


@given(st.integers(1, 7), st.integers(1, 5), st.randoms(use_true_random=False))
@pytest.mark.parametrize("name", sorted(OF_WEIGHTS))
def test_weights_say_how_often_an_item_is_there(
    name: str, items: int, draws: int, random: Random
) -> None:
    wide = {"sum_of_means": 3, "ratio_of_sums": 2}.get(name, 0)
    shape = (items, wide) if wide else (items,)
    values = np.array([random.uniform(0.5, 9) for _ in range(int(np.prod(shape)))]).reshape(shape)
    weights = np.array([[random.randint(0, 3) for _ in range(items)] for _ in range(draws)])
    weights[:, 0] += 1
    alone = [AGGREGATES[name](values.repeat(row, axis=0)) for row in weights]
    found = OF_WEIGHTS[name](values, weights.astype(float))
    np.testing.assert_allclose(found, alone, rtol=1e-13)
