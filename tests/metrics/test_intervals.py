"""Bootstrap intervals: they hold the mean, shrink with items, draw groups whole, fit into memory."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import intervals
from benchmark.metrics.intervals import bootstrap_interval, interval_of, resampled


def test_the_interval_is_that_of_the_normal_theory_for_many_items() -> None:
    errors = np.random.default_rng(0).normal(6.0, 3.0, 4000)
    low, high = bootstrap_interval(errors)
    half = 1.96 * errors.std(ddof=1) / np.sqrt(len(errors))
    assert low == pytest.approx(errors.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(errors.mean() + half, abs=0.1 * half)


def test_the_draws_are_those_of_a_plain_loop() -> None:
    errors = np.random.default_rng(1).random(57)
    rows = np.random.Generator(np.random.PCG64(0)).integers(0, 57, (2000, 57))
    wanted = np.quantile([errors[row].mean() for row in rows], [0.025, 0.975])
    assert bootstrap_interval(errors) == pytest.approx(tuple(wanted), rel=1e-12)


def test_groups_are_drawn_whole() -> None:
    errors, groups = np.array([1.0, 2.0, 9.0, 4.0, 4.0]), np.array([0, 0, 1, 2, 2])
    rows = np.random.Generator(np.random.PCG64(0)).integers(0, 3, (2000, 3))
    members = [errors[groups == g] for g in range(3)]
    wanted = [np.concatenate([members[g] for g in row]).mean() for row in rows]
    found = resampled([errors], groups=groups)[:, 0]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    alone = np.arange(5)
    assert bootstrap_interval(errors, groups=alone) == bootstrap_interval(errors)


def test_alike_items_widen_the_interval() -> None:
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(40), 20)
    errors = rng.normal(8, 2, 40)[groups] + rng.normal(0, 1, 800)
    alone, together = (np.ptp(bootstrap_interval(errors, groups=g)) for g in (None, groups))
    assert together > 3 * alone


def test_chunks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = [np.random.default_rng(4).random(57)] * 2
    whole = resampled(columns)
    monkeypatch.setattr(intervals, "CHUNK_BYTES", 8 * 57 * 3)
    np.testing.assert_allclose(resampled(columns), whole, rtol=1e-12)


@pytest.mark.parametrize("bad", [[], [[1.0]], [1.0, float("nan")]])
def test_bad_errors_are_refused(bad: list) -> None:
    with pytest.raises(InvalidInput):
        bootstrap_interval(np.array(bad))


def test_pairs_must_be_pairs() -> None:
    with pytest.raises(InvalidInput, match="differ in number"):
        resampled([np.ones(3), np.ones(4)])


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
