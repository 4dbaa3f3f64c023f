"""Fidelity and variety by nearest neighbours: precision and recall, density and coverage.

Around each feature lies a ball that reaches to its k-th neighbour in its own set, not counting
itself. The scores ask which features of the other set fall into these balls. All of them depend on
the number of features, which must be fixed and stated.

Squared distances come from dot products, in float64 and from a common centre, some sixteen times
faster than from differences. Where two of them differ by less than such a computation can tell
(1e-11 of the squared lengths at 4,096 dimensions), they are taken as equal, so that duplicates and
other exact ties are decided as exact arithmetic would.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks

BOUNDARIES = ("closed", "open")
ROWS = 1024  # of a distance table at a time


class PrecisionRecall(NamedTuple):
    """float64: `precision` (M,) of each fake, `recall` (N,) of each real, 0 or 1; means score."""

    precision: np.ndarray
    recall: np.ndarray


class DensityCoverage(NamedTuple):
    """float64: `density` (M,) of each fake, `coverage` (N,) of each real; means are the scores."""

    density: np.ndarray
    coverage: np.ndarray


def precision_recall(real: Any, fake: Any, k: int = 3, boundary: str = "closed") -> PrecisionRecall:
    """Which fakes lie in the ball of some real (precision), which reals in that of some fake.

    real: (N, D), fake: (M, D), any float dtype, more than k rows each. boundary: a `closed` ball
    holds its surface (<=), an `open` one does not (<, as in the prdc package). Raises
    `InvalidInput` for bad shapes, NaN, an unknown boundary, and k out of range.

    Source: kynkaat/improved-precision-and-recall-metric@ed8ee4c (closed, k = 3).

    >>> scores = precision_recall([[0.0], [1.0], [2.0]], [[1.5], [9.0]], k=1)
    >>> scores.precision, scores.recall
    (array([1., 0.]), array([1., 1., 1.]))
    """
    checks.one_of("boundary", boundary, BOUNDARIES)
    real, fake = _features(real, fake, k)
    around_reals, _ = _inside(fake, real, _radii(real, k), boundary)
    around_fakes, _ = _inside(real, fake, _radii(fake, k), boundary)
    return PrecisionRecall(precision=_numpy(around_reals > 0), recall=_numpy(around_fakes > 0))


def density_coverage(real: Any, fake: Any, k: int = 5) -> DensityCoverage:
    """In how many balls of reals each fake lies, over k; which balls of reals hold some fake.

    Arguments and errors as `precision_recall`; balls are open. Density may exceed 1.

    Source: Naeem et al. 2020; package prdc 0.2.

    >>> scores = density_coverage([[0.0], [1.0], [2.0]], [[1.5], [9.0]], k=1)
    >>> scores.density, scores.coverage
    (array([2., 0.]), array([0., 1., 1.]))
    """
    real, fake = _features(real, fake, k)
    balls, held = _inside(fake, real, _radii(real, k), "open")
    return DensityCoverage(density=_numpy(balls) / k, coverage=_numpy(held))


def _features(real: Any, fake: Any, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    real, fake = checks.tensors(real=(real, "N D"), fake=(fake, "M D"))
    if not 1 <= k < min(len(real), len(fake)):
        raise InvalidInput(
            f"k: expected at least 1 and fewer than the {len(real)} real and {len(fake)} fake"
            f" features, got {k}"
        )
    centre = real.mean(dim=0)
    return real - centre, fake - centre


def _squared_distances(rows: torch.Tensor, others: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Squared distances (R, O), and by how much rounding may have moved them at most."""
    row_lengths, other_lengths = (x.square().sum(dim=1) for x in (rows, others))
    squared = torch.addmm(other_lengths, rows, others.T, alpha=-2).add_(row_lengths[:, None])
    # Error of a sum of D products (Higham 2002, 3.5), of the two lengths, and of the centring.
    relative = 2 * (rows.shape[1] + 4) * torch.finfo(rows.dtype).eps
    return squared, relative * float(row_lengths.max() + other_lengths.max())


def _radii(features: torch.Tensor, k: int) -> torch.Tensor:
    """Squared distance of each feature to its k-th neighbour: the (k + 1)-th, after itself."""
    nearest = [
        _squared_distances(rows, features)[0].topk(k + 1, dim=1, largest=False).values[:, k]
        for rows in features.split(ROWS)
    ]
    return torch.cat(nearest)


def _inside(
    points: torch.Tensor, centres: torch.Tensor, radii: torch.Tensor, boundary: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """How many balls each point lies in, and which balls hold some point."""
    counts, held = [], torch.zeros_like(radii, dtype=torch.bool)
    for rows in points.split(ROWS):
        squared, error = _squared_distances(rows, centres)
        # Both the distance and the radius may be off, hence twice.
        inside = (
            squared <= radii + 2 * error if boundary == "closed" else squared < radii - 2 * error
        )
        counts.append(inside.sum(dim=1))
        held |= inside.any(dim=0)
    return torch.cat(counts), held


def _numpy(values: torch.Tensor) -> np.ndarray:
    return values.double().cpu().numpy()
