"""Rotations as unit quaternions: how far apart they are, and their mean.

Quaternions are (w, x, y, z), Hamilton's product, and rotate a point p to q p q*. They need not come
in unit length; q and -q are the same rotation everywhere here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks


def rotation_error_degrees(pred: Any, target: Any) -> np.ndarray:
    """Angle of the rotation that leads from target to pred, float64 (N,), degrees in [0, 180].

    pred, target: (N, 4). The angle is 2 arccos|w| of conj(target) pred, computed as 2 atan2(|v|,
    |w|), which neither loses digits near zero nor gives NaN when |w| rounds above one. Raises
    `InvalidInput` for bad shapes, NaN and quaternions of length zero.

    Source: eldar/differentiable-point-clouds@d9b6725 run/eval_camera_pose.py.

    >>> half = np.sqrt(0.5)
    >>> rotation_error_degrees([[half, half, 0, 0]], [[1, 0, 0, 0]]).round(6)
    array([90.])
    """
    pred, target = checks.arrays(pred=(pred, "N 4"), target=(target, "N 4"))
    difference = multiply(conjugate(unit(target)), unit(pred))
    sine = np.linalg.norm(difference[:, 1:], axis=1)
    return np.degrees(2.0 * np.arctan2(sine, np.abs(difference[:, 0])))


def pose_accuracy(errors: Any, threshold: float = 30.0) -> float:
    """Fraction of errors (N,) strictly below the threshold, both in degrees.

    Source: eldar/differentiable-point-clouds@d9b6725 run/eval_camera_pose.py.

    >>> pose_accuracy([10.0, 29.999, 30.0, 90.0])
    0.5
    """
    (errors,) = checks.arrays(errors=(errors, "N"))
    return float((errors < threshold).mean())


def upper_median(errors: Any) -> float:
    """Element N // 2 of the sorted errors (N,): of an even number the larger middle one.

    Source: eldar/differentiable-point-clouds@d9b6725 run/eval_camera_pose.py, which averages
    nothing; `numpy.median` would.

    >>> upper_median([4.0, 1.0, 3.0, 2.0])
    3.0
    """
    (errors,) = checks.arrays(errors=(errors, "N"))
    return float(np.sort(errors)[len(errors) // 2])


def mean_rotation(quaternions: Any) -> np.ndarray:
    """The rotation nearest to all of them, float64 (4,), unit length, w >= 0.

    quaternions: (N, 4). Markley's mean: the eigenvector of the largest eigenvalue of the mean of
    q qᵀ. What is of unit length to float32's rounding is averaged as it is, as the reference code
    does; the rest is brought to unit length first. Raises `InvalidInput` for bad shapes, NaN,
    length zero, and when two eigenvalues share the maximum, so that no single rotation is nearest.

    Source: Markley et al. 2007, "Averaging Quaternions", eq. 12-13; used by
    eldar/differentiable-point-clouds@d9b6725 util/quaternion_average.py.

    >>> mean_rotation([[2, 0, 0, 0], [-1, 0, 0, 0]])
    array([1., 0., 0., 0.])
    """
    (quaternions,) = checks.arrays(quaternions=(quaternions, "N 4"))
    rounded = np.abs(np.linalg.norm(quaternions, axis=1, keepdims=True) - 1) < 1e-6
    quaternions = np.where(rounded, quaternions, unit(quaternions))
    values, vectors = np.linalg.eigh(quaternions.T @ quaternions / len(quaternions))
    if values[3] - values[2] < 1e-12:
        raise InvalidInput(f"quaternions: {len(quaternions)} rotations that have no single mean")
    mean = vectors[:, 3]
    return mean * (-1.0 if mean[0] < 0 else 1.0) + 0.0  # + 0.0 turns -0.0 into 0.0


def select_for_alignment(
    errors: Any, models: int = 15, views: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """The views that the common rotation is averaged over: (models,) and (models, views) indices.

    errors: (M, V), how badly each view of each validation model fits, any unit. Of each model the
    `views` best are taken, of the models those with the lowest mean over these, best first. Raises
    `InvalidInput` for bad shapes, NaN and numbers out of range.

    Source: eldar/differentiable-point-clouds@d9b6725 run/compute_alignment.py.

    >>> select_for_alignment([[3.0, 1.0], [0.0, 9.0], [5.0, 6.0]], models=2, views=1)
    (array([1, 0]), array([[0],
           [1]]))
    """
    (errors,) = checks.arrays(errors=(errors, "M V"))
    if not (1 <= models <= errors.shape[0] and 1 <= views <= errors.shape[1]):
        raise InvalidInput(f"cannot take {models} models and {views} views of {errors.shape}")
    best = np.argsort(errors, axis=1, kind="stable")[:, :views]
    mean = np.take_along_axis(errors, best, axis=1).mean(axis=1)
    chosen = np.argsort(mean, kind="stable")[:models]
    return chosen, best[chosen]


def align_poses(pred: Any, reference: Any) -> np.ndarray:
    """Predicted rotations (N, 4) in the frame of the truth: pred conj(reference), unit, float64.

    reference: (4,), the one rotation between the two frames, such as `mean_rotation` of
    conj(target) pred over a validation split; shapes go the same way by `rotate(reference, …)`.

    Source: eldar/differentiable-point-clouds@d9b6725 run/eval_camera_pose.py.

    >>> align_poses([[0, 2, 0, 0]], [0, 1, 0, 0])
    array([[1., 0., 0., 0.]])
    """
    pred, reference = checks.arrays(pred=(pred, "N 4"), reference=(reference, "4"))
    return multiply(unit(pred), conjugate(unit(reference[None]))) + 0.0


def rotate(quaternion: Any, points: Any) -> np.ndarray:
    """q p q* of each point: quaternion (4,), points (P, 3) in any unit; returns float64 (P, 3).

    >>> half = np.sqrt(0.5)
    >>> rotate([half, 0, 0, half], [[1.0, 0.0, 0.0]]).round(6) + 0.0     # a quarter turn about z
    array([[0., 1., 0.]])
    """
    quaternion, points = checks.arrays(quaternion=(quaternion, "4"), points=(points, "P 3"))
    q = unit(quaternion[None])
    pure = np.concatenate([np.zeros((len(points), 1)), points], axis=1)
    return multiply(multiply(q, pure), conjugate(q))[:, 1:]


def multiply(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Hamilton product of float arrays (..., 4) that broadcast: first do second, then first.

    >>> multiply(np.array([0.0, 1, 0, 0]), np.array([0.0, 0, 1, 0]))      # i j = k
    array([0., 0., 0., 1.])
    """
    w1, x1, y1, z1 = np.moveaxis(first, -1, 0)
    w2, x2, y2, z2 = np.moveaxis(second, -1, 0)
    return np.stack(
        [
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        ],
        axis=-1,
    )


def conjugate(quaternions: np.ndarray) -> np.ndarray:
    """The inverse of unit quaternions (..., 4).

    >>> conjugate(np.array([1.0, 2.0, 3.0, 4.0]))
    array([ 1., -2., -3., -4.])
    """
    return quaternions * np.array([1.0, -1.0, -1.0, -1.0])


def unit(quaternions: np.ndarray) -> np.ndarray:
    """Quaternions (N, 4) at length one; `InvalidInput` names those of length zero.

    >>> unit(np.array([[0.0, 3.0, 0.0, 4.0]]))
    array([[0. , 0.6, 0. , 0.8]])
    """
    length = np.linalg.norm(quaternions, axis=-1, keepdims=True)
    zero = np.flatnonzero(length == 0)
    if zero.size:
        raise InvalidInput(f"quaternions: length zero at index {', '.join(map(str, zero[:8]))}")
    return quaternions / length
