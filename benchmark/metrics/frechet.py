"""Fréchet distance between two sets of features, each taken as a Gaussian.

|m1 - m2|² + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2). With any factors S1 = A Aᵀ and S2 = B Bᵀ the last
trace is the sum of the singular values of Aᵀ B. That needs no square root of a matrix product, so
it holds its digits where covariances are singular (fewer samples than dimensions), and no part of
it can turn imaginary.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks


class FeatureMoments:
    """Mean and covariance of features that arrive in batches, in float64 on their own device.

    Deviations are taken from the running mean (Chan et al. 1979), never as a difference of raw
    moments, so a mean that is large against the spread costs no digits.

    >>> moments = FeatureMoments(2)
    >>> moments.update([[0.0, 10.0], [2.0, 10.0]])
    >>> moments.update([[4.0, 16.0]])
    >>> moments.count, moments.mean, moments.covariance()
    (3, array([ 2., 12.]), array([[ 4.,  6.],
           [ 6., 12.]]))
    """

    def __init__(self, dimensions: int) -> None:
        self.count = 0
        self._mean = torch.zeros(dimensions, dtype=torch.float64)
        self._scatter = torch.zeros(dimensions, dimensions, dtype=torch.float64)

    def update(self, features: Any) -> None:
        """Take in features (B, D), any float dtype. Raises `InvalidInput` for bad shapes or NaN."""
        (features,) = checks.tensors(features=(features, f"B {len(self._mean)}"))
        mean = features.mean(dim=0)
        centred = features - mean
        self._add(len(features), mean, centred.T @ centred)

    def merge(self, other: FeatureMoments) -> None:
        """Take in what another has seen, for features computed in several processes."""
        if len(other._mean) != len(self._mean):
            raise InvalidInput(
                f"moments of {len(other._mean)} dimensions do not fit {len(self._mean)}"
            )
        if other.count:
            self._add(other.count, other._mean, other._scatter)

    @property
    def mean(self) -> np.ndarray:
        """float64 (D,)."""
        self._require(1)
        return self._mean.cpu().numpy().copy()

    def covariance(self, ddof: int = 1) -> np.ndarray:
        """float64 (D, D), divided by count - ddof."""
        self._require(1 + ddof)
        return (self._scatter / (self.count - ddof)).cpu().numpy()

    def _add(self, count: int, mean: torch.Tensor, scatter: torch.Tensor) -> None:
        total = self.count + count
        own_mean, own_scatter = self._mean.to(mean.device), self._scatter.to(mean.device)
        step = mean - own_mean
        self._scatter = own_scatter + scatter + torch.outer(step, step) * self.count * count / total
        self._mean = own_mean + step * (count / total)
        self.count = total

    def _require(self, count: int) -> None:
        if self.count < count:
            raise InvalidInput(f"moments: expected at least {count} features, got {self.count}")


def frechet_distance(mean1: Any, cov1: Any, mean2: Any, cov2: Any) -> float:
    """Fréchet distance between two Gaussians, in squared units of the features; 0 when equal.

    mean1, mean2: (D,). cov1, cov2: (D, D), symmetric without negative eigenvalues, of any rank.
    Computed in float64 on the device of the first tensor. Raises `InvalidInput` for bad shapes,
    NaN, and matrices that are no covariances.

    Source: Heusel et al. 2017 (FID), eq. 6, after Dowson and Landau 1982.

    >>> frechet_distance([0.0, 0.0], np.diag([1.0, 4.0]), [3.0, 4.0], np.diag([4.0, 1.0]))
    27.0
    """
    mean1, cov1, mean2, cov2 = checks.tensors(
        mean1=(mean1, "D"), cov1=(cov1, "D D"), mean2=(mean2, "D"), cov2=(cov2, "D D")
    )
    return _distance(mean1, _factor("cov1", cov1), mean2, _factor("cov2", cov2))


def frechet_distance_from_features(real: Any, fake: Any, ddof: int = 1) -> float:
    """Fréchet distance between two sets of features, in their squared units.

    real: (N, D), fake: (M, D), any float dtype, more than `ddof` rows each. ddof: covariances are
    divided by N - ddof; most libraries take 1, stylegan2-ada-pytorch and stylegan3 take 0. Where
    rows are fewer than dimensions they serve as the factor themselves and no covariance is formed.
    Biased upwards for few samples: compare only at equal N and M. Raises `InvalidInput` for bad
    shapes, NaN and too few rows.

    Source: as `frechet_distance`; conventions of GaParmar/clean-fid 0.1.35 (ddof 1).

    >>> round(frechet_distance_from_features([[0.0], [2.0]], [[5.0], [7.0]]), 12)
    25.0
    """
    real, fake = checks.tensors(real=(real, "N D"), fake=(fake, "M D"))
    return _distance(*_moments("real", real, ddof), *_moments("fake", fake, ddof))


def _moments(name: str, features: torch.Tensor, ddof: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean (D,) and a factor (D, r) of the covariance."""
    count, dimensions = features.shape
    if count <= ddof:
        raise InvalidInput(f"{name}: expected more than {ddof} rows, got {count}")
    mean = features.mean(dim=0)
    centred = (features - mean) / (count - ddof) ** 0.5
    if count <= dimensions:
        return mean, centred.T
    return mean, _factor(name, centred.T @ centred)


def _factor(name: str, covariance: torch.Tensor) -> torch.Tensor:
    """A (D, r) with A Aᵀ = covariance, where r counts eigenvalues above rounding."""
    largest = covariance.abs().max()
    # A covariance that came through float32 may be off by its rounding, one that is wrong by more.
    if bool((covariance - covariance.T).abs().max() > 1e-5 * largest):
        raise InvalidInput(f"{name}: expected a covariance, got a matrix that is not symmetric")
    values, vectors = torch.linalg.eigh((covariance + covariance.T) / 2)
    if bool(values[0] < -1e-5 * values[-1].abs()):
        raise InvalidInput(
            f"{name}: expected a covariance, got eigenvalues from {float(values[0]):.3g}"
            f" to {float(values[-1]):.3g}"
        )
    # Eigenvalues below rounding are noise whose square root would be far larger than they are.
    real = values > values[-1] * len(values) * torch.finfo(values.dtype).eps
    return vectors[:, real] * values[real].sqrt()


def _distance(
    mean1: torch.Tensor, factor1: torch.Tensor, mean2: torch.Tensor, factor2: torch.Tensor
) -> float:
    traces = factor1.square().sum() + factor2.square().sum()
    cross = torch.linalg.svdvals(factor1.T @ factor2).sum()
    distance = (mean1 - mean2).square().sum() + traces - 2 * cross
    # Never negative but by rounding, which is all that equal inputs leave.
    return max(float(distance), 0.0)
