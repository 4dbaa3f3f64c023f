"""Do found parts go with named landmarks? Agreement of two labellings whose names do not match.

Labellings are (N,) integers, one per point; which number stands for what does not matter.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks

READINGS = ("nearest", "unsup_parts")


def normalised_mutual_information(pred: Any, target: Any) -> float:
    """Mutual information over the mean of both entropies: 1 if each names the other, 0 if neither.

    0 where one of them has a single label, and 1 where both have. Equal to scikit-learn's
    `normalized_mutual_info_score` (arithmetic mean). Raises `InvalidInput` for bad shapes.

    Source: scikit-learn's definition.

    >>> normalised_mutual_information([0, 0, 1, 1], [5, 5, 3, 3])
    1.0
    >>> normalised_mutual_information([0, 0, 0, 0], [0, 1, 0, 1])
    0.0
    """
    table = _contingency(pred, target)
    rows, columns = table.sum(1), table.sum(0)
    if len(rows) == len(columns) == 1:
        return 1.0
    if 1 in (len(rows), len(columns)):
        return 0.0
    total = table.sum()
    i, j = np.nonzero(table)
    joint = table[i, j]
    shared = float((joint / total * np.log(joint * total / (rows[i] * columns[j]))).sum())
    return max(0.0, shared) / (0.5 * (_entropy(rows) + _entropy(columns)))


def adjusted_rand_index(pred: Any, target: Any) -> float:
    """Share of pairs of points on which both agree, adjusted so that chance gives 0 and equality 1.

    May be below 0. 1 where both have a single label, or both as many as points. Equal to
    scikit-learn's `adjusted_rand_score`. Raises `InvalidInput` for bad shapes.

    Source: Hubert and Arabie 1985.

    >>> adjusted_rand_index([0, 0, 1, 1], [5, 5, 3, 3])
    1.0
    >>> round(adjusted_rand_index([0, 0, 1, 2], [0, 0, 1, 1]), 4)
    0.5714
    """
    table = _contingency(pred, target)
    together = _pairs(table).sum()
    by_pred, by_target = _pairs(table.sum(1)).sum(), _pairs(table.sum(0)).sum()
    expected = by_pred * by_target / max(_pairs(table.sum()), 1.0)
    best = (by_pred + by_target) / 2
    if best == expected:
        return 1.0
    return float((together - expected) / (best - expected))


def labels_at(maps: Any, points: Any, rule: str = "nearest") -> np.ndarray:
    """The label of the pixel at each point; int64 (N, K).

    maps (N, H, W) integers; points (N, K, 2) as (x, y), pixels, the centre of the top-left pixel at
    (0, 0); points outside take the nearest pixel of the border. Rules:

    - `nearest`: the pixel that the point lies in, floor(x + 1/2).
    - `unsup_parts`: round-half-even(x - 1/2), half a pixel to the left and above. The source divides x
      by W and samples the nearest with align_corners false, where x / W would have to be (x + 1/2) / W:
      whole x of 0 to 5 read the columns 0, 0, 2, 2, 4, 4. (So at sides of a power of two; at others
      the rounding of x / W decides whole x. To points outside, of which it has none, it gives 0.)

    Raises `InvalidInput` for bad shapes, labels that are no integers and an unknown rule.

    Source: subhc/unsup-parts@b148146 evaluation/CUB eval.ipynb, for its rule.

    >>> labels_at([[[1, 2], [3, 4]]], [[[0.6, 0.2], [-3.0, 1.0]]])
    array([[2, 3]])
    >>> labels_at([[[1, 2], [3, 4]]], [[[0.6, 0.2], [-3.0, 1.0]]], "unsup_parts")
    array([[1, 1]])
    """
    checks.one_of("rule", rule, READINGS)
    values, at = checks.arrays(maps=(maps, "N H W"), points=(points, "N K 2"))
    if (values != np.round(values)).any():
        raise InvalidInput("maps: expected integers, one label per pixel")
    height, width = values.shape[1:]
    pixel = np.floor(at + 0.5) if rule == "nearest" else np.round(at - 0.5)
    x = np.clip(pixel[..., 0], 0, width - 1).astype(int)
    y = np.clip(pixel[..., 1], 0, height - 1).astype(int)
    return values[np.arange(len(values))[:, None], y, x].astype(np.int64)


def _contingency(pred: Any, target: Any) -> np.ndarray:
    """How many points have the i-th label of one and the j-th of the other; float64."""
    pred, target = checks.arrays(pred=(pred, "N"), target=(target, "N"))
    ours, i = np.unique(pred, return_inverse=True)
    theirs, j = np.unique(target, return_inverse=True)
    table = np.zeros((len(ours), len(theirs)))
    np.add.at(table, (i, j), 1)
    return table


def _entropy(counts: np.ndarray) -> float:
    share = counts / counts.sum()
    return float(-(share * np.log(share)).sum())


def _pairs(counts: np.ndarray) -> np.ndarray:
    pairs: np.ndarray = counts * (counts - 1) / 2
    return pairs
