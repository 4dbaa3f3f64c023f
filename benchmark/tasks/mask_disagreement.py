"""Mask disagreement: pixels in one of predicted and true outline but not the other, over the true ones.

Metrics a protocol may name, with d the disagreement of an image:

- `mask_disagreement`: d in percent (0 at best, no upper end)
- `disagreement_area`: area under the cumulative curve of d from 0 to 1, in percent (100 at best)
- `disagreement_area_smoothed`: the same under the curve after Gaussian kernel smoothing (single)

Both curves are kept in the record. The exclusive-or of masks and its smoothed curve are those of the
annotation-invariant style transfer thesis, which shows the curves and names no number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.metrics.cumulative import (
    area_below,
    cumulative_share,
    scott_bandwidth,
    smoothed_area_below,
    smoothed_share,
)
from benchmark.metrics.segmentation import mask_disagreement
from benchmark.protocols import Foreground, Protocol
from benchmark.tasks.accepts import TASKS
from benchmark.tasks.base import Scores, Scoring
from benchmark.tasks.foreground import ForegroundTask, packed, true_masks, unpacked

if TYPE_CHECKING:
    from benchmark.datasets.prepared import PreparedSplit

SCORED_AT_ONCE = 256
CURVE_AT = np.linspace(0, 1, 51)

METRICS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "mask_disagreement": lambda d: 100 * d,
    "disagreement_area": lambda d: 100 * area_below(d),
    "disagreement_area_smoothed": lambda d: np.array([100 * smoothed_area_below(d)]),
}


class MaskDisagreement(ForegroundTask):
    """Measure outlines."""

    accepts = TASKS["mask_disagreement"]

    def score(self, store: Path, splits: Mapping[str, PreparedSplit], how: Scoring) -> Scores:
        masks = np.load(store / "foreground.npy", allow_pickle=False)
        share = _share(masks, splits["test"], how.protocol)
        found = _measured(share, how.protocol)
        rule = how.protocol.section(Foreground)
        about = {
            "name": f"foreground/{rule.alpha if how.kind == 'translation' else rule.parts}",
            "curve": {
                "at": CURVE_AT.round(3).tolist(),
                "share": cumulative_share(share, CURVE_AT).round(5).tolist(),
                "smoothed": smoothed_share(share, CURVE_AT).round(5).tolist(),
                "bandwidth": round(scott_bandwidth(share), 6),
            },
        }
        items = dict.fromkeys(found, len(share))
        return Scores(found, packed(masks), about, items=items)

    def errors(
        self, kept: Mapping[str, np.ndarray], split: PreparedSplit, protocol: Protocol
    ) -> dict[str, np.ndarray]:
        return _measured(_share(unpacked(kept), split, protocol), protocol)


def _share(masks: np.ndarray, split: PreparedSplit, protocol: Protocol) -> np.ndarray:
    """The disagreement of each image as a share of its true mask, (N,)."""
    truth, scored = true_masks(split, protocol)
    chunks = [
        slice(first, first + SCORED_AT_ONCE) for first in range(0, len(truth), SCORED_AT_ONCE)
    ]
    return np.concatenate(
        [mask_disagreement(masks[rows], truth[rows], scored=scored[rows]) for rows in chunks]
    )


def _measured(share: np.ndarray, protocol: Protocol) -> dict[str, np.ndarray]:
    return {metric.id: METRICS[metric.id](share) for metric in protocol.metrics}
