"""How the values kept per item become the one number that is reported."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.metrics.pose import upper_median

Array = np.ndarray


def mean(values: Array) -> float:
    """Mean of a vector (N,).

    >>> mean(np.array([1.0, 2.0, 6.0]))
    3.0
    """
    return float(values.mean(dtype=np.float64))


def median(values: Array) -> float:
    """Median of a vector (N,); of an even number, the mean of the middle two.

    >>> median(np.array([1.0, 4.0, 2.0, 9.0]))
    3.0
    """
    return float(np.median(values))


def sum_of_means(values: Array) -> float:
    """Sum over columns of the mean of each; rows (N, M) may hold NaN where an item has no value.

    >>> sum_of_means(np.array([[1.0, 4.0], [3.0, np.nan]]))
    6.0
    """
    there = ~np.isnan(values)
    return float((np.where(there, values, 0).sum(0) / there.sum(0)).sum())


def ratio_of_sums(values: Array) -> float:
    """Sum of the first column over the sum of the second (N, 2), in percent.

    >>> ratio_of_sums(np.array([[1.0, 2.0], [2.0, 2.0]]))
    75.0
    """
    top, bottom = values.sum(0)
    return float(100 * top / bottom)


def single(values: Array) -> float:
    """The value (1,) itself: of a metric that exists for all items together alone.

    >>> single(np.array([83.0]))
    83.0
    """
    return float(values[0])


AGGREGATES: dict[str, Callable[[Array], float]] = {
    "mean": mean,
    "median": median,
    "upper_median": upper_median,
    "sum_of_means": sum_of_means,
    "ratio_of_sums": ratio_of_sums,
    "single": single,
}


def _means(values: Array, weights: Array) -> Array:
    means: Array = (weights @ values).T / weights.sum(1)
    return means.T


def _sums_of_means(values: Array, weights: Array) -> Array:
    there = ~np.isnan(values)
    means: Array = (weights @ np.where(there, values, 0)) / (weights @ there.astype(np.float64))
    return means.sum(1)


def _ratios_of_sums(values: Array, weights: Array) -> Array:
    top, bottom = (weights @ values).T
    ratios: Array = 100 * top / bottom
    return ratios


def _at_ranks(values: Array, weights: Array, *numerators: int) -> Array:
    """The mean of the elements of rank (n − 1 + numerator) // 2 of n, counted from 0."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[:, order], axis=1)
    ranks = [(reached[:, -1].astype(np.int64) - 1 + one) // 2 for one in numerators]
    found = [values[order][(reached <= rank[:, None]).sum(1)] for rank in ranks]
    middle: Array = np.mean(found, axis=0)
    return middle


OF_WEIGHTS: dict[str, Callable[[Array, Array], Array]] = {
    "mean": _means,
    "median": lambda values, weights: _at_ranks(values, weights, 0, 1),
    "upper_median": lambda values, weights: _at_ranks(values, weights, 1),
    "sum_of_means": _sums_of_means,
    "ratio_of_sums": _ratios_of_sums,
}
"""The same where items count several times or not at all: values (N,) or (N, M) and whole weights
(D, N) to (D,).

Example: `OF_WEIGHTS["median"]` of [1, 4, 2] with the weights [[1, 1, 1], [0, 2, 1]] is [2, 4].
"""


def by_item(values: Array, name: str = "mean") -> Array:
    """What each item alone says of the number, (N,) in its unit; NaN for an item that says nothing.

    Where the aggregate reads columns, that is the number if all items were like this one: for
    sum_of_means the mean over the columns that have a value, times their number. Empty for "single",
    which has no items.

    >>> by_item(np.array([[1.0, 4.0], [3.0, np.nan]]), "sum_of_means")
    array([5., 6.])
    >>> by_item(np.array([[1.0, 2.0], [0.0, 0.0]]), "ratio_of_sums")
    array([50., nan])
    """
    array = np.asarray(values, np.float64)
    if name == "single":
        return np.empty(0)
    if name == "sum_of_means":
        there = ~np.isnan(array)
        top, bottom = array.shape[1] * np.where(there, array, 0).sum(1), there.sum(1)
    elif name == "ratio_of_sums":
        top, bottom = 100 * array[:, 0], array[:, 1]
    else:
        return array
    return np.divide(top, bottom, out=np.full(len(array), np.nan), where=bottom != 0)


def aggregate(values: Array, name: str = "mean") -> float:
    """The reported number of per-item `values`: (N,), or (N, M) where the aggregate reads columns.

    Raises `UnknownName`, and `InvalidInput` for another shape, no items, values that are not finite
    (NaN says "no value" to sum_of_means) or a column without any value.

    >>> aggregate(np.array([1.0, 4.0, 2.0, 3.0]), "upper_median")
    3.0
    """
    array = checked(values, name)
    return AGGREGATES[name](array)


def checked(values: Array, name: str) -> Array:
    """`values` as float64, fit for that aggregate; errors as `aggregate`.

    >>> checked(np.array([1, 2]), "mean")
    array([1., 2.])
    """
    if name not in AGGREGATES:
        raise UnknownName("aggregate", name, AGGREGATES)
    array = np.asarray(values, np.float64)
    dimensions = 2 if name in ("sum_of_means", "ratio_of_sums") else 1
    shaped = array.ndim == dimensions and array.size > 0
    if name == "single":
        shaped = shaped and len(array) == 1
    if name == "ratio_of_sums":
        shaped = shaped and array.shape[1] == 2
    if not shaped:
        raise InvalidInput(f"per-item values of aggregate {name!r} have shape {array.shape}")
    missing = np.isnan(array) if name == "sum_of_means" else np.zeros(array.shape, bool)
    broken = ~np.isfinite(array) & ~missing
    if broken.any():
        raise InvalidInput(f"per-item values hold {int(broken.sum())} NaN or infinity")
    if missing.all(0).any():
        raise InvalidInput("a column of per-item values has no value at all")
    return array
