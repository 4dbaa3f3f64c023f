"""How well a predicted foreground mask agrees with the true one.

Masks are (N, H, W), true where foreground: booleans, or numbers that are all exactly 0 or 1. `scored`,
a mask too, says which pixels count; without it all do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks


def foreground_iou(pred: Any, target: Any, eps: float = 1e-6, *, scored: Any = None) -> np.ndarray:
    """Intersection over union of each image, float64 (N,), a fraction.

    pred, target: masks (N, H, W). The union grows by `eps` pixels, so that two empty masks score 0
    and a perfect prediction falls short of 1 by eps / its area. Labels are not permuted: a mask
    against its inverse scores 0. Raises `InvalidInput` for bad shapes, values other than 0 and 1,
    a negative eps, and with eps 0 naming the images where both masks are empty.

    Source: xingzhehe/GANSeg@a3f5078 test_seg.py.

    >>> foreground_iou([[[1, 1, 0, 0]]], [[[0, 1, 1, 0]]], eps=0).round(6)
    array([0.333333])
    """
    pred, target, _ = _masks(pred, target, scored)
    return _iou(pred, target, eps)


def iou_pixels(pred: Any, target: Any, *, scored: Any = None) -> np.ndarray:
    """Pixels of intersection and of union of each image, float64 (N, 2).

    The ratio of their sums is `pooled_iou`.

    >>> iou_pixels([[[1, 1, 0, 0]]], [[[0, 1, 1, 0]]])
    array([[1., 3.]])
    """
    pred, target, _ = _masks(pred, target, scored)
    return np.stack([_area(pred & target), _area(pred | target)], axis=1)


def pooled_iou(pred: Any, target: Any, *, scored: Any = None) -> float:
    """Intersections of all images over unions of all images, a fraction; large objects weigh more.

    pred, target: masks (N, H, W). Source: own definition; no method in this field reports it. It is here
    to show what the mean over images hides.

    >>> round(pooled_iou([[[1, 1]], [[0, 1]]], [[[1, 1]], [[1, 0]]]), 6)
    0.5
    """
    shared, union = iou_pixels(pred, target, scored=scored).sum(0)
    _refuse_empty("pred and target", np.array([union]))
    return float(shared / union)


def best_label_iou(pred: Any, target: Any, eps: float = 0.0, *, scored: Any = None) -> np.ndarray:
    """IoU of each image with the better of the mask and its inverse, float64 (N,), a fraction.

    For methods whose two labels have no names; choosing by the truth image by image inflates the
    score. The reference has no eps. Raises `InvalidInput` for bad shapes, values other than 0 and 1,
    and with eps 0 naming the images whose target is empty, where the score may be zero over zero.

    Source: mickaelChen/ReDO@d654252 train.py `evaluate`.

    >>> best_label_iou([[[1, 0, 0, 0]]], [[[0, 1, 1, 1]]])
    array([1.])
    """
    pred, target, there = _masks(pred, target, scored)
    if eps == 0:
        _refuse_empty("target", _area(target))
    return np.maximum(_iou(pred, target, eps), _iou(~pred & there, target, eps))


def pixel_accuracy(pred: Any, target: Any, *, scored: Any = None) -> np.ndarray:
    """Share of pixels labelled as in the target, float64 (N,).

    pred, target: masks (N, H, W). Source: the usual definition, as in ReDO's `evaluate`, there with the
    better of a mask and its complement.

    Raises `InvalidInput` naming the images of which no pixel is scored.

    >>> pixel_accuracy([[[1, 1, 0, 0]]], [[[0, 1, 0, 0]]])
    array([0.75])
    """
    right, there = correct_pixels(pred, target, scored=scored).T
    _refuse_empty("scored", there, "pixel")
    return right / there


def correct_pixels(pred: Any, target: Any, *, scored: Any = None) -> np.ndarray:
    """Pixels labelled as in the target and pixels scored, of each image, float64 (N, 2).

    >>> correct_pixels([[[1, 1, 0, 0]]], [[[0, 1, 0, 0]]], scored=[[[1, 1, 1, 0]]])
    array([[2., 3.]])
    """
    pred, target, there = _masks(pred, target, scored)
    return np.stack([_area((pred == target) & there), _area(there)], axis=1)


def best_label_accuracy(pred: Any, target: Any, *, scored: Any = None) -> np.ndarray:
    """Pixel accuracy of each image with the better of the mask and its inverse, float64 (N,).

    Source: mickaelChen/ReDO@d654252 train.py `evaluate`.

    >>> best_label_accuracy([[[1, 1, 1, 0]]], [[[0, 0, 0, 0]]])
    array([0.75])
    """
    accuracy = pixel_accuracy(pred, target, scored=scored)
    return np.maximum(accuracy, 1.0 - accuracy)


def mask_disagreement(pred: Any, target: Any, *, scored: Any = None) -> np.ndarray:
    """Pixels in one mask but not the other, over the target's area; float64 (N,), 0 is perfect.

    A fraction that may exceed 1. Raises `InvalidInput` for bad shapes, values other than 0 and 1,
    and naming the images whose target is empty. Source: own definition; no reference code.

    >>> mask_disagreement([[[1, 1, 0, 0]]], [[[0, 1, 1, 0]]])
    array([1.])
    """
    pred, target, _ = _masks(pred, target, scored)
    area = _area(target)
    _refuse_empty("target", area)
    return _area(pred ^ target) / area


def pooled_mask_disagreement(pred: Any, target: Any, *, scored: Any = None) -> float:
    """Differing pixels of all images over target pixels of all images; empty targets count too.

    >>> pooled_mask_disagreement([[[1, 1]], [[0, 1]]], [[[1, 1]], [[0, 0]]])
    0.5
    """
    pred, target, _ = _masks(pred, target, scored)
    area = _area(target).sum()
    _refuse_empty("target", np.array([area]))
    return float(_area(pred ^ target).sum() / area)


def _masks(pred: Any, target: Any, scored: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both masks without what is not scored, and what is."""
    if scored is None:
        pred, target = checks.masks(pred=(pred, "N H W"), target=(target, "N H W"))
        return pred, target, np.ones(pred.shape, np.bool_)
    pred, target, there = checks.masks(
        pred=(pred, "N H W"), target=(target, "N H W"), scored=(scored, "N H W")
    )
    return pred & there, target & there, there


def _iou(pred: np.ndarray, target: np.ndarray, eps: float) -> np.ndarray:
    if not eps >= 0:
        raise InvalidInput(f"eps: expected a number not below 0, got {eps}")
    union = _area(pred | target)
    if eps == 0:
        _refuse_empty("pred and target", union)
    shared: np.ndarray = _area(pred & target) / (union + eps)
    return shared


def _area(masks: np.ndarray) -> np.ndarray:
    return masks.sum(axis=(1, 2), dtype=np.float64)


def _refuse_empty(what: str, area: np.ndarray, missing: str = "foreground") -> None:
    empty = np.flatnonzero(area == 0)
    if empty.size:
        raise InvalidInput(
            f"{what}: no {missing} in image {', '.join(map(str, empty[:8]))} of {len(area)},"
            " so the ratio is not defined",
            cure="leave these images out, and say so",
        )
