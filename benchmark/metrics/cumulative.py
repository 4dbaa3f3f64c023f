"""How large a share of the items lies below a value: cumulative curves, and the area under them.

The smoothed curve is that of a Gaussian kernel density estimate with Scott's bandwidth, the sample's
standard deviation (divisor n − 1) times n^(−1/5), as `scipy.stats.gaussian_kde` has it by default. Where
all items are the same, or there is one, nothing is to be smoothed and it is the plain curve.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr

from benchmark.metrics import checks


def cumulative_share(values: Any, at: Any) -> np.ndarray:
    """Share of `values` (N,) that are not above each of `at` (M,); float64 (M,) in [0, 1].

    >>> cumulative_share([0.1, 0.2, 0.4], [0.0, 0.2, 1.0]).round(3)
    array([0.   , 0.667, 1.   ])
    """
    values, at = checks.arrays(values=(values, "N"), at=(at, "M"))
    return np.searchsorted(np.sort(values), at, side="right") / len(values)


def smoothed_share(values: Any, at: Any) -> np.ndarray:
    """`cumulative_share` after smoothing; float64 (M,). Kernels reach below 0 and above the largest.

    >>> smoothed_share([0.0, 1.0], [0.5]).round(6)
    array([0.5])
    """
    values, at = checks.arrays(values=(values, "N"), at=(at, "M"))
    width = scott_bandwidth(values)
    if width == 0:
        return cumulative_share(values, at)
    return np.array([ndtr((point - values) / width).mean() for point in at])


def area_below(values: Any, limit: float = 1.0) -> np.ndarray:
    """Each item's part in the area under the cumulative curve from 0 to `limit`, over `limit`; (N,).

    That is 1 − value / limit, and 0 beyond the limit; the mean over items is the area, 1 at best.
    For values (N,) that are not negative. Source: own definition.

    >>> area_below([0.0, 0.25, 3.0])
    array([1.  , 0.75, 0.  ])
    """
    (values,) = checks.arrays(values=(values, "N"))
    return 1 - np.clip(values, 0, limit) / limit


def smoothed_area_below(values: Any, limit: float = 1.0) -> float:
    """Area under the smoothed curve of values (N,) from 0 to `limit`, over `limit`.

    Exact, not a sum over a grid. Source: own definition.

    >>> round(smoothed_area_below([0.0, 0.0, 0.5, 0.5]), 3)
    0.706
    """
    (values,) = checks.arrays(values=(values, "N"))
    width = scott_bandwidth(values)
    if width == 0:
        return float(area_below(values, limit).mean())
    high, low = (limit - values) / width, -values / width
    return float(width * (_antiderivative(high) - _antiderivative(low)).mean() / limit)


def scott_bandwidth(values: np.ndarray) -> float:
    """Standard deviation of the Gaussian kernels for `values` (N,).

    >>> round(scott_bandwidth(np.array([0.0, 0.0, 2.0, 2.0])), 4)
    0.8751
    """
    if len(values) < 2 or values.min() == values.max():
        return 0.0
    return float(values.std(ddof=1) * len(values) ** -0.2)


def _antiderivative(z: np.ndarray) -> np.ndarray:
    """An antiderivative of the normal distribution function: zΦ(z) + φ(z)."""
    area: np.ndarray = z * ndtr(z) + np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    return area
