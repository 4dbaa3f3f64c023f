"""How sure numbers and differences are: against theory, scipy, simulation, and the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.aggregates import aggregate
from benchmark.metrics.intervals import resampled
from benchmark.metrics.uncertainty import (
    Source,
    difference,
    group_moves,
    holm,
    interval,
    over_items,
    over_seeds,
    p_values,
)

NAN = float("nan")


def p(apart: float, *sources: Source) -> float:
    return p_values(np.array([apart]), [sources])[0]


def test_one_source_is_students_t() -> None:
    values = [8.22, 8.47, 9.74]
    wanted = stats.ttest_1samp(values, 7.0)
    assert interval(float(np.mean(values)), [over_seeds(values)]) == pytest.approx(
        tuple(wanted.confidence_interval(0.95)), rel=1e-12
    )
    assert p(np.mean(values) - 7.0, over_seeds(values)) == pytest.approx(wanted.pvalue, rel=1e-9)


def test_items_are_students_t_too() -> None:
    errors = np.random.default_rng(0).gamma(2, 4, 50)
    wanted = stats.ttest_1samp(errors, 0).confidence_interval(0.95)
    sources = [over_items(group_moves(errors))]
    assert interval(float(errors.mean()), sources) == pytest.approx(tuple(wanted), rel=1e-9)


def test_groups_of_one_size_are_students_t_over_their_means() -> None:
    errors = np.random.default_rng(1).gamma(2, 4, (12, 5))
    groups = np.repeat(np.arange(12), 5)
    wanted = stats.ttest_1samp(errors.mean(1), 0).confidence_interval(0.95)
    sources = [over_items(group_moves(errors.ravel(), groups=groups))]
    assert interval(float(errors.mean()), sources) == pytest.approx(tuple(wanted), rel=1e-9)


@pytest.mark.parametrize("by", ["mean", "median", "upper_median", "ratio_of_sums", "sum_of_means"])
@pytest.mark.parametrize("grouped", [False, True])
def test_the_variance_over_items_is_that_of_the_bootstrap(by: str, grouped: bool) -> None:
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(80), 8) if grouped else None
    values = rng.gamma(4, 2, (640, 3)) + (rng.normal(0, 2, 80)[groups, None] if grouped else 0)
    values = {"ratio_of_sums": np.abs(values[:, :2]) + 1, "sum_of_means": values}.get(
        by, values[:, 0]
    )
    if by == "sum_of_means":
        values[rng.random(values.shape) < 0.3] = NAN
    moves = group_moves(values, by=by, groups=groups)
    assert moves.freedom == pytest.approx((80 if grouped else 640) - 1)
    drawn = resampled([values], by=by, groups=groups).std(ddof=1)
    # the median's density is read off 640 values: a rougher estimate than the others
    within = 0.2 if "median" in by else 0.06
    assert np.sqrt(over_items(moves).variance) == pytest.approx(drawn, rel=within)


@pytest.mark.parametrize("by", ["mean", "ratio_of_sums", "sum_of_means"])
def test_moves_are_what_leaving_a_group_out_changes(by: str) -> None:
    rng = np.random.default_rng(3)
    values, groups = rng.random((60, 2)) + 1, np.repeat(np.arange(6), [30, 12, 8, 5, 4, 1])
    values = values[:, 0] if by == "mean" else values
    if by == "sum_of_means":
        values[rng.random(values.shape) < 0.3] = NAN
    moves = group_moves(values, by=by, groups=groups)
    whole = aggregate(values, by)
    without = [whole - aggregate(values[groups != g], by) for g in range(6)]
    np.testing.assert_allclose(moves.by_group, without, rtol=1e-9)
    assert moves.freedom == pytest.approx(60**2 / (900 + 144 + 64 + 25 + 16 + 1) - 1)


@pytest.mark.parametrize(
    "sizes", [[60, 30, 15, 8, 4, 2, 1, 1, 1, 1, 1, 1], [200] + [6] * 30, [18, 2]]
)
def test_groups_of_unequal_sizes_are_not_counted_as_equal_ones(sizes: list[int]) -> None:
    """An interval that takes each for as much as the others covers 67 to 86 % here."""
    rng, numbers = np.random.default_rng(6), np.repeat(np.arange(len(sizes)), sizes)
    held = 0
    for _ in range(400):
        errors = rng.normal(0, 1, len(sizes))[numbers] + rng.normal(0, 1, len(numbers))
        low, high = interval(errors.mean(), [over_items(group_moves(errors, groups=numbers))])
        held += low <= 0 <= high
    assert held / 400 > 0.92


def test_pairs_see_what_single_intervals_cannot() -> None:
    rng = np.random.default_rng(4)
    hard = rng.gamma(2, 5, 500)
    better = hard - 0.5 + rng.normal(0, 0.5, 500)
    one, other = group_moves(better), group_moves(hard)
    _, high = interval(float(better.mean() - hard.mean()), [over_items(one - other)])
    assert high < 0
    ends = [interval(float(x.mean()), [over_items(i)]) for x, i in ((better, one), (hard, other))]
    assert ends[0][1] > ends[1][0]


def test_one_wild_seed_is_no_difference_of_methods() -> None:
    calm, wild = [8.22, 8.47, 9.74], [10.0, 21.71, 12.04]
    assert p(-5.77, over_seeds(calm), over_seeds(wild)) > 0.2
    far = [20.0, 21.71, 22.04]
    assert p(np.mean(calm) - np.mean(far), over_seeds(calm), over_seeds(far)) < 0.01


SIDE = st.lists(st.floats(-100, 100), min_size=2, max_size=6)


@given(SIDE, SIDE, st.floats(0, 50), st.integers(2, 900))
@settings(deadline=None)
def test_the_p_value_is_the_level_at_which_the_interval_reaches_zero(
    first: list[float], second: list[float], variance: float, freedom: int
) -> None:
    sources = [over_seeds(first), over_seeds(second), Source(variance, float(freedom))]
    apart = float(np.mean(first) - np.mean(second))
    found = p(apart, *sources)
    assert p(-apart, *sources) == found
    if 1e-9 < found < 1 - 1e-9:
        low, high = interval(abs(apart), sources, level=1 - found)
        assert low == pytest.approx(0, abs=1e-5 * (high + 1))


def test_no_source_makes_another_surer() -> None:
    sources = [over_seeds([1.0, 2.0, 4.0]), Source(0.3, 68.0)]
    assert p(3.0, *sources) > max(p(3.0, sources[0]), p(3.0, sources[1]))


def test_equal_to_the_last_bit_is_no_sure_difference() -> None:
    apart = difference(0.3, 0.1 + 0.2)
    same = [over_seeds([0.3, 0.3]), over_seeds([0.1 + 0.2, 0.1 + 0.2])]
    assert 0.3 != 0.1 + 0.2
    assert (apart, p(apart, *same)) == (0.0, 1.0)
    assert p(difference(0.3, 0.4), *same) == 0.0


def test_false_differences_are_rare_in_the_far_tail() -> None:
    """Equal pairs, two seeds a side: at 0.5 % Welch's test with the items' variance added says yes to
    2 % of them."""
    rng = np.random.default_rng(5)
    sides = rng.normal(0, 1, (2, 20_000, 2))
    apart = sides[0].mean(1) - sides[1].mean(1) + rng.normal(0, 0.2, 20_000)
    items = Source(0.2**2, 300.0)
    sources = [[over_seeds(a), over_seeds(b), items] for a, b in zip(*sides, strict=True)]
    variances = sides.var(2, ddof=1) / 2
    error = variances.sum(0) + items.variance
    welch = 2 * stats.t.sf(np.abs(apart) / np.sqrt(error), error**2 / (variances**2).sum(0))
    assert np.mean(welch < 0.005) > 0.015
    # 0.5 % and three of its standard errors over 20,000
    assert np.mean(np.array(p_values(apart, sources)) < 0.005) <= 0.0065


@pytest.mark.parametrize("bad", [[1.0], []])
def test_one_seed_says_nothing_of_others(bad: list[float]) -> None:
    with pytest.raises(InvalidInput, match="fewer than two"):
        over_seeds(bad)


def test_one_group_says_nothing_of_others() -> None:
    with pytest.raises(InvalidInput, match="two groups"):
        over_items(group_moves(np.arange(4.0), groups=np.zeros(4, int)))


def test_without_a_source_nothing_is_claimed() -> None:
    assert interval(3.0, []) is None
    assert p_values(np.array([]), []) == []
    with pytest.raises(InvalidInput, match="how sure"):
        p_values(np.array([1.0]), [[]])


def test_groups_must_be_one_for_each_item() -> None:
    with pytest.raises(InvalidInput, match="groups"):
        group_moves(np.ones(3), groups=np.zeros(2, int))


def test_holm_against_numbers_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.5]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []
