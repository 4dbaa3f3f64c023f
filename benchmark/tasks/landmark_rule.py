"""Which landmarks a protocol asks for, made from the points a data set has."""

from __future__ import annotations

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.protocols import LandmarkRule


def landmarks_of(points: np.ndarray, rule: LandmarkRule) -> np.ndarray:
    """Points (N, P, 2) → landmarks (N, K, 2) float32, in the same pixels.

    "all" takes them as they are. "mafl5_from_68" makes MAFL's five from the usual 68: the means of
    36–41 and of 42–47 (the eyes, image-left first), 30 (nose tip), 48 and 54 (mouth corners).
    """
    if points.ndim != 3 or points.shape[-1] != 2:
        raise InvalidInput(f"points must be (N, P, 2), got {points.shape}")
    if rule.rule == "mafl5_from_68":
        if points.shape[1] != 68:
            raise InvalidInput(f"rule 'mafl5_from_68' needs 68 points, got {points.shape[1]}")
        eyes = [points[:, 36:42].mean(axis=1), points[:, 42:48].mean(axis=1)]
        chosen = np.stack([*eyes, points[:, 30], points[:, 48], points[:, 54]], axis=1)
    else:
        chosen = points
    if chosen.shape[1] != rule.count:
        raise InvalidInput(f"the protocol asks for {rule.count} landmarks, got {chosen.shape[1]}")
    return chosen.astype(np.float32)
