"""Along which straight line in a latent space an attribute changes: the normal of a separating plane.

As in InterFaceGAN, only the codes that score highest and lowest are told apart, by a plane of large
margin, and some of these are kept out to try it on. Solved here: a smooth convex problem that has one
solution, wherever it begins, so no package of its own is needed for it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks

FloatArray = npt.NDArray[np.float64]

SHARE = 0.1
"""Of all codes at each end of the scores; InterFaceGAN takes 0.02 of half a million."""
FITTED = 0.7
"""Of these, how many the plane is fitted to."""


class Direction(NamedTuple):
    """`normal` float64 (D,) of length 1 leads to higher scores; `accuracy` is the share of so many
    `held_out` codes that lie on their own side of the plane."""

    normal: FloatArray
    accuracy: float
    held_out: int


def attribute_direction(codes: np.ndarray, scores: np.ndarray, seed: int = 0) -> Direction:
    """The direction in which codes (N, D), any float dtype, get higher scores (N,).

    A tenth of the codes at either end of the scores is taken, seven tenths of these by a draw from
    `seed` to fit `large_margin_plane`, the rest to try it on. Raises `InvalidInput` for bad shapes, NaN,
    fewer than 20 codes, and codes that do not differ.

    Source: genforce/interfacegan@8da3fc0 utils/manipulator.py (shares 0.02 and 0.7, hinge loss).

    >>> codes = np.random.default_rng(0).normal(size=(1000, 2))
    >>> found = attribute_direction(codes, codes @ [3.0, 4.0])
    >>> found.normal.round(1), found.accuracy, found.held_out
    (array([0.6, 0.8]), 1.0, 60)
    """
    (scores,) = checks.arrays(scores=(scores, "N"))
    if len(codes) != len(scores):
        raise InvalidInput(f"codes: expected {len(scores)}, one for each score, got {len(codes)}")
    ends = int(SHARE * len(codes))
    if ends < 2:
        raise InvalidInput(f"codes: expected at least {2 / SHARE:.0f}, got {len(codes)}")
    order = np.argsort(scores, kind="stable")
    (chosen,) = checks.arrays(codes=(codes[[*order[:ends], *order[-ends:]]], "N D"))
    sides = np.repeat([-1.0, 1.0], ends)
    shuffled = np.random.Generator(np.random.PCG64(seed)).permutation(2 * ends)
    fitted, tried = np.split(shuffled, [round(FITTED * 2 * ends)])
    normal, offset = large_margin_plane(chosen[fitted], sides[fitted])
    if not normal.any():
        raise InvalidInput("codes: those of high and of low scores are alike")
    right = (chosen[tried] @ normal + offset > 0) == (sides[tried] > 0)
    return Direction(normal / np.linalg.norm(normal), float(right.mean()), len(tried))


def large_margin_plane(points: FloatArray, sides: FloatArray) -> tuple[FloatArray, float]:
    """Normal n (D,) and offset b of the plane between points (N, D) on `sides` (N,) of -1 and 1.

    The least |n|² / 2 + Σ max(0, 1 − side · (n · point + b))²: a linear support vector machine whose
    margin is soft with squared losses and weight 1, as scikit-learn's `LinearSVC` by default, but for
    the offset, which is free here. By L-BFGS from 0, in float64. Raises `InvalidInput` for bad shapes,
    other sides, and points of one side alone.

    Source: Cortes and Vapnik 1995, with squared losses.

    >>> normal, offset = large_margin_plane([[3.0], [5.0]], [-1, 1])  # least n² / 2 + 2 (1 − n)²
    >>> normal.round(3), round(offset, 3)
    (array([0.8]), -3.2)
    """
    from scipy.optimize import minimize

    points, sides = checks.arrays(points=(points, "N D"), sides=(sides, "N"))
    if set(sides.tolist()) != {-1.0, 1.0}:
        raise InvalidInput("sides: expected -1 and 1, and both of them")
    # about their middle the offset is small, and the problem well-conditioned
    middle = points.mean(axis=0)
    centred = points - middle
    basis = None
    if points.shape[1] > len(points):
        # the normal is a sum of points, so the same problem is solved among these alone
        basis, within = np.linalg.qr(centred.T)
        centred = within.T

    def loss(plane: FloatArray) -> tuple[float, FloatArray]:
        short = np.maximum(0, 1 - sides * (centred @ plane[:-1] + plane[-1]))
        pull = -2 * short * sides
        gradient = np.append(plane[:-1] + pull @ centred, pull.sum())
        return float(plane[:-1] @ plane[:-1] / 2 + short @ short), gradient

    start = np.zeros(centred.shape[1] + 1)
    options = {"maxiter": 1000, "gtol": 1e-8, "ftol": 1e-14}
    plane = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
    normal: FloatArray = plane[:-1] if basis is None else basis @ plane[:-1]
    return normal, float(plane[-1] - normal @ middle)
