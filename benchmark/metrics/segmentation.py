"""How well a predicted foreground mask agrees with the true one.

Masks are (N, H, W), true where foreground: booleans, or numbers that are all exactly 0 or 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks


def foreground_iou(pred: Any, target: Any, eps: float = 1e-6) -> np.ndarray:
    """Intersection over union of each image, float64 (N,), a fraction.

    pred, target: masks (N, H, W). The union grows by `eps` pixels, so that two empty masks score 0
    and a perfect prediction falls short of 1 by eps / its area. Labels are not permuted: a mask
    against its inverse scores 0. Raises `InvalidInput` for bad shapes, values other than 0 and 1,
    a negative eps, and with eps 0 naming the images where both masks are empty.

    Source: xingzhehe/GANSeg@a3f5078 test_seg.py.

    >>> foreground_iou([[[1, 1, 0, 0]]], [[[0, 1, 1, 0]]], eps=0).round(6)
    array([0.333333])
    """
    pred, target = _masks(pred, target)
    if not eps >= 0:
        raise InvalidInput(f"eps: expected a number not below 0, got {eps}")
    union = _area(pred | target)
    if eps == 0:
        _refuse_empty("pred and target", union)
    return _area(pred & target) / (union + eps)


def pooled_iou(pred: Any, target: Any) -> float:
    """Intersections of all images over unions of all images, a fraction; large objects weigh more.

    No method in this field reports it; it is here to show what the mean over images hides.

    >>> round(pooled_iou([[[1, 1]], [[0, 1]]], [[[1, 1]], [[1, 0]]]), 6)
    0.5
    """
    pred, target = _masks(pred, target)
    union = _area(pred | target).sum()
    _refuse_empty("pred and target", np.array([union]))
    return float(_area(pred & target).sum() / union)


def best_label_iou(pred: Any, target: Any) -> np.ndarray:
    """IoU of each image with the better of the mask and its inverse, float64 (N,), a fraction.

    For methods whose two labels have no names; choosing by the truth image by image inflates the
    score. No epsilon. Raises `InvalidInput` for bad shapes, values other than 0 and 1, and naming
    the images whose target is empty, where the score may be zero divided by zero.

    Source: mickaelChen/ReDO@d654252 train.py `evaluate`.

    >>> best_label_iou([[[1, 0, 0, 0]]], [[[0, 1, 1, 1]]])
    array([1.])
    """
    pred, target = _masks(pred, target)
    _refuse_empty("target", _area(target))
    return np.maximum(foreground_iou(pred, target, eps=0), foreground_iou(~pred, target, eps=0))


def pixel_accuracy(pred: Any, target: Any) -> np.ndarray:
    """Share of pixels labelled as in the target, float64 (N,).

    >>> pixel_accuracy([[[1, 1, 0, 0]]], [[[0, 1, 0, 0]]])
    array([0.75])
    """
    pred, target = _masks(pred, target)
    return (pred == target).mean(axis=(1, 2))


def best_label_accuracy(pred: Any, target: Any) -> np.ndarray:
    """Pixel accuracy of each image with the better of the mask and its inverse, float64 (N,).

    Source: mickaelChen/ReDO@d654252 train.py `evaluate`.

    >>> best_label_accuracy([[[1, 1, 1, 0]]], [[[0, 0, 0, 0]]])
    array([0.75])
    """
    accuracy = pixel_accuracy(pred, target)
    return np.maximum(accuracy, 1.0 - accuracy)


def mask_disagreement(pred: Any, target: Any) -> np.ndarray:
    """Pixels in one mask but not the other, over the target's area; float64 (N,), 0 is perfect.

    A fraction that may exceed 1. Raises `InvalidInput` for bad shapes, values other than 0 and 1,
    and naming the images whose target is empty. Own definition; no reference code.

    >>> mask_disagreement([[[1, 1, 0, 0]]], [[[0, 1, 1, 0]]])
    array([1.])
    """
    pred, target = _masks(pred, target)
    area = _area(target)
    _refuse_empty("target", area)
    return _area(pred ^ target) / area


def pooled_mask_disagreement(pred: Any, target: Any) -> float:
    """Differing pixels of all images over target pixels of all images; empty targets count too.

    >>> pooled_mask_disagreement([[[1, 1]], [[0, 1]]], [[[1, 1]], [[0, 0]]])
    0.5
    """
    pred, target = _masks(pred, target)
    area = _area(target).sum()
    _refuse_empty("target", np.array([area]))
    return float(_area(pred ^ target).sum() / area)


def _masks(pred: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
    pred, target = checks.masks(pred=(pred, "N H W"), target=(target, "N H W"))
    return pred, target


def _area(masks: np.ndarray) -> np.ndarray:
    return masks.sum(axis=(1, 2), dtype=np.float64)


def _refuse_empty(what: str, area: np.ndarray) -> None:
    empty = np.flatnonzero(area == 0)
    if empty.size:
        raise InvalidInput(
            f"{what}: no foreground in image {', '.join(map(str, empty[:8]))} of {len(area)},"
            " so the ratio is not defined",
            cure="leave these images out, and say so",
        )
