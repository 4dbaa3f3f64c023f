"""Fidelity and variety by nearest neighbours: precision and recall, density and coverage.

Around each feature lies a ball that reaches to its k-th neighbour in its own set, not counting
itself. The scores ask which features of the other set fall into these balls. All of them depend on
the number of features, which must be fixed and stated.

Squared distances come from dot products, in float64 and from a common centre, some sixteen times
faster than from differences. Each bears a bound of its error, which grows with the squared lengths of
its own two features; what the bound leaves open is computed again, from differences. Squared
distances that differ by no more than 4e-15 of their size are equal: so much may the order of a sum
change, and duplicates and points of a grid of whole numbers tie as in exact arithmetic. Features stay
as narrow as they came; only blocks of them are float64, and no table of all distances is ever there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks

EPS = torch.finfo(torch.float64).eps
BOUNDARIES = ("closed", "open")
ROWS = 2048  # of a distance table at a time, and as many columns
CANDIDATES = 8  # neighbours kept beyond the k-th, in case rounding has changed their order
CENTRED_ON = 256  # rows, of whose coordinates the centre is the median: few far ones do not move it
TIE = 16 * EPS
MEASURED_AT_ONCE = 2**22  # differences of coordinates in memory at a time


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
    around_reals, around_fakes = _radii(real, k), _radii(fake, k)
    precision = torch.zeros_like(around_fakes, dtype=torch.bool)
    recall = torch.zeros_like(around_reals, dtype=torch.bool)
    closed = boundary == "closed"
    for table in _tables(fake, real):
        precision[table.rows] |= table.within(around_reals[table.columns], closed).any(dim=1)
        recall[table.columns] |= table.within(around_fakes[table.rows, None], closed).any(dim=0)
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
    radii = _radii(real, k)
    density = fake.lengths.new_zeros(len(fake))
    coverage = torch.zeros_like(radii, dtype=torch.bool)
    for table in _tables(fake, real):
        inside = table.within(radii[table.columns], closed=False)
        density[table.rows] += inside.sum(dim=1)
        coverage[table.columns] |= inside.any(dim=0)
    return DensityCoverage(density=_numpy(density) / k, coverage=_numpy(coverage))


class _Features:
    """Rows (N, D), read as blocks of float64 about a common centre; `lengths` (N,) are squared.

    `copies` (N,) names for each row the first that is the same, so that copies are compared once.
    """

    def __init__(self, rows: torch.Tensor, copies: torch.Tensor, centre: torch.Tensor) -> None:
        self.rows, self.copies, self.centre = rows, copies, centre
        self.parts = [slice(i, min(i + ROWS, len(rows))) for i in range(0, len(rows), ROWS)]
        self.lengths = torch.cat([self.block(part).square().sum(dim=1) for part in self.parts])

    def __len__(self) -> int:
        return len(self.rows)

    def block(self, part: slice) -> torch.Tensor:
        return self.rows[part].double() - self.centre

    def about_their_own(self) -> _Features:
        """The same rows about a centre of their own, from where they are shorter."""
        return _Features(self.rows, self.copies, _centre(self.rows))


class _Table(NamedTuple):
    """Squared distances (R, C) of a part of some features to a part of others, by dot products."""

    of: _Features
    to: _Features
    rows: slice
    columns: slice
    squared: torch.Tensor

    def error(self) -> torch.Tensor:
        """How far each may be off; (R, C)."""
        lengths = self.of.lengths[self.rows, None] + self.to.lengths[self.columns]
        # A sum of D products (Higham 2002, 3.5), of the two lengths, and of the centring.
        return lengths.mul_(2 * (self.of.rows.shape[1] + 4) * EPS)

    def within(self, radii: torch.Tensor, closed: bool) -> torch.Tensor:
        """Which lie within squared radii that are exact, (R, 1) or (C,): bool (R, C)."""
        tie = radii * TIE
        inside = self.squared < radii
        unsure = (self.squared - radii).abs_() <= self.error().add_(tie)
        i, j = unsure.nonzero(as_tuple=True)
        if len(i):
            squared = _differences(self.of, i + self.rows.start, self.to, j + self.columns.start)
            radii, tie = (x.expand_as(inside)[i, j] for x in (radii, tie))
            inside[i, j] = squared <= radii + tie if closed else squared < radii - tie
        return inside


def _features(real: Any, fake: Any, k: int) -> tuple[_Features, _Features]:
    real, fake = checks.features(real=(real, "N D"), fake=(fake, "M D"))
    if not 1 <= k < min(len(real), len(fake)):
        raise InvalidInput(
            f"k: expected at least 1 and fewer than the {len(real)} real and {len(fake)} fake"
            f" features, got {k}"
        )
    centre = _centre(real)
    return _Features(real, _copies(real), centre), _Features(fake, _copies(fake), centre)


def _centre(rows: torch.Tensor) -> torch.Tensor:
    some = rows[:: -(-len(rows) // CENTRED_ON)].double()
    return some.median(dim=0).values


def _copies(rows: torch.Tensor) -> torch.Tensor:
    seen: dict[bytes, int] = {}
    first = [
        seen.setdefault(hashlib.sha256(row.tobytes()).digest(), i)
        for i, row in enumerate(rows.cpu().numpy())
    ]
    return torch.tensor(first, device=rows.device)


def _tables(of: _Features, to: _Features, half: bool = False) -> Iterator[_Table]:
    """Squared distances of all rows to all, a table at a time; `half` of them within one set."""
    for i, rows in enumerate(of.parts):
        block = of.block(rows)
        for columns in to.parts[i if half else 0 :]:
            squared = torch.addmm(to.lengths[columns], block, to.block(columns).T, alpha=-2)
            yield _Table(of, to, rows, columns, squared.add_(of.lengths[rows, None]))


def _radii(features: _Features, k: int) -> torch.Tensor:
    """Squared distance of each feature to its k-th neighbour, the (k + 1)-th after itself (N,).

    Those that may be among the k + 1 nearest are found by dot products and measured by differences.
    """
    features = features.about_their_own()
    count = min(k + 1 + CANDIDATES, len(features))
    least = features.lengths.new_full((len(features), count), torch.inf)
    nearest = torch.zeros_like(least, dtype=torch.long)

    def offer(rows: slice, columns: slice, at_least: torch.Tensor) -> None:
        both = torch.cat([least[rows], at_least], dim=1)
        least[rows], chosen = both.topk(count, dim=1, largest=False)
        before = nearest[rows].gather(1, chosen.clamp(max=count - 1))
        nearest[rows] = torch.where(chosen < count, before, chosen - count + columns.start)

    for table in _tables(features, features, half=True):
        at_least = table.squared.sub_(table.error())
        offer(table.rows, table.columns, at_least)
        if table.columns != table.rows:  # the distance from there is the distance from here
            offer(table.columns, table.rows, at_least.T)
    everyone = torch.arange(len(features), device=nearest.device)
    measured = _differences(features, everyone.repeat_interleave(count), features, nearest.ravel())
    radii = measured.view(-1, count).kthvalue(k + 1, dim=1).values
    # What was not kept is no nearer than the last that was. Where even that may lie within the
    # radius (more ties than candidates, or lengths that drown the distances) all are measured.
    doubtful = radii > least.amax(dim=1) if count < len(features) else radii < 0
    for row in features.copies[doubtful].unique():
        measured = _differences(features, row.expand(len(features)), features, everyone)
        radii[features.copies == row] = measured.kthvalue(k + 1).values
    return radii


def _differences(of: _Features, i: torch.Tensor, to: _Features, j: torch.Tensor) -> torch.Tensor:
    """Squared distances (P,) of the i-th rows to the j-th, from differences of coordinates."""
    pairs, back = (of.copies[i] * len(to) + to.copies[j]).unique(return_inverse=True)
    squared = [
        (of.rows[some // len(to)].double() - to.rows[some % len(to)].double()).square().sum(dim=1)
        for some in pairs.split(max(1, MEASURED_AT_ONCE // of.rows.shape[1]))
    ]
    return torch.cat(squared)[back]


def _numpy(values: torch.Tensor) -> np.ndarray:
    return values.double().cpu().numpy()
