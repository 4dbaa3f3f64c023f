"""How sure a number is: bootstrap intervals over test items, alone and paired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.aggregates import AGGREGATES, checked

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


def _seeds(side: np.ndarray | Sequence[np.ndarray]) -> list[np.ndarray]:
    return [side] if isinstance(side, np.ndarray) else list(side)


def _resampled(per_item: np.ndarray, by: str, draws: int, seed: int) -> np.ndarray:
    """The aggregate of each draw; NaN where a draw left a column without a value."""
    if by == "single":
        raise InvalidInput("a single value has no items to draw")
    values = checked(per_item, by)
    if by == "mean":
        return np.concatenate([values[rows].mean(1) for rows in _draws(len(values), draws, seed)])
    with np.errstate(invalid="ignore", divide="ignore"):
        chunks = _draws(len(values), draws, seed)
        return np.array([AGGREGATES[by](values[row]) for rows in chunks for row in rows])


def _quantiles(drawn: np.ndarray, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    low, high = np.quantile(drawn[np.isfinite(drawn)], [tail, 1 - tail])
    return float(low), float(high)


def _draws(items: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Index rows in chunks, so that 2,000 draws of a large set do not fill the memory.

    The numbers come from one stream row by row, so the chunk size does not change them.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    chunk = max(1, CHUNK_BYTES // (8 * items))
    for first in range(0, draws, chunk):
        yield rng.integers(0, items, (min(chunk, draws - first), items))
