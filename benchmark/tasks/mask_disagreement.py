"""Mask disagreement: pixels in one of predicted and true outline but not the other, over the true ones.

Metrics a protocol may name, with d the disagreement of an image:

- `mask_disagreement`: d in percent (0 at best, no upper end)
- `disagreement_area`: area under the cumulative curve of d from 0 to 1, in percent (100 at best)
- `disagreement_area_smoothed`: the same under the curve after Gaussian kernel smoothing (single)

A cloud is scored by the outline it has under the pose predicted with it, seen by the protocol's
camera: the pair is the method's own, whatever its canonical frame, so nothing is aligned. Of parts and
translated images the foreground is the outline.

Both curves are kept in the record. The exclusive-or of masks and its smoothed curve are those of the
annotation-invariant style transfer thesis, which shows the curves and names no number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmark.contracts.predictions import Prediction, ShapeAndPose
from benchmark.contracts.spec import Kind
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
from benchmark.tasks.collect import Truth
from benchmark.tasks.foreground import (
    ForegroundTask,
    Reading,
    cloud_foreground,
    foreground_of,
    packed,
    true_masks,
    unpacked,
)
from benchmark.tasks.shape_and_pose import truth_of, view_rows

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

    def require(self, splits: Mapping[str, PreparedSplit], how: Scoring) -> None:
        super().require(splits, how)
        if how.kind == "shape_and_pose" and (rule := how.protocol.section(Foreground).clouds):
            view_rows(splits["test"], rule.views)

    def truth(self, kind: Kind, split: PreparedSplit, protocol: Protocol) -> Truth | None:
        """Where clouds are scored, true clouds and poses: what is left is the rule's own error."""
        if kind != "shape_and_pose":
            return super().truth(kind, split, protocol)
        if split.clouds is None or "quaternions" not in split.labels:
            return None
        return partial(truth_of, split, seed=protocol.evaluation_seed)

    def readings(self, protocol: Protocol) -> dict[str, Reading]:
        rule, size = protocol.section(Foreground), protocol.size

        def foreground(prediction: Prediction) -> torch.Tensor:
            if isinstance(prediction, ShapeAndPose):
                assert rule.clouds is not None  # checks of the file saw that it is named
                return cloud_foreground(prediction, rule.clouds, size)
            return foreground_of(prediction, rule)

        return {"foreground": foreground}

    def score(self, store: Path, splits: Mapping[str, PreparedSplit], how: Scoring) -> Scores:
        masks = np.load(store / "foreground.npy", allow_pickle=False)
        share = _share(masks, splits["test"], how.protocol)
        found = _measured(share, how.protocol)
        rule = how.protocol.section(Foreground)
        about = {
            "name": f"foreground/{_rule_name(rule, how.kind)}",
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


def _rule_name(rule: Foreground, kind: Kind) -> str:
    if kind == "shape_and_pose" and rule.clouds is not None:
        return rule.clouds.rule
    return str(rule.alpha) if kind == "translation" else rule.parts


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
