"""How sure a number is, and a difference: seeds and groups of test items as sources of error.

One construction serves a row of a board, a difference of two rows, and a rank. A number is a mean over
seeds of an aggregate over items. Each source of error is a `Source` with its variance and the degrees
of freedom that variance is known with: the spread over seeds has S − 1; the spread over groups of items
(the frames of one person, say), found by leaving one after the other out, G − 1 if they are of one size.
An interval adds the sources as Banerjee did, half² = Σ t²(ν) · variance. For normal errors that covers
at least what it says, whatever the variances; so do p-values, however small, and with them Holm's
correction. Where errors are far from normal it covers less: `perf/certainty.py` says how much.

Sources: Banerjee 1961 (Sankhya A 23); the jackknife over clusters: Bell and McCaffrey 2002.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.aggregates import aggregate, checked

ROUNDING = 1e-9
"""A difference below this share of the values is rounding. Example: 0.3 − (0.1 + 0.2) is none."""


@dataclass(frozen=True)
class Source:
    """An independent source of error in a number: its variance, in the number's unit squared, and the
    degrees of freedom with which that variance is known."""

    variance: float
    freedom: float


def over_seeds(values: Sequence[float] | np.ndarray) -> Source:
    """What other seeds would change of the mean of `values` (S,), one for each seed, S ≥ 2.

    >>> over_seeds([8.0, 9.0, 10.0])
    Source(variance=0.3333333333333333, freedom=2.0)
    """
    numbers = np.asarray(values, np.float64)
    if numbers.ndim != 1 or len(numbers) < 2:
        raise InvalidInput("what seeds change can't be told from fewer than two")
    return Source(float(numbers.var(ddof=1)) / len(numbers), float(len(numbers) - 1))


@dataclass(frozen=True)
class Moves:
    """How a number moves where one group of test items after the other is left out, float64 (G,), and
    the degrees of freedom that so many groups of such sizes give."""

    by_group: np.ndarray
    freedom: float

    def __sub__(self, other: Moves) -> Moves:
        """Those of the difference of two numbers over the same items."""
        return Moves(self.by_group - other.by_group, self.freedom)


def over_items(moves: Moves) -> Source:
    """What other groups of items would change of a number, by the jackknife over groups.

    >>> over_items(Moves(np.array([-1.0, 1.0]), 1.0))
    Source(variance=1.0, freedom=1.0)
    """
    count = len(moves.by_group)
    variance = (count - 1) / count * float((moves.by_group**2).sum())
    return Source(variance, moves.freedom)


def group_moves(
    per_item: np.ndarray, *, by: str = "mean", groups: np.ndarray | None = None
) -> Moves:
    """By how much an aggregate exceeds what it is without each group of items.

    per_item: (N,) or (N, M), as the aggregate `by` reads them. groups: (N,) whole numbers from 0, equal
    within a group; None takes each item for a group of its own. Groups of one size G times have G − 1
    degrees of freedom, others as many as their sizes are worth: N² / Σ n² − 1, at least 1. Of medians
    the move is to first order. A column whose values all lie in one group moves nothing: how sure it
    is can't be told. Raises `InvalidInput` for fewer than two groups, where `groups` are not one for
    each item, and as `benchmark.metrics.aggregates.checked`.

    >>> group_moves(np.array([1.0, 2.0, 6.0]), groups=np.array([0, 0, 1]))
    Moves(by_group=array([-3. ,  1.5]), freedom=1.0)
    """
    values = checked(per_item, by)
    if by == "single":
        raise InvalidInput("a single value has no items")
    numbers = np.arange(len(values)) if groups is None else groups
    if numbers.shape != (len(values),):
        raise InvalidInput(f"groups of shape {numbers.shape} for {len(values)} items")
    sizes = np.bincount(numbers).astype(np.float64)
    if len(sizes) < 2:
        raise InvalidInput("what items change can't be told from fewer than two groups")
    freedom = max(1.0, float(sizes.sum() ** 2 / (sizes**2).sum() - 1))
    return Moves(_moves(values, by, numbers, sizes), freedom)


def interval(
    value: float, sources: Sequence[Source], level: float = 0.95
) -> tuple[float, float] | None:
    """The interval of a number that these sources make unsure; None where there is no source.

    >>> low, high = interval(8.5, [over_seeds([8.0, 8.5, 9.0]), Source(0.01, 68.0)])
    >>> round(low, 2), round(high, 2)
    (7.24, 9.76)
    """
    if not sources:
        return None
    quantile = special.stdtrit([s.freedom for s in sources], (1 + level) / 2)
    half = float(np.sqrt((quantile**2 * [s.variance for s in sources]).sum()))
    return value - half, value + half


def p_values(differences: np.ndarray, sources: Sequence[Sequence[Source]]) -> list[float]:
    """Two-sided p-values of "no difference" (P,): the levels at which the intervals would just reach 0.

    `sources` are those of each difference. They are right to 1e-9 of themselves down to 1e-12; what is
    below is 1e-14. A difference without any variance is sure, p = 0; no difference has p = 1. Raises
    `InvalidInput` where a difference has no source of error to ask.

    Example: means of 8.81 and 14.58 are 5.77 apart, but one seed makes most of it.

    >>> seeds = [over_seeds([8.22, 8.47, 9.74]), over_seeds([10.00, 21.71, 12.04])]
    >>> [round(p, 2) for p in p_values(np.array([5.77, 0.0]), [seeds, seeds])]
    [0.25, 1.0]
    """
    if not all(sources):
        raise InvalidInput("nothing is known of how sure a difference is")
    if not sources:
        return []
    most = max(map(len, sources))
    padded = [[*some, *[Source(0.0, 1.0)] * (most - len(some))] for some in sources]
    table = np.array([[(s.variance, s.freedom) for s in some] for some in padded])
    variances, freedoms = table[..., 0], table[..., 1]
    square = np.asarray(differences, np.float64) ** 2
    low, high = np.full(len(square), np.log(1e-14)), np.zeros(len(square))
    for _ in range(46):  # 32 halved so often is below 1e-12
        middle = (low + high) / 2
        quantile = special.stdtrit(freedoms, np.exp(middle)[:, None] / 2)
        reaches = (quantile**2 * variances).sum(1) >= square
        low, high = np.where(reaches, middle, low), np.where(reaches, high, middle)
    found = np.where(variances.sum(1) > 0, np.exp((low + high) / 2), 0.0)
    return [float(p) for p in np.where(square == 0, 1.0, found)]


def difference(first: float, second: float) -> float:
    """first − second, and exactly 0 where they are equal to all digits that mean something.

    >>> difference(0.3, 0.1 + 0.2), difference(0.5, 0.25)
    (0.0, 0.25)
    """
    apart = first - second
    return 0.0 if abs(apart) <= ROUNDING * max(abs(first), abs(second)) else apart


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: (P,) p-values that may be held against 0.05 together.

    Source: Holm 1979.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    adjusted, worst = np.empty(len(p_values)), 0.0
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = worst
    return [float(p) for p in adjusted]


def _moves(values: np.ndarray, by: str, groups: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    def totals(column: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.bincount(groups, column, minlength=len(sizes))
        return found

    if by == "mean":
        return values.mean() - (values.sum() - totals(values)) / (len(values) - sizes)
    if by == "sum_of_means":
        return sum((_column_moves(totals, column) for column in values.T), np.zeros(len(sizes)))
    if by == "ratio_of_sums":
        top, bottom = (column.sum() - totals(column) for column in values.T)
        with np.errstate(invalid="ignore", divide="ignore"):
            moves = aggregate(values, by) - 100 * top / bottom
        return np.where(np.isfinite(moves), moves, 0)
    share = sizes / len(values)
    return totals(_of_median(values, aggregate(values, by))) / (1 - share)


def _column_moves(totals: Callable[[np.ndarray], np.ndarray], column: np.ndarray) -> np.ndarray:
    """Of the mean of a column in which NaN is no value."""
    there = ~np.isnan(column)
    known = np.where(there, column, 0)
    counts = there.sum() - totals(there.astype(np.float64))
    left = (known.sum() - totals(known)) / np.maximum(counts, 1)
    return np.where(counts > 0, known.sum() / there.sum() - left, 0)


def _of_median(values: np.ndarray, middle: float) -> np.ndarray:
    """The influence of each item on a median: its side of the middle, over the density there, which is
    read off between two quantiles (Hall and Sheather 1988)."""
    width = min(0.97 * len(values) ** (-1 / 3), 0.5)
    low, high = np.quantile(values, [0.5 - width, 0.5 + width])
    side = np.sign(values - middle)
    pulled: np.ndarray = (side - side.mean()) / 2 * (high - low) / (2 * width) / len(values)
    return pulled
