"""Kernel distance (KID): squared maximum mean discrepancy of two sets of features."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks

ROWS = 4096  # of a kernel matrix at a time, so that full samples of any size fit in memory


def kernel_distance(
    real: Any, fake: Any, subset_size: int = 1000, subsets: int = 100, seed: int = 2020
) -> np.ndarray:
    """KID of each random subset, float64 (subsets,); their mean is the score.

    real: (N, D), fake: (M, D), any float dtype. Each subset draws `subset_size` rows of fake, then
    as many of real, without replacement, from NumPy's RandomState(seed), in the order in which
    torch-fidelity draws them when the fakes are its first input. Values are not multiplied by
    1000, have no unit, and may be slightly negative. The spread over subsets is that of the draw,
    not of the whole metric. Raises `InvalidInput` for bad shapes, NaN, and subsets larger than the
    samples or smaller than 2.

    Source: Bińkowski et al. 2018; toshas/torch-fidelity 0.4.0 metric_kid.py, in float64.

    >>> real, fake = np.eye(4), np.eye(4) + 1.0
    >>> kernel_distance(real, fake, subset_size=4, subsets=2).round(6)
    array([12.007812, 12.007812])
    """
    real, fake = checks.tensors(real=(real, "N D"), fake=(fake, "M D"))
    if subsets < 1 or subset_size < 2:
        raise InvalidInput(f"expected subsets of 2 rows or more, got {subsets} of {subset_size}")
    if subset_size > min(len(real), len(fake)):
        raise InvalidInput(
            f"subset_size: {subset_size} exceeds the {len(real)} real or {len(fake)} fake features",
            cure="score more images, or name a smaller subset size in the protocol",
        )
    rng = np.random.RandomState(seed)

    def draw(features: torch.Tensor) -> torch.Tensor:
        rows = rng.choice(len(features), subset_size, replace=False)
        return features[torch.from_numpy(rows).to(features.device)]

    values = []
    for _ in range(subsets):
        some_fake = draw(fake)
        values.append(polynomial_mmd(draw(real), some_fake))
    return np.array(values)


def polynomial_mmd(real: Any, fake: Any, unbiased: bool = True) -> float:
    """Squared MMD of all features under the kernel (x·y / D + 1)³.

    real: (N, D), fake: (M, D), any float dtype. Unbiased leaves out the pairs of a feature with
    itself: sums over N (N - 1), M (M - 1) and all N M pairs; biased divides by N², M² and N M, and
    is never negative. Raises `InvalidInput` for bad shapes, NaN, and (unbiased) fewer than 2 rows.

    Source: Gretton et al. 2012, eq. 3 and 5; kernel of Bińkowski et al. 2018.

    >>> polynomial_mmd([[1.0], [1.0]], [[0.0], [0.0]])         # 2³ + 1³ - 2 · 1³
    7.0
    """
    real, fake = checks.tensors(real=(real, "N D"), fake=(fake, "M D"))
    n, m = len(real), len(fake)
    own = 1 if unbiased else 0
    if min(n, m) <= own:
        raise InvalidInput(f"expected at least 2 rows each, got {n} real and {m} fake")
    within_real = (_kernel_sum(real, real) - own * _kernel_diagonal(real)) / (n * (n - own))
    within_fake = (_kernel_sum(fake, fake) - own * _kernel_diagonal(fake)) / (m * (m - own))
    return within_real + within_fake - 2 * _kernel_sum(real, fake) / (n * m)


def _kernel_sum(a: torch.Tensor, b: torch.Tensor) -> float:
    return sum(float(_cube(rows @ b.T, b).sum()) for rows in a.split(ROWS))


def _kernel_diagonal(a: torch.Tensor) -> float:
    return float(_cube(a.square().sum(dim=1), a).sum())


def _cube(products: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    shifted = products.div_(features.shape[1]).add_(1)
    return shifted * shifted * shifted  # `pow(3)` takes several times as long
