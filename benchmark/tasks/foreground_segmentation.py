"""Foreground segmentation: parts become a mask by a named rule, which is held against the true one.

Metrics a protocol may name:

- `foreground_iou`: intersection over union per image, by the protocol's rule (GANSeg's formula)
- `iou_best_of_two`: per image the better of the mask and its inverse (ReDO), with GANSeg's 1e-6
- `iou_background_80`: `foreground_iou` by the rule "background_80" (Assembly)
- `iou_pooled`: all intersections over all unions (aggregate ratio_of_sums)
- `pixel_accuracy`: all pixels labelled right over all scored (aggregate ratio_of_sums)
- `part_nmi`, `part_ari`: the part found at each visible landmark against which landmark it is, over all
  landmarks together (aggregate single); with `_foreground` the background can't be found (unsup-parts);
  with `/unsup_parts` behind it the part is read half a pixel off, as unsup-parts' code does

All are in percent. Pixels whose mask says 255 count nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmark.contracts.errors import DataAltered
from benchmark.contracts.predictions import Parts, Prediction
from benchmark.metrics.clustering import (
    adjusted_rand_index,
    labels_at,
    normalised_mutual_information,
)
from benchmark.metrics.segmentation import (
    best_label_iou,
    correct_pixels,
    foreground_iou,
    iou_pixels,
)
from benchmark.protocols import Foreground, Protocol
from benchmark.tasks.accepts import TASKS
from benchmark.tasks.base import Scores, Scoring
from benchmark.tasks.foreground import (
    ForegroundTask,
    Reading,
    foreground_of,
    packed,
    true_masks,
    unpacked,
)

if TYPE_CHECKING:
    from benchmark.datasets.prepared import PreparedSplit

SCORED_AT_ONCE = 256
BACKGROUND_80 = Foreground(parts="background_80")
EPS = 1e-6


@dataclass(frozen=True)
class Masks:
    """Some images' masks, bool (n, S, S)."""

    foreground: np.ndarray
    background_80: np.ndarray | None
    truth: np.ndarray
    scored: np.ndarray


def _best_of_two(m: Masks) -> np.ndarray:
    return 100 * best_label_iou(m.foreground, m.truth, EPS, scored=m.scored)


PER_IMAGE: Mapping[str, Callable[[Masks], np.ndarray]] = {
    "foreground_iou": lambda m: 100 * foreground_iou(m.foreground, m.truth, EPS, scored=m.scored),
    "iou_best_of_two": _best_of_two,
    "iou_background_80": lambda m: (
        100 * foreground_iou(m.background_80, m.truth, EPS, scored=m.scored)
    ),
    "iou_pooled": lambda m: iou_pixels(m.foreground, m.truth, scored=m.scored),
    "pixel_accuracy": lambda m: correct_pixels(m.foreground, m.truth, scored=m.scored),
}
AT_LANDMARKS: Mapping[str, tuple[str, str, Callable[[Any, Any], float]]] = {
    f"{name}{variant}": (reading, rule, agreement)
    for variant, rule in (("", "nearest"), ("/unsup_parts", "unsup_parts"))
    for name, reading, agreement in (
        ("part_nmi", "parts", normalised_mutual_information),
        ("part_ari", "parts", adjusted_rand_index),
        ("part_nmi_foreground", "front", normalised_mutual_information),
        ("part_ari_foreground", "front", adjusted_rand_index),
    )
}
"""Metric id → what is kept of predictions, the rule of `labels_at`, the agreement."""


