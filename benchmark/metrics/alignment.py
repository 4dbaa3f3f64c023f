"""From a method's canonical frame to the data set's: rigid fits, ICP, and one rotation for all.

Quaternions are those of `benchmark.metrics.pose`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks
from benchmark.metrics.pose import (
    conjugate,
    mean_rotation,
    multiply,
    rotate,
    select_for_alignment,
    unit,
)

NO_MATCH = float("inf")
DEGENERATE = 1e-9
UNMET = ("dropped", "best")


class Registration(NamedTuple):
    """Where ICP ended: points p of the source lie at q p q* + translation.

    `error` is the root mean square distance of the correspondences, in the clouds' unit; where there
    were fewer than three it is infinite (or what `unmet` says). `fraction` is the share of source
    points that have one.
    """

    rotation: np.ndarray
    translation: np.ndarray
    error: float
    fraction: float
    iterations: int


def rigid_fit(source: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
    """The rotation (4,) and translation (3,) that bring points nearest to their partners, float64.

    source, target: (P, 3), row by row in correspondence, one unit. Minimises the sum of squared
    distances of q p q* + t from the partners; reflections can't come out. Raises `InvalidInput` for
    bad shapes, NaN, and points that leave the rotation open (all on one line, say).

    Source: Horn 1987, "Closed-form solution of absolute orientation using unit quaternions".

    >>> square = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    >>> rotation, translation = rigid_fit(square, square + [0, 0, 2])
    >>> (abs(rotation).round(9) + 0.0).tolist(), (translation.round(9) + 0.0).tolist()
    ([1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 2.0])
    """
    source, target = checks.arrays(source=(source, "P 3"), target=(target, "P 3"))
    from_, to = source.mean(axis=0), target.mean(axis=0)
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = (source - from_).T @ (target - to)
    horn = np.array(
        [
            [xx + yy + zz, yz - zy, zx - xz, xy - yx],
            [yz - zy, xx - yy - zz, xy + yx, zx + xz],
            [zx - xz, xy + yx, yy - xx - zz, yz + zy],
            [xy - yx, zx + xz, yz + zy, zz - xx - yy],
        ]
    )
    values, vectors = np.linalg.eigh(horn)
    if values[3] - values[2] <= DEGENERATE * max(abs(values[3]), abs(values[0])):
        raise InvalidInput(f"source: {len(source)} points that leave the rotation open")
    rotation = vectors[:, 3]
    translation: np.ndarray = to - rotate(rotation, from_[None])[0]
    return rotation, translation


def iterative_closest_point(
    source: Any,
    target: Any,
    start: Any,
    *,
    reach: float,
    iterations: int,
    tolerance: float,
    unmet: str = "dropped",
) -> Registration:
    """Point-to-point ICP of one cloud onto another, rotation and translation.

    source: (P, 3), target: (Q, 3), one unit; `start` (4,) turns the source before the first step.
    Each source point corresponds to the nearest target point closer than `reach`. It ends after
    `iterations` fits, or when neither `fraction` nor `error` moved by `tolerance` or more. Raises
    `InvalidInput` for bad shapes, NaN, and clouds whose points lie on one line or in one place.
    `unmet` says what becomes of clouds that nowhere meet: "dropped" makes the error infinite, so that
    they can't be taken for the best; "best" leaves it that of the correspondences, 0 where none is.

    Source: Besl and McKay 1992, with the stopping rule of Open3D's registration_icp, which
    eldar/differentiable-point-clouds@d9b6725 run/compute_alignment.py calls. Open3D gives error 0 to
    clouds that nowhere meet, so its published numbers are those of "best".

    >>> turned = np.array([[0.0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]])
    >>> found = iterative_closest_point(turned + 0.1, turned, [1, 0, 0, 0],
    ...                                 reach=0.5, iterations=30, tolerance=1e-6)
    >>> found.fraction, round(found.error, 9), (found.translation.round(6) + 0.0).tolist()
    (1.0, 0.0, [-0.1, -0.1, -0.1])
    """
    checks.one_of("unmet", unmet, UNMET)
    roundings = checks.rounding(source), checks.rounding(target)
    source, target, start = checks.arrays(
        source=(source, "P 3"), target=(target, "Q 3"), start=(start, "4")
    )
    for name, cloud, rounding in zip(
        ("source", "target"), (source, target), roundings, strict=True
    ):
        _require_spread(name, cloud, rounding)
    tree = cKDTree(target)

    def correspond() -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
        """Which source points have a partner, which, and (fraction, error)."""
        moved = rotate(rotation, source) + translation
        distance, partner = tree.query(moved, distance_upper_bound=reach)
        matched = np.isfinite(distance)
        squares = distance[matched] ** 2
        error = float(np.sqrt(squares.mean())) if len(squares) else 0.0
        return matched, partner, (float(matched.mean()), error)

    rotation, translation = unit(start[None])[0], np.zeros(3)
    matched, partner, before = correspond()
    done = 0
    while done < iterations and matched.sum() >= 3:
        try:
            rotation, translation = rigid_fit(source[matched], target[partner[matched]])
        except InvalidInput:
            break  # the few points that correspond lie on a line; what was found stands
        done += 1
        matched, partner, now = correspond()
        settled = all(abs(a - b) < tolerance for a, b in zip(now, before, strict=True))
        before = now
        if settled:
            break
    fraction, error = before
    if matched.sum() < 3 and unmet == "dropped":
        error = NO_MATCH
    return Registration(rotation, translation, error, fraction, done)


def _require_spread(name: str, cloud: np.ndarray, rounding: float) -> None:
    spread = np.linalg.eigvalsh(np.cov(cloud.T)) if len(cloud) > 2 else np.zeros(3)
    noise = (rounding * np.abs(cloud).max()) ** 2  # of points that are one, but for their last bits
    if spread[1] <= max(DEGENERATE * spread[2], noise):
        raise InvalidInput(
            f"{name}: the {len(cloud)} points lie on one line or in one place, which fixes no rotation"
        )


def reference_rotation(
    rotations: Any, errors: Any, models: int, views: int, consensus: float | None = None
) -> np.ndarray:
    """The one rotation between two canonical frames, float64 (4,), w >= 0.

    rotations: (M, V, 4), a candidate for each view of each model; errors: (M, V), how badly it fits,
    infinite where there is none (its rotation does not count). Of each model the `views` best are
    taken, of the models the `models` best by the mean error of these; models with fewer than `views`
    candidates are left out. With `consensus`, in degrees, only those count that are closer than this
    to the one that most are close to (of several such, the first): a method that takes the front of a
    car for its back, or its side, in some views has several heaps of candidates, which all fit, and
    their mean is none of them. Raises `InvalidInput` for bad shapes, NaN, and too few models.

    Source: without consensus, eldar/differentiable-point-clouds@d9b6725 run/compute_alignment.py.
    Shapes go into the frame of the truth by `rotate(reference, …)`, poses by
    `align_poses(…, reference)`.

    >>> half = np.sqrt(0.5)
    >>> turned, other = [half, 0, 0, half], [0, 1, 0, 0]
    >>> reference_rotation([[turned, other], [other, turned]], [[0.1, 0.2], [0.9, 0.2]],
    ...                    models=2, views=1).round(6) + 0.0
    array([0.707107, 0.      , 0.      , 0.707107])
    """
    errors = np.asarray(errors, np.float64)
    if errors.ndim != 2 or np.isnan(errors).any():
        raise InvalidInput(f"errors: expected (M, V) without NaN, got {errors.shape}")
    usable = np.isfinite(errors).sum(axis=1) >= views
    if usable.sum() < models:
        raise InvalidInput(
            f"errors: {int(usable.sum())} of {len(errors)} models have {views} candidates, "
            f"{models} are needed"
        )
    # a candidate that is none comes last in its model, and is never among the `views` best
    known = np.where(np.isfinite(errors), errors, checks.LARGEST / 1e3)[usable]
    chosen, best = select_for_alignment(known, models, views)
    (candidates,) = checks.arrays(rotations=(rotations, f"{len(errors)} {errors.shape[1]} 4"))
    picked = candidates[usable][chosen[:, None], best].reshape(-1, 4)
    return mean_rotation(picked if consensus is None else _agreeing(picked, consensus))


def _agreeing(rotations: np.ndarray, degrees: float) -> np.ndarray:
    """Those of (N, 4) that are closer than so many degrees to the one that most are close to."""
    cosines = np.abs(unit(rotations) @ unit(rotations).T).clip(max=1)
    close = np.degrees(2 * np.arccos(cosines)) < degrees
    return rotations[close[close.sum(axis=1).argmax()]]


def candidate(pred: Any, target: Any) -> np.ndarray:
    """conj(target) pred: the rotation under which a predicted pose is the true one, float64 (N, 4).

    pred, target: (N, 4), canonical frame to camera. Where ICP starts from.

    >>> candidate([[0, 1, 0, 0]], [[1, 0, 0, 0]])
    array([[0., 1., 0., 0.]])
    """
    pred, target = checks.arrays(pred=(pred, "N 4"), target=(target, "N 4"))
    return multiply(conjugate(unit(target)), unit(pred)) + 0.0
