"""How linearly attributes change when a generator walks a straight line in its latent space."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks

VARIANTS = (
    "released",
    "sum_normalised",
    "mean_normalised",
    "mean_normalised_with_start",
    "mean_raw",
    "mean_raw_with_start",
)

NOISE = 16  # last bits that arithmetic in the dtype that came may move a logit by


def attribute_linearity(logits: Any, variant: str) -> np.ndarray:
    """Attribute Linearity Score of each attribute, float64 (A,); their mean is the score.

    logits: (S, T + 1, A), classifier outputs of S walks at t = 0, 1/T, …, 1. What counts is the
    deviation from the straight line between the two ends of a walk; lower is more linear, 0 is
    exactly linear. Intervals come from drawing walks and scoring anew. Variants:

    - `released`: sum over t of (mean over walks of |deviation / sigma|)², what the released code
      prints; sigma is the population standard deviation of the attribute over all frames.
    - `sum_normalised`: sum over t of the mean over walks of (deviation / sigma)².
    - `mean_normalised`: the same, averaged over t = 1/T, …, 1 (the last is exactly 0).
    - `mean_raw`: as `mean_normalised` with logits left in their own unit.
    - `…_with_start`: averaged over all T + 1 points, t = 0 (exactly 0) among them.

    Since sigma belongs to the method that is scored, normalised values of two methods are in
    different units. Raises `InvalidInput` for an unknown variant, bad shapes, fewer than three
    frames, NaN, and, where sigma is needed, naming attributes that change by no more than the rounding
    of the dtype that came (16 last bits of the largest logit): of noise any size would score alike.

    Source: val-iisc/HSR@6f79595 ALS/compute_als.py (`released`), which asks nothing of sigma.

    >>> attribute_linearity([[[0.0], [3.0], [2.0]]], "mean_raw")     # deviation 2 at t = 1/2
    array([2.])
    """
    checks.one_of("variant", variant, VARIANTS)
    rounding = checks.rounding(logits)
    logits, deviation = _from_the_line(logits)
    frames = logits.shape[1]
    if "raw" not in variant:
        deviation /= _sigma(logits, NOISE * rounding)
    if variant == "released":
        return (np.abs(deviation).mean(axis=0) ** 2).sum(axis=0)
    total = (deviation**2).mean(axis=0).sum(axis=0)
    if variant == "sum_normalised":
        return total
    return total / (frames if variant.endswith("with_start") else frames - 1)


def deviation_by_step(logits: Any) -> np.ndarray:
    """Mean over walks of the absolute deviation from the straight line, float64 (T + 1, A), in logits.

    Arguments and errors as `attribute_linearity`, whose variant `released` is the sum over steps of
    these squared, over the attributes' variance.

    >>> deviation_by_step([[[0.0], [3.0], [2.0]], [[0.0], [0.0], [2.0]]])
    array([[0. ],
           [1.5],
           [0. ]])
    """
    mean: np.ndarray = np.abs(_from_the_line(logits)[1]).mean(axis=0)
    return mean


def _from_the_line(logits: Any) -> tuple[np.ndarray, np.ndarray]:
    """Logits (S, T + 1, A) as float64, and how far below the line between its ends each frame lies."""
    (logits,) = checks.arrays(logits=(logits, "S T+1 A"))
    frames = logits.shape[1]
    if frames < 3:
        raise InvalidInput(f"logits: expected at least 3 frames per walk, got {logits.shape}")
    t = np.linspace(0.0, 1.0, frames)[:, None]
    return logits, (1 - t) * logits[:, :1] + t * logits[:, -1:] - logits


def _sigma(logits: np.ndarray, rounding: float) -> np.ndarray:
    sigma: np.ndarray = logits.std(axis=(0, 1))
    constant = np.flatnonzero(sigma <= rounding * np.abs(logits).max(axis=(0, 1)))
    if constant.size:
        raise InvalidInput(f"logits: attribute {constant.tolist()} is the same in all frames")
    return sigma