class ForegroundSegmentation(ForegroundTask):
    """Measure masks, and parts at landmarks."""

    accepts = TASKS["foreground_segmentation"]
    keeps_predictions = True

    def readings(self, protocol: Protocol) -> dict[str, Reading]:
        found = super().readings(protocol)
        for metric in protocol.metrics:
            if metric.id == "iou_background_80":
                found["background_80"] = lambda p: foreground_of(p, BACKGROUND_80)
            elif metric.id in AT_LANDMARKS:
                name = AT_LANDMARKS[metric.id][0]
                found[name] = _most_probable if name == "parts" else _most_probable_in_front
        return found

    def require(self, splits: Mapping[str, PreparedSplit], how: Scoring) -> None:
        super().require(splits, how)
        if any(metric.id in AT_LANDMARKS for metric in how.protocol.metrics):
            _seen_landmarks(splits["test"])

    def score(self, store: Path, splits: Mapping[str, PreparedSplit], how: Scoring) -> Scores:
        split, protocol = splits["test"], how.protocol
        arrays = {
            name: np.load(store / f"{name}.npy", allow_pickle=False)
            for name in self.readings(protocol)
        }
        asked = [metric.id for metric in protocol.metrics]
        truth, scored = true_masks(split, protocol)
        found = _per_image([n for n in asked if n in PER_IMAGE], arrays, truth, scored)
        items: dict[str, int] = {}
        for name in (n for n in asked if n in AT_LANDMARKS):
            reading, rule, agreement = AT_LANDMARKS[name]
            parts, landmarks = _at_landmarks(arrays[reading], split, rule)
            found[name] = np.array([100 * agreement(parts, landmarks)])
            items[name] = len(parts)
        about = {
            "name": f"foreground/{protocol.section(Foreground).parts}",
            "foreground_share": round(float(truth.sum() / scored.sum()), 6),
            "predicted_share": round(
                float((arrays["foreground"] & scored).sum() / scored.sum()), 6
            ),
            "not_scored_share": round(1 - float(scored.mean()), 6),
            "images_without_foreground": int((~truth.any((1, 2))).sum()),
        }
        return Scores(found, packed(arrays["foreground"]), about, items=items)

    def errors(
        self, kept: Mapping[str, np.ndarray], split: PreparedSplit, protocol: Protocol
    ) -> dict[str, np.ndarray]:
        """Those metrics that the foreground alone decides; which part a pixel is in is not kept."""
        metrics = [metric.id for metric in protocol.metrics]
        names = [n for n in metrics if n in PER_IMAGE and n != "iou_background_80"]
        truth, scored = true_masks(split, protocol)
        return _per_image(names, {"foreground": unpacked(kept)}, truth, scored)


def _per_image(
    names: list[str], arrays: Mapping[str, np.ndarray], truth: np.ndarray, scored: np.ndarray
) -> dict[str, np.ndarray]:
    """The metrics that have a value per image, by name."""
    values: dict[str, list[np.ndarray]] = {name: [] for name in names}
    other = arrays.get("background_80")
    for first in range(0, len(truth), SCORED_AT_ONCE):
        rows = slice(first, first + SCORED_AT_ONCE)
        some = Masks(
            arrays["foreground"][rows],
            None if other is None else other[rows],
            truth[rows],
            scored[rows],
        )
        for name, found in values.items():
            found.append(PER_IMAGE[name](some))
    return {name: np.concatenate(found) for name, found in values.items()}


def _most_probable(prediction: Prediction) -> torch.Tensor:
    assert isinstance(prediction, Parts)
    return prediction.probabilities.argmax(1).to(torch.int16)


def _most_probable_in_front(prediction: Prediction) -> torch.Tensor:
    assert isinstance(prediction, Parts)
    return prediction.probabilities[:, 1:].argmax(1).to(torch.int16)


def _at_landmarks(
    maps: np.ndarray, split: PreparedSplit, rule: str
) -> tuple[np.ndarray, np.ndarray]:
    """The part at each visible landmark of all images, and which landmark it is; both (M,)."""
    points, seen = _seen_landmarks(split)
    parts = labels_at(maps, np.where(seen[..., None], points, 0))
    landmarks = np.broadcast_to(np.arange(seen.shape[1]), seen.shape)
    return parts[seen], landmarks[seen]


def _seen_landmarks(split: PreparedSplit) -> tuple[np.ndarray, np.ndarray]:
    """The landmarks (N, K, 2) of a split and which of them are visible (N, K)."""
    visible = split.labels.get("visible")
    if split.points is None or visible is None or not np.asarray(visible).any():
        raise DataAltered(
            f"the images in {split.folder} show no landmarks, at which parts are looked at",
            cure='the protocol\'s data.labels must hold "visible", and the samples points',
        )
    return split.points, np.asarray(visible, np.bool_)
