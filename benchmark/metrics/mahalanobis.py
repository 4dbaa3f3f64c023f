"""How far features lie from the Gaussian of others, each on its own: the Mahalanobis distance."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks
from benchmark.metrics.frechet import FeatureMoments

ROWS = 4096  # of features in memory as float64 at a time


class Distances(NamedTuple):
    """`distances` float64 (M,), in spreads of the reals, and by how much their covariance was shrunk."""

    distances: np.ndarray
    shrinkage: float


def mahalanobis(real: Any, fake: Any) -> Distances:
    """The root of (x − m)ᵀ S⁻¹ (x − m) of each row x of `fake`; m and S are those of the rows of `real`.

    real: (N, D), fake: (M, D), any float dtype. S is divided by N − 1. Where it has no inverse, as with
    fewer rows than dimensions or a feature that never changes, it is shrunk towards equal variances of
    all directions, by as much as the rule of Ledoit and Wolf says: a pseudo-inverse would not see what
    the reals never do, and that is what far ones are looked for by. Computed in float64 on the device of
    the first tensor. Raises `InvalidInput` for bad shapes, NaN, fewer than two reals, and reals that are
    all alike.

    Source: Mahalanobis 1936; Ledoit and Wolf 2004, J. Multivariate Analysis 88 (the shrinkage).

    >>> real = [[-1.0, -2.0], [-1.0, 2.0], [1.0, -2.0], [1.0, 2.0]]      # variances 4/3 and 16/3
    >>> mahalanobis(real, [[0.0, 4.0], [4.0, 0.0]]).distances.round(3)
    array([1.732, 3.464])
    """
    real, fake = checks.features(real=(real, "N D"), fake=(fake, "M D"))
    if len(real) < 2:
        raise InvalidInput("real: a covariance needs at least two features, got 1")
    moments = FeatureMoments(real.shape[1])
    for some in real.split(ROWS):
        moments.update(some)
    mean, covariance = (
        torch.from_numpy(of).to(real.device) for of in (moments.mean, moments.covariance())
    )
    variances, directions = torch.linalg.eigh(covariance)
    if variances[-1] <= 0:
        raise InvalidInput(f"real: all {len(real)} features are alike, so nothing can be far")
    shrinkage = 0.0
    if variances[0] <= variances[-1] * len(variances) * torch.finfo(torch.float64).eps:
        shrinkage = _shrinkage(real, mean, variances * (len(real) - 1) / len(real))
        variances = (1 - shrinkage) * variances.clamp(min=0) + shrinkage * variances.mean()
    found = [
        ((some.double() - mean) @ directions).square().div_(variances).sum(dim=1).sqrt()
        for some in fake.split(ROWS)
    ]
    return Distances(torch.cat(found).cpu().numpy(), shrinkage)


def _shrinkage(real: torch.Tensor, mean: torch.Tensor, variances: torch.Tensor) -> float:
    """By how much the covariance of rows (N, D), of these variances (D,), is best shrunk: (0, 1]."""
    count = len(real)
    lengths = [(some.double() - mean).square().sum(dim=1) for some in real.split(ROWS)]
    scattered = variances.square().sum()
    error = (torch.cat(lengths).square().mean() - scattered) / count
    spread = (variances - variances.mean()).square().sum()
    # rows on one line, all as long, leave no error to estimate and would leave no inverse either
    return float((error / spread).clamp(1 / count, 1)) if spread > 0 else 1.0
