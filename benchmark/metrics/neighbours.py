"""Fidelity and variety by nearest neighbours: precision and recall, density and coverage.

Around each feature lies a ball that reaches to its k-th neighbour in its own set, not counting
itself. The scores ask which features of the other set fall into these balls. All of them depend on
the number of features, which must be fixed and stated.

Squared distances come from dot products, in float64 and from a common centre, some sixteen times
faster than from differences. Where two of them differ by less than such a computation can tell
(1e-11 of the squared lengths at 4,096 dimensions), they are taken as equal, so that duplicates and
other exact ties are decided as exact arithmetic would. Features stay as narrow as they came; only
two blocks of them are float64 at a time, and no table of all distances is ever there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks

BOUNDARIES = ("closed", "open")
ROWS = 2048  # of a distance table at a time, and as many columns


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
    around_reals, around_fakes = (_reach(_radii(x, k), real, fake, boundary) for x in (real, fake))
    precision = torch.zeros_like(around_fakes, dtype=torch.bool)
    recall = torch.zeros_like(around_reals, dtype=torch.bool)
    inside = torch.le if boundary == "closed" else torch.lt
    for rows, columns, squared in _distances(fake, real):
        precision[rows] |= inside(squared, around_reals[columns]).any(dim=1)
        recall[columns] |= inside(squared, around_fakes[rows, None]).any(dim=0)
    return PrecisionRecall(precision=_numpy(precision), recall=_numpy(recall))


def density_coverage(real: Any, fake: Any, k: int = 5) -> DensityCoverage:
    """In how many balls of reals each fake lies, over k; which balls of reals hold some fake.

    Arguments and errors as `precision_recall`; balls are open. Density may exceed 1.

    Source: Naeem et al. 2020; package prdc 0.2.

    >>> scores = density_coverage([[0.0], [1.0], [2.0]], [[1.5], [9.0]], k=1)
    >>> scores.density, scores.coverage
    (array([2., 0.]), array([0., 1., 1.]))
    """
    real, fake = _features(real, fake, k)
    reach = _reach(_radii(real, k), real, fake, "open")
    density = fake.lengths.new_zeros(len(fake))
    coverage = torch.zeros_like(reach, dtype=torch.bool)
    for rows, columns, squared in _distances(fake, real):
        inside = squared < reach[columns]
        density[rows] += inside.sum(dim=1)
        coverage[columns] |= inside.any(dim=0)
    return DensityCoverage(density=_numpy(density) / k, coverage=_numpy(coverage))


class _Features:
    """Rows (N, D), read as blocks of float64 about a common centre; `lengths` (N,) are squared."""

    def __init__(self, rows: torch.Tensor, centre: torch.Tensor) -> None:
        self.rows, self.centre = rows, centre
        self.parts = [slice(i, min(i + ROWS, len(rows))) for i in range(0, len(rows), ROWS)]
        self.lengths = torch.cat([self.block(part).square().sum(dim=1) for part in self.parts])

    def __len__(self) -> int:
        return len(self.rows)

    def block(self, part: slice) -> torch.Tensor:
        return self.rows[part].double() - self.centre


def _features(real: Any, fake: Any, k: int) -> tuple[_Features, _Features]:
    real, fake = checks.features(real=(real, "N D"), fake=(fake, "M D"))
    if not 1 <= k < min(len(real), len(fake)):
        raise InvalidInput(
            f"k: expected at least 1 and fewer than the {len(real)} real and {len(fake)} fake"
            f" features, got {k}"
        )
    centre = sum(rows.double().sum(dim=0) for rows in real.split(ROWS)) / len(real)
    return _Features(real, centre), _Features(fake, centre)


def _table(
    block: torch.Tensor, lengths: torch.Tensor, others: _Features, part: slice
) -> torch.Tensor:
    """Squared distances (R, O) of a block, whose squared lengths are given, and a part of others."""
    table = torch.addmm(others.lengths[part], block, others.block(part).T, alpha=-2)
    return table.add_(lengths[:, None])


def _distances(rows: _Features, columns: _Features) -> Iterator[tuple[slice, slice, torch.Tensor]]:
    """Squared distances of every row to every column, a table at a time."""
    for part in rows.parts:
        block = rows.block(part)
        for other in columns.parts:
            yield part, other, _table(block, rows.lengths[part], columns, other)


def _radii(features: _Features, k: int) -> torch.Tensor:
    """Squared distance of each feature to its k-th neighbour: the (k + 1)-th, after itself."""
    nearest = features.lengths.new_full((len(features), k + 1), torch.inf)

    def offer(part: slice, table: torch.Tensor) -> None:
        both = torch.cat([nearest[part], table], dim=1)
        nearest[part] = both.topk(k + 1, dim=1, largest=False).values

    for i, rows in enumerate(features.parts):
        block = features.block(rows)
        for columns in features.parts[i:]:
            # The distance from there is the distance from here: half of the table is enough.
            table = _table(block, features.lengths[rows], features, columns)
            offer(rows, table)
            if columns != rows:
                offer(columns, table.T)
    return nearest.amax(dim=1)


def _reach(radii: torch.Tensor, first: _Features, second: _Features, boundary: str) -> torch.Tensor:
    """Squared radii, wider (closed) or narrower (open) by what rounding may have moved."""
    # Error of a sum of D products (Higham 2002, 3.5), of the two lengths, and of the centring.
    relative = 2 * (first.rows.shape[1] + 4) * torch.finfo(torch.float64).eps
    error = relative * (first.lengths.max() + second.lengths.max())
    # Both the distance and the radius may be off, hence twice.
    return radii + 2 * error if boundary == "closed" else radii - 2 * error


def _numpy(values: torch.Tensor) -> np.ndarray:
    return values.double().cpu().numpy()
