"""From predictions to foreground masks by a named rule, and the true masks they are held against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmark.contracts.errors import DataAltered
from benchmark.contracts.method import Method, Progress
from benchmark.contracts.predictions import Parts, Prediction, ShapeAndPose, Translation
from benchmark.contracts.spec import Kind
from benchmark.datasets.masks import NOT_SCORED
from benchmark.files import save_array
from benchmark.metrics.pose import rotate
from benchmark.metrics.silhouette import cloud_silhouette
from benchmark.protocols import CloudOutline, Foreground, Protocol
from benchmark.tasks.base import Scoring, Task
from benchmark.tasks.collect import Truth, predictions, rows_of
from benchmark.tasks.views import ImageSet

if TYPE_CHECKING:
    from benchmark.datasets.prepared import PreparedSplit

Reading = Callable[[Prediction], torch.Tensor]


def _background_80(parts: Parts) -> torch.Tensor:
    background = parts.probabilities[:, 0]
    return parts.foreground() | (background <= 0.8)


PART_RULES: Mapping[str, Callable[[Parts], torch.Tensor]] = {
    "argmax": Parts.foreground,  # xingzhehe/GANSeg@a3f5078 test_seg.py
    "background_80": _background_80,  # Talegqz/unsupervised_co_part_segmentation@fa97b42 evaluation.py
}
ALPHA_LEAST: Mapping[str, float] = {"above_half": 0.5, "above_zero": 0.0}


def foreground_of(prediction: Prediction, rule: Foreground) -> torch.Tensor:
    """bool (B, S, S): the foreground of `Parts` or `Translation` by the protocol's rule.

    Example: with "argmax", part probabilities (0.4, 0.3, 0.3), background first, are background; with
    "background_80" they are foreground, as the background is not above 0.8.
    """
    if isinstance(prediction, Translation):
        assert rule.alpha is not None  # checks of the file saw that it is named
        return prediction.alpha[:, 0] > ALPHA_LEAST[rule.alpha]
    assert isinstance(prediction, Parts)
    return PART_RULES[rule.parts](prediction)


def cloud_foreground(prediction: ShapeAndPose, rule: CloudOutline, size: int) -> torch.Tensor:
    """bool (B, size, size): the pixels that each cloud covers under the pose predicted with it.

    Example: of a cloud far off the frame no pixel is foreground.
    """
    masks = []
    clouds, rotations = prediction.points.cpu().numpy(), prediction.rotation.cpu().numpy()
    for points, rotation in zip(clouds, rotations, strict=True):
        seen = rotate(rotation, points)
        if rule.camera_axes == "right_down_forward":
            seen = seen[:, [2, 1, 0]] * [1, -1, 1]
        masks.append(
            cloud_silhouette(
                seen, size, grid=rule.grid, radius=rule.radius, threshold=rule.threshold,
                focal=rule.focal, distance=rule.distance,
            )
        )  # fmt: skip
    return torch.from_numpy(np.stack(masks))


class ForegroundTask(Task):
    """Masks made of predictions on the test split, held against the true ones; nothing is fitted.

    What is kept of a prediction are its `readings`, one array (N, …) each: part maps of 1,000 images
    would be gigabytes.
    """

    def truth(self, kind: Kind, split: PreparedSplit, protocol: Protocol) -> Truth | None:
        """What ceilings are shown of some rows: their true masks."""
        masks = split.labels.get("masks")
        return None if masks is None else rows_of(np.asarray(masks))

    def readings(self, protocol: Protocol) -> dict[str, Reading]:
        """What is kept of each prediction, by name: the foreground by the protocol's rule."""
        rule = protocol.section(Foreground)
        return {"foreground": lambda prediction: foreground_of(prediction, rule)}

    def require(self, splits: Mapping[str, PreparedSplit], how: Scoring) -> None:
        true_masks(splits["test"], how.protocol)

    def image_sets(self, splits: Mapping[str, PreparedSplit], protocol: Protocol) -> list[ImageSet]:
        test = splits["test"]
        return [ImageSet.of_split("test", test, lambda: test.labels.get("masks"))]

    def predict(
        self,
        method: Method,
        kind: Kind,
        splits: Mapping[str, PreparedSplit],
        protocol: Protocol,
        store: Path,
        progress: Progress,
    ) -> None:
        store.mkdir(parents=True, exist_ok=True)
        (view,), readings = self.image_sets(splits, protocol), self.readings(protocol)
        kept: dict[str, list[np.ndarray]] = {name: [] for name in readings}
        images, truth = view.images(progress), self.truth(kind, splits["test"], protocol)
        for _, prediction in predictions(method, kind, images, truth, progress, view.name):
            for name, read in readings.items():
                kept[name].append(read(prediction).cpu().numpy())
        for name, arrays in kept.items():
            save_array(store / f"{name}.npy", np.concatenate(arrays))


def true_masks(split: PreparedSplit, protocol: Protocol) -> tuple[np.ndarray, np.ndarray]:
    """The true foreground and which pixels are scored, both bool (N, S, S)."""
    if "masks" not in split.labels:
        raise DataAltered(f"{split.folder} of {protocol.name} carries no masks")
    masks = np.asarray(split.labels["masks"])
    scored = masks != NOT_SCORED
    empty = np.flatnonzero(~scored.any((1, 2)))
    if empty.size:
        raise DataAltered(
            f"{split.keys[empty[0]]} has no pixel that is scored"
            + (f" (and {empty.size - 1} more)" if empty.size > 1 else ""),
            cure="put the publisher's masks there again",
        )
    return masks == 1, scored


def packed(masks: np.ndarray) -> dict[str, np.ndarray]:
    """Masks (N, S, S) at a bit per pixel, as they are kept beside a record; see `unpacked`."""
    return {
        "foreground": np.packbits(masks.reshape(len(masks), -1), axis=1),
        "side": np.array(masks.shape[-1]),
    }


def unpacked(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """bool (N, S, S), the inverse of `packed`.

    >>> masks = np.arange(9).reshape(1, 3, 3) % 2 == 0
    >>> bool((unpacked(packed(masks)) == masks).all())
    True
    """
    side = int(arrays["side"])
    bits = np.unpackbits(arrays["foreground"], axis=1, count=side * side)
    return bits.reshape(-1, side, side).astype(np.bool_)
