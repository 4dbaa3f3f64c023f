"""Bootstrap intervals: they hold the mean, shrink with items, and do not depend on memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import intervals
from benchmark.metrics.intervals import (
    bootstrap_interval,
    difference_over_seeds,
    hierarchical_interval,
    holm,
    interval_of,
    paired_interval,
    resampled,
    two_sided_p,
)


def test_the_interval_is_that_of_the_normal_theory_for_many_items() -> None:
    errors = np.random.default_rng(0).normal(6.0, 3.0, 4000)
    low, high = bootstrap_interval(errors)
    half = 1.96 * errors.std(ddof=1) / np.sqrt(len(errors))
    assert low == pytest.approx(errors.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(errors.mean() + half, abs=0.1 * half)


def test_chunks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = np.random.default_rng(1).random(57)
    whole = bootstrap_interval(errors)
    monkeypatch.setattr(intervals, "CHUNK_BYTES", 8 * 57 * 3)
    assert bootstrap_interval(errors) == whole


def test_pairs_see_what_single_intervals_cannot() -> None:
    rng = np.random.default_rng(2)
    hard = rng.gamma(2, 5, 500)
    better = hard - 0.5 + rng.normal(0, 0.5, 500)
    _, high = paired_interval(better, hard)
    assert high < 0
    one, other = bootstrap_interval(better), bootstrap_interval(hard)
    assert one[1] > other[0]


def test_equal_errors_have_no_difference() -> None:
    errors = np.arange(10.0)
    assert paired_interval(errors, errors) == (0.0, 0.0)


@pytest.mark.parametrize("bad", [[], [[1.0]], [1.0, float("nan")]])
def test_bad_errors_are_refused(bad: list) -> None:
    with pytest.raises(InvalidInput):
        bootstrap_interval(np.array(bad))


def test_pairs_must_be_pairs() -> None:
    with pytest.raises(InvalidInput, match="differ in number"):
        paired_interval(np.ones(3), np.ones(4))


def test_many_arrays_at_once_are_drawn_as_each_alone() -> None:
    rng = np.random.default_rng(3)
    columns = [rng.random(31) for _ in range(4)]
    table = resampled(columns)
    assert table.shape == (intervals.DRAWS, 4)
    for i, column in enumerate(columns):
        assert interval_of(table[:, i]) == pytest.approx(bootstrap_interval(column), rel=1e-12)
    ratios = [np.stack([c, c + 1], 1) for c in columns]
    alone = bootstrap_interval(ratios[2], by="ratio_of_sums")
    assert interval_of(resampled(ratios, by="ratio_of_sums")[:, 2]) == alone


def test_chunks_do_not_change_many_arrays_either(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = [np.random.default_rng(4).random(57)] * 2
    whole = resampled(columns)
    monkeypatch.setattr(intervals, "CHUNK_BYTES", 8 * 57 * 3)
    np.testing.assert_allclose(resampled(columns), whole, rtol=1e-12)


def test_seeds_that_differ_widen_the_interval() -> None:
    rng = np.random.default_rng(5)
    items = rng.normal(10, 1, 200)
    alike = resampled([items, items + 0.01])
    apart = resampled([items, items + 5])
    narrow, wide = hierarchical_interval(alike), hierarchical_interval(apart)
    assert narrow == pytest.approx(bootstrap_interval(items + 0.005), abs=0.05)
    assert wide[1] - wide[0] > 4


def test_p_is_small_where_the_difference_is_clear_and_one_where_there_is_none() -> None:
    assert two_sided_p(np.zeros(2000)) == 1.0
    assert two_sided_p(np.full(2000, -1.0)) == pytest.approx(2 / 2001)
    drawn = np.random.default_rng(6).normal(0.3, 1, 2000)
    assert 0.5 < two_sided_p(drawn) < 1


def test_holm_against_numbers_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.5]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_p_values_hold_their_level_where_there_is_no_difference() -> None:
    rng = np.random.default_rng(7)
    refused = 0
    for _ in range(200):
        a, b = rng.normal(size=(2, 60))
        table = resampled([a, b])
        refused += two_sided_p(table[:, 0] - table[:, 1]) < 0.05
    assert refused <= 22  # 5 % of 200 is 10; 22 or more has probability below 0.1 %


FEW = st.lists(st.floats(-100, 100), min_size=2, max_size=6)


@pytest.mark.filterwarnings("ignore:Precision loss")  # scipy's, where seeds hardly differ
@given(FEW, FEW)
@settings(deadline=None)
def test_a_difference_over_seeds_is_welchs_test(first: list[float], second: list[float]) -> None:
    (low, high), p = difference_over_seeds(first, second)
    assert low <= np.mean(first) - np.mean(second) <= high
    (other_low, other_high), other_p = difference_over_seeds(second, first)
    assert (other_low, other_high) == pytest.approx((-high, -low), abs=1e-9)
    assert other_p == pytest.approx(p, abs=1e-9)
    if np.std(first) > 1e-3 or np.std(second) > 1e-3:
        known = stats.ttest_ind(first, second, equal_var=False)
        assert p == pytest.approx(known.pvalue, rel=1e-6, abs=1e-12)
        wanted = known.confidence_interval(0.95)
        assert (low, high) == pytest.approx((wanted.low, wanted.high), rel=1e-6, abs=1e-6)


def test_the_variance_over_items_is_added_and_known_without_error() -> None:
    same = [[5.0, 5.0], [3.0, 3.0]]
    (low, high), p = difference_over_seeds(*same, items=0.25)
    assert (low, high) == pytest.approx((2 - 1.959964 * 0.5, 2 + 1.959964 * 0.5), abs=1e-5)
    assert p == pytest.approx(2 * stats.norm.sf(4.0))
    assert difference_over_seeds(*same) == ((2.0, 2.0), 0.0)
    assert difference_over_seeds(same[0], same[0]) == ((0.0, 0.0), 1.0)
    many = [float(i % 3) for i in range(30)]
    ends = [difference_over_seeds(many, many, items=items)[0][1] for items in (0.0, 0.1, 1.0)]
    assert ends == sorted(ends)
    assert ends[0] < ends[1] < ends[2]


def test_one_wild_seed_is_no_difference_of_methods() -> None:
    assert difference_over_seeds([8.22, 8.47, 9.74], [10.0, 21.71, 12.04])[1] > 0.2
    assert difference_over_seeds([8.22, 8.47, 9.74], [20.0, 21.71, 22.04])[1] < 0.001


@pytest.mark.parametrize("sides", [([1.0], [1.0, 2.0]), ([1.0, 2.0], [])])
def test_a_difference_over_seeds_needs_two_on_each_side(sides: tuple) -> None:
    with pytest.raises(InvalidInput, match="two seeds or more"):
        difference_over_seeds(*sides)
