"""How far predicted landmarks lie from the true ones: normalised errors, and Taichi's sums."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks


def inter_ocular_distance(target: Any, eyes: tuple[int, int] = (0, 1)) -> np.ndarray:
    """Distance between the two eye landmarks of each image, the usual `scale` of an error.

    target: (N, K, 2), in any unit. eyes: two 0-based landmark indices; (0, 1) for five-point sets,
    (36, 45), the outer eye corners, for 68-point sets. Returns float64 (N,) in the unit of target.
    Raises `InvalidInput` naming the images whose distance is zero, since no error can be divided
    by it.

    Source: jamt9000/DVE@2085144 model/metric.py (which does not guard against zero).

    >>> inter_ocular_distance([[[10.0, 20.0], [40.0, 60.0]]])
    array([50.])
    """
    (target,) = checks.arrays(target=(target, "N K 2"))
    count = target.shape[1]
    first, second = eyes
    if first == second or not (0 <= first < count and 0 <= second < count):
        raise InvalidInput(f"eyes: expected two different indices below {count}, got {eyes}")
    distance = np.linalg.norm(target[:, first] - target[:, second], axis=-1)
    _require_positive("inter-ocular distance", distance)
    return distance


def normalised_point_errors(pred: Any, target: Any, scale: Any) -> np.ndarray:
    """Euclidean error of each landmark as a percentage of its image's scale.

    pred, target: (N, K, 2) in one unit. scale: (N,) in the same unit, positive: the inter-ocular
    distance, a box edge, … Returns float64 (N, K) in percent. Raises `InvalidInput` for bad shapes,
    NaN, and naming the images whose scale is not positive.

    >>> normalised_point_errors([[[3.0, 4.0], [0.0, 0.0]]], [[[0.0, 0.0], [0.0, 0.0]]], [50.0])
    array([[10.,  0.]])
    """
    pred, target, scale = checks.arrays(
        pred=(pred, "N K 2"), target=(target, "N K 2"), scale=(scale, "N")
    )
    _require_positive("scale", scale)
    return 100.0 * np.linalg.norm(pred - target, axis=-1) / scale[:, None]


def normalised_mean_error(pred: Any, target: Any, scale: Any) -> np.ndarray:
    """Mean landmark error of each image as a percentage of its scale; the mean over images is NME.

    Arguments, units and errors as `normalised_point_errors`. Returns float64 (N,) in percent. The
    published number is the mean of these ratios, not the ratio of the means, and an image fails
    when it lies strictly above 10.

    Source: jamt9000/DVE@2085144 model/metric.py.

    >>> normalised_mean_error([[[3.0, 4.0], [0.0, 0.0]]], [[[0.0, 0.0], [0.0, 0.0]]], [50.0])
    array([5.])
    """
    return normalised_point_errors(pred, target, scale).mean(axis=1)


def keypoint_l1_terms(pred: Any, target: Any, visible: Any) -> np.ndarray:
    """Mean absolute error of each coordinate of each joint over the images that show the joint.

    pred, target: (N, K, 2) in pixels of the frame in which the error is reported (Taichi: 256).
    visible: (N, K), true where the label exists; values at invisible joints are not looked at
    beyond being finite. Returns float64 (K, 2), pixels; their sum is "Taichi MAE". Raises
    `InvalidInput` for bad shapes, NaN, and a joint that no image shows.

    >>> keypoint_l1_terms([[[1.0, 2.0]], [[9.0, 9.0]]], [[[0.0, 0.0]], [[-1.0, -1.0]]],
    ...                   [[True], [False]])
    array([[1., 2.]])
    """
    pred, target, share = _visible_shares(pred, target, visible)
    return (np.abs(pred - target) * share[:, :, None]).mean(axis=0)


def keypoint_l1_sum(pred: Any, target: Any, visible: Any) -> np.ndarray:
    """Each image's share of "Taichi MAE"; the mean over images is the published number.

    That number is the sum over joints and coordinates of mean absolute errors (36 terms for 18
    joints), not a sum of distances. Arguments and errors as `keypoint_l1_terms`. Returns float64
    (N,), pixels: image n counts N / (images showing joint k) times its own error at joint k, so
    that the mean over images equals the sum of the terms exactly.

    Source: AliaksandrSiarohin/motion-cosegmentation@571e26f evaluate.py.

    >>> keypoint_l1_sum([[[1.0, 2.0]], [[9.0, 9.0]]], [[[0.0, 0.0]], [[-1.0, -1.0]]],
    ...                 [[True], [False]])
    array([6., 0.])
    """
    pred, target, share = _visible_shares(pred, target, visible)
    return (np.abs(pred - target).sum(axis=2) * share).sum(axis=1)


def keypoint_l2_sum(pred: Any, target: Any, visible: Any) -> np.ndarray:
    """As `keypoint_l1_sum` with the Euclidean distance of each joint (18 terms for Taichi).

    Some papers name the score after this one; what they print is `keypoint_l1_sum`.

    >>> keypoint_l2_sum([[[3.0, 4.0]], [[9.0, 9.0]]], [[[0.0, 0.0]], [[-1.0, -1.0]]],
    ...                 [[True], [False]])
    array([10.,  0.])
    """
    pred, target, share = _visible_shares(pred, target, visible)
    return (np.linalg.norm(pred - target, axis=2) * share).sum(axis=1)


def joint_errors(pred: Any, target: Any, visible: Any, norm: Literal["l1", "l2"]) -> np.ndarray:
    """The errors behind `keypoint_l1_sum` and `keypoint_l2_sum`, image by image, NaN where hidden.

    Arguments as `keypoint_l1_terms`. Returns float64: "l1" (N, 2K), |x| and |y| of each joint in
    turn; "l2" (N, K), distances. The sum over columns of the mean of what is there is the published
    number, and images can be drawn again from these rows. Source: as `keypoint_l1_sum`.

    >>> joint_errors([[[3.0, 4.0]], [[9.0, 9.0]]], [[[0.0, 0.0]], [[-1.0, -1.0]]],
    ...              [[True], [False]], "l1")
    array([[ 3.,  4.],
           [nan, nan]])
    """
    checks.one_of("norm", norm, ("l1", "l2"))
    pred, target, share = _visible_shares(pred, target, visible)
    if norm == "l2":
        return np.where(share > 0, np.linalg.norm(pred - target, axis=2), np.nan)
    errors = np.where(share[:, :, None] > 0, np.abs(pred - target), np.nan)
    return errors.reshape(len(errors), -1)


def visible_distances(pred: Any, target: Any, visible: Any, edge: float) -> np.ndarray:
    """Sum of each image's landmark errors over its visible landmarks, and how many these are.

    pred, target: (N, K, 2) in pixels; visible: (N, K); edge: the length in pixels that counts as 1.
    Returns float64 (N, 2). The sum of the first column over that of the second, in percent, is the
    error of all visible landmarks alike, so that an image that shows more of them weighs more.

    Source: xingzhehe/AutoLink@3fbde11 datasets/cub.py, which divides coordinates by the crop's side
    beforehand, unrounded; here the caller has brought them into the pixels of the crop.

    >>> visible_distances([[[3.0, 4.0], [9.0, 9.0]]], [[[0.0, 0.0], [0.0, 0.0]]],
    ...                   [[True, False]], edge=50.0)
    array([[0.1, 1. ]])
    """
    pred, target = checks.arrays(pred=(pred, "N K 2"), target=(target, "N K 2"))
    (visible,) = checks.masks(visible=(visible, "N K"))
    if visible.shape != pred.shape[:2]:
        raise InvalidInput(f"visible: expected shape {pred.shape[:2]}, got {visible.shape}")
    if not edge > 0:
        raise InvalidInput(f"edge: expected a positive length, got {edge}")
    distance = np.linalg.norm(pred - target, axis=2) / edge
    return np.stack([(distance * visible).sum(axis=1), visible.sum(axis=1)], axis=1)


def visible_errors(pred: Any, target: Any, visible: Any, unit: tuple[int, int]) -> np.ndarray:
    """As `visible_distances`, in units of the distance of two of the image's own true landmarks.

    pred, target: (N, K, 2) in pixels; visible: (N, K); unit: the two 0-based indices, such as one
    shoulder and the hip across. An image that hides one of the two has no unit and counts nowhere.
    Returns float64 (N, 2), the sum of errors and how many there are. Where every landmark is visible,
    the ratio of sums is the mean of `normalised_mean_error`. Source: own definition; with the torso as
    unit, the distance that PCK compares with its threshold.

    >>> target = [[[0.0, 0.0], [10.0, 0.0]], [[0.0, 0.0], [10.0, 0.0]]]
    >>> visible_errors(np.add(target, 1.0), target, [[True, True], [True, False]], (0, 1)).round(4)
    array([[0.2828, 2.    ],
           [0.    , 0.    ]])
    """
    distance, counted = _in_units(pred, target, visible, unit)
    return np.stack([(distance * counted).sum(axis=1), counted.sum(axis=1)], axis=1)


def correct_keypoints(
    pred: Any, target: Any, visible: Any, unit: tuple[int, int], threshold: float
) -> np.ndarray:
    """How many visible landmarks lie within `threshold` units of the true ones, of how many.

    Arguments and images left out as `visible_errors`; threshold: a share of the unit, which still
    counts as right. Returns float64 (N, 2). The sum of the first column over that of the second, in
    percent, is PCK, the percentage of correct keypoints (0.2 of the torso on LSP).

    Source: Yang and Ramanan, Articulated human detection with flexible mixtures of parts, 2013.

    >>> target = [[[0.0, 0.0], [10.0, 0.0], [5.0, 5.0]]]
    >>> pred = [[[0.0, 2.0], [10.0, 2.5], [5.0, 5.0]]]
    >>> correct_keypoints(pred, target, [[True, True, False]], (0, 1), 0.2)
    array([[1., 2.]])
    """
    if not threshold > 0:
        raise InvalidInput(f"threshold: expected a positive share of the unit, got {threshold}")
    distance, counted = _in_units(pred, target, visible, unit)
    return (
        np.stack([((distance <= threshold) & counted).sum(axis=1), counted.sum(axis=1)], axis=1)
        * 1.0
    )


def _in_units(
    pred: Any, target: Any, visible: Any, unit: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Distances (N, K) in units of each image, and which of them count."""
    pred, target = checks.arrays(pred=(pred, "N K 2"), target=(target, "N K 2"))
    (visible,) = checks.masks(visible=(visible, "N K"))
    if visible.shape != pred.shape[:2]:
        raise InvalidInput(f"visible: expected shape {pred.shape[:2]}, got {visible.shape}")
    known = visible[:, list(unit)].all(axis=1)
    length = np.ones(len(target))
    if known.any():
        length[known] = inter_ocular_distance(target[known], unit)
    distance = np.linalg.norm(pred - target, axis=2) / length[:, None]
    return distance, visible & known[:, None]


def _visible_shares(
    pred: Any, target: Any, visible: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points as float64, and the weight (N, K) that turns a mean over all into one over visible."""
    pred, target = checks.arrays(pred=(pred, "N K 2"), target=(target, "N K 2"))
    (visible,) = checks.masks(visible=(visible, "N K"))
    if visible.shape != pred.shape[:2]:
        raise InvalidInput(f"visible: expected shape {pred.shape[:2]}, got {visible.shape}")
    shown = visible.sum(axis=0)
    if not shown.all():
        raise InvalidInput(f"visible: no image shows joint {np.flatnonzero(shown == 0).tolist()}")
    return pred, target, visible * (len(pred) / shown)


def _require_positive(what: str, values: np.ndarray) -> None:
    bad = np.flatnonzero(values <= 0)
    if bad.size:
        more = f" and {bad.size - 8} more" if bad.size > 8 else ""
        raise InvalidInput(
            f"{what}: expected positive numbers, got {values[bad[0]]:g} at image "
            f"{', '.join(map(str, bad[:8]))}{more} of {len(values)}",
            cure="leave these images out, or mend their labels",
        )
