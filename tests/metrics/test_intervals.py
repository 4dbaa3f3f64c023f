"""Bootstrap intervals: they hold the mean, shrink with items, and do not depend on memory."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import intervals
from benchmark.metrics.intervals import bootstrap_interval, paired_interval


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
