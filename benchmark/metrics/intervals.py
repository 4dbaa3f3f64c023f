"""How sure a number is: bootstrap intervals over test items and seeds, alone and paired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import stats

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.aggregates import OF_DRAWS, checked

DRAWS = 2000
CHUNK_BYTES = 32 * 2**20


def bootstrap_interval(
    per_item: np.ndarray,
    *,
    by: str = "mean",
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of an aggregate of per-item values (N,) or (N, M), float64.

    Items (rows) are drawn with replacement by NumPy's PCG64, so the interval is the same everywhere.
    `by` names the aggregate (`benchmark.metrics.aggregates`); "single" has no items to draw, and is
    refused. Source: Efron 1979. Example: N = 857 errors with mean 6.0 and standard deviation 3.0
    give about (5.80, 6.20).
    """
    return _quantiles(_resampled(per_item, by, draws, seed), level)


def paired_interval(
    first: np.ndarray | Sequence[np.ndarray],
    second: np.ndarray | Sequence[np.ndarray],
    *,
    by: str = "mean",
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of first − second over the same items, in pairs.

    Either side may be a list of arrays, one per seed, whose aggregates are averaged. An interval
    that excludes zero says that the two differ on items like these. Errors: different numbers of
    items are refused.

    >>> errors = np.arange(10.0)
    >>> paired_interval(2 * errors, 2 * errors)
    (0.0, 0.0)
    """
    one, other = _seeds(first), _seeds(second)
    items = {len(values) for values in (*one, *other)}
    if len(items) != 1:
        raise InvalidInput(f"paired items differ in number: {' and '.join(map(str, items))}")
    mine, theirs = (
        np.mean([_resampled(values, by, draws, seed) for values in side], axis=0)
        for side in (one, other)
    )
    return _quantiles(mine - theirs, level)


def resampled(columns: Sequence[np.ndarray], *, by: str = "mean", seed: int = 0) -> np.ndarray:
    """Aggregates of `DRAWS` draws of the same items, float64 (DRAWS, R), for R arrays of N items.

    The draws are those of `bootstrap_interval`; means of many arrays come from one product.
    Example: 20 records with 857 errors each give (2000, 20).
    """
    items = {len(values) for values in columns}
    if len(items) != 1:
        raise InvalidInput(f"paired items differ in number: {' and '.join(map(str, items))}")
    if by != "mean":
        return np.stack([_resampled(values, by, DRAWS, seed) for values in columns], axis=1)
    matrix = np.stack([checked(values, by) for values in columns], axis=1)
    parts = []
    for rows in _draws(len(matrix), DRAWS, seed):
        flat = rows + np.arange(len(rows))[:, None] * len(matrix)
        counts = np.bincount(flat.ravel(), minlength=len(rows) * len(matrix))
        parts.append(counts.reshape(len(rows), -1) @ matrix / len(matrix))
    return np.concatenate(parts)


def interval_of(drawn: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of drawn values (DRAWS,); those that are not finite are left out.

    >>> interval_of(np.linspace(0, 1, 101), level=0.5)
    (0.25, 0.75)
    """
    return _quantiles(drawn, level)


def hierarchical_interval(drawn: np.ndarray, *, seed: int = 0) -> tuple[float, float]:
    """95 % interval over seeds and items: each draw takes S of the S seeds with replacement.

    `drawn` (DRAWS, S) holds each seed's aggregate for each draw of items (`resampled`). With few
    seeds it is narrower than a t-interval over them, which stands beside it on the boards.

    >>> hierarchical_interval(np.full((2000, 3), 7.0))
    (7.0, 7.0)
    """
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    chosen = rng.integers(0, drawn.shape[1], drawn.shape)
    return _quantiles(np.take_along_axis(drawn, chosen, axis=1).mean(1), 0.95)


def difference_over_seeds(
    first: Sequence[float], second: Sequence[float], items: float = 0.0
) -> tuple[tuple[float, float], float]:
    """95 % interval and p-value of first − second, each a mean over seeds on the same test items.

    `first` (S,) and `second` (T,) hold one value a seed, in the metric's unit; `items` is the variance
    of the paired difference over drawn items (`resampled`), which both sides share. This is Welch's
    t-test with that variance as a third part, known without error. Items alone say whether the trained
    networks differ; this says whether methods do, as far as so few seeds can tell. Raises
    `InvalidInput` for a side with fewer than two seeds. Source: Welch 1947, Satterthwaite 1946.

    Example: 8.81 and 14.58 differ by 5.77, which items alone find beyond doubt; but one seed of the
    second makes most of it, and two more seeds of either side took it away.

    >>> interval, p = difference_over_seeds([8.22, 8.47, 9.74], [10.00, 21.71, 12.04])
    >>> [round(end, 1) for end in interval], round(p, 2)
    ([-21.0, 9.4], 0.25)
    """
    sides = [np.asarray(side, dtype=np.float64) for side in (first, second)]
    if min(len(side) for side in sides) < 2:
        raise InvalidInput("a difference over seeds needs two seeds or more on each side")
    difference = float(sides[0].mean() - sides[1].mean())
    parts = [float(side.var(ddof=1)) / len(side) for side in sides]
    error = float(np.sqrt(sum(parts) + items))
    if error == 0:
        return (difference, difference), float(difference == 0)
    loose = sum(part**2 / (len(side) - 1) for part, side in zip(parts, sides, strict=True))
    freedom = error**4 / loose if loose else np.inf
    half = float(stats.t.ppf(0.975, freedom)) * error
    p = 2 * float(stats.t.sf(abs(difference) / error, freedom))
    return (difference - half, difference + half), p


def two_sided_p(drawn: np.ndarray) -> float:
    """Bootstrap p-value of "no difference" from drawn differences (DRAWS,), never 0.

    Twice the smaller share of draws on either side of zero, one draw added to each; its smallest
    value is 2 / (DRAWS + 1).

    >>> two_sided_p(np.array([-1.0, 1.0, -2.0, 2.0]))
    1.0
    """
    sides = [((drawn <= 0).sum() + 1), ((drawn >= 0).sum() + 1)]
    return float(min(1.0, 2 * min(sides) / (len(drawn) + 1)))


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


def _seeds(side: np.ndarray | Sequence[np.ndarray]) -> list[np.ndarray]:
    return [side] if isinstance(side, np.ndarray) else list(side)


def _resampled(per_item: np.ndarray, by: str, draws: int, seed: int) -> np.ndarray:
    """The aggregate of each draw; NaN where a draw left a column without a value."""
    if by == "single":
        raise InvalidInput("a single value has no items to draw")
    values = checked(per_item, by)
    with np.errstate(invalid="ignore", divide="ignore"):
        chunks = _draws(len(values), draws, seed, values[0].size)
        return np.concatenate([OF_DRAWS[by](values[rows]) for rows in chunks])


def _quantiles(drawn: np.ndarray, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    low, high = np.quantile(drawn[np.isfinite(drawn)], [tail, 1 - tail])
    return float(low), float(high)


def _draws(items: int, draws: int, seed: int, width: int = 1) -> Iterator[np.ndarray]:
    """Index rows in chunks, so that 2,000 draws of a large set, `width` values each, do not fill the
    memory.

    The numbers come from one stream row by row, so the chunk size does not change them.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    chunk = max(1, CHUNK_BYTES // (8 * items * width))
    for first in range(0, draws, chunk):
        yield rng.integers(0, items, (min(chunk, draws - first), items))
