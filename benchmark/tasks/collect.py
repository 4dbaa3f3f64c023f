"""Run a method over a split in batches and keep what it predicts: points, or maps in half precision.

Maps can be larger than memory (3,840 channels at 48 × 48 for 10,000 images are 177 GB), so they go to
a memory-mapped file as they come; everything is checked on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.contracts.errors import Incompatible, PluginBroken
from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.method import Ceiling, Method, Progress
from benchmark.contracts.predictions import (
    PREDICTIONS,
    Descriptors,
    Landmarks,
    Parts,
    Prediction,
    Translation,
)
from benchmark.contracts.spec import Kind
from benchmark.files import require_room, save_array
from benchmark.method_errors import prediction_of
from benchmark.probes.part_centres import landmarks_of
from benchmark.protocols import LandmarkRule

BATCH = 64
HALF_MAX = 65504.0

Truth = Callable[[slice], Any]
"""What a ceiling is shown of some rows of images."""


def collect(
    method: Method,
    kind: Kind,
    images: Images,
    labels: np.ndarray | None,
    folder: Path,
    progress: Progress,
    name: str,
    rule: LandmarkRule | None = None,
) -> None:
    """Predict every image and write the arrays into `folder`.

    `labels` (N, K, 2) are shown to ceilings alone; `rule` says how parts give landmarks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    maps = ArrayFile(folder / "maps.npy", len(images), "float16", "descriptors")
    parts: list[Prediction] = []
    truth = None if labels is None else rows_of(labels)
    for rows, prediction in predictions(method, kind, images, truth, progress, name, rule):
        if isinstance(prediction, Descriptors):
            maps.write(rows, _halved(prediction.maps), method)
        else:
            parts.append(prediction.to("cpu"))
    if parts:
        with prediction_of(method):
            joined = type(parts[0]).concatenate(parts)
        for field, array in joined.arrays().items():
            save_array(folder / f"{field}.npy", array)


def rows_of(labels: np.ndarray) -> Truth:
    """Labels (N, …) as tensors."""
    return lambda rows: torch.from_numpy(np.array(labels[rows]))


def _halved(maps: torch.Tensor) -> np.ndarray:
    """Maps in half precision, in which they are kept."""
    if (highest := float(maps.abs().amax())) > HALF_MAX:
        raise PluginBroken(
            f"descriptors reach {highest:.3g}, beyond half precision ({HALF_MAX:.0f}), in which they "
            "are kept",
            cure="scale or normalise them in the method",
        )
    return maps.half().cpu().numpy()


def predictions(
    method: Method,
    kind: Kind,
    images: Images,
    truth: Truth | None,
    progress: Progress,
    name: str,
    rule: LandmarkRule | None = None,
    *,
    count: int | None = None,
    batch: int = BATCH,
) -> Iterator[tuple[slice, Prediction]]:
    """The prediction of each batch of the first `count` images (default: all) and its rows, checked.

    `truth` gives what ceilings alone are shown of some rows. For tasks that keep less than what is
    predicted: part maps of 1,000 images are gigabytes.
    """
    count = len(images) if count is None else count
    for first in range(0, count, batch):
        rows = slice(first, min(first + batch, count))
        shown = None if truth is None else truth(rows)
        with torch.inference_mode():
            prediction = predict_batch(method, kind, images.batch(rows), shown, rule)
        yield rows, prediction
        progress(f"predict {name}", rows.stop, count)


def predict_batch(
    method: Method,
    kind: Kind,
    pixels: torch.Tensor,
    truth: Any,
    rule: LandmarkRule | None = None,
) -> Prediction:
    """What a method predicts for pixels uint8 (B, 3, S, S), checked; ceilings are shown `truth`.

    `rule` names how parts become landmarks. Raises PluginBroken where `predict` fails, or gives another
    kind, count, shape or geometry than was asked for.
    """
    batch = to_signed(pixels.to(method.device))
    if isinstance(method, Ceiling):
        if truth is None:
            raise PluginBroken(f"{type(method).__name__} needs labels, but this split has none")
        shown = truth.to(method.device) if isinstance(truth, torch.Tensor) else truth
        with prediction_of(method):
            prediction = method.predict_from_labels(batch, shown)
    else:
        with prediction_of(method):
            prediction = method.predict(batch)
    _require_geometry(prediction, batch.shape[-1], type(method).__name__)
    if kind == "landmarks" and isinstance(prediction, Parts):
        prediction = landmarks_of(prediction, rule.part_centres if rule else "soft_mean")
    wanted = PREDICTIONS[kind]
    if not isinstance(prediction, wanted):
        raise PluginBroken(
            f"{type(method).__name__}.predict gave {type(prediction).__name__}, "
            f"expected {wanted.__name__}"
        )
    if len(prediction) != len(batch):
        raise PluginBroken(
            f"{type(method).__name__}.predict gave {len(prediction)} predictions for "
            f"{len(batch)} images"
        )
    if isinstance(prediction, Landmarks) and rule is not None:
        _require_few(method, prediction.points.shape[1], rule)
    return prediction


def _require_few(method: Method, given: int, rule: LandmarkRule) -> None:
    """More points than asked for tell more of an image, and their row would not compare."""
    if rule.most is not None and given > rule.most and not isinstance(method, Ceiling):
        raise Incompatible(
            f"{type(method).__name__} gives {given} points, this protocol scores at most {rule.most}",
            cure="set the method's number of points or parts; another protocol may ask for more",
        )


def _require_geometry(prediction: Prediction, size: int, method: str) -> None:
    """Refuse maps that lie on the image otherwise than tasks read them: as cells that tile it."""
    if isinstance(prediction, Descriptors):
        tiled = Descriptors.covering(prediction.maps[:0], size)
        given = (prediction.stride, prediction.offset)
        if not np.allclose(given, (tiled.stride, tiled.offset), atol=1e-6):
            raise PluginBroken(
                f"{method} gave descriptors with stride {given[0]:g} and offset {given[1]:g}; a "
                f"{prediction.maps.shape[-1]}-cell map of {size} px is read as stride "
                f"{tiled.stride:g}, offset {tiled.offset:g}",
                cure="resample the maps so that their cells tile the image: Descriptors.covering",
            )
    if isinstance(prediction, Parts | Translation):
        maps = prediction.probabilities if isinstance(prediction, Parts) else prediction.alpha
        if maps.shape[-2:] != (size, size):
            raise PluginBroken(
                f"{method} gave {prediction.kind} of {tuple(maps.shape[-2:])} pixels for images of "
                f"{size}",
                cure="resize the maps to the image's size",
            )


class ArrayFile:
    """An array (count, …) of any size, mapped to a .npy file that is made at the first write.

    `what` are its rows, for errors: "clouds".
    """

    def __init__(self, path: Path, count: int, dtype: str, what: str) -> None:
        self.path, self.count, self.dtype, self.what = path, count, np.dtype(dtype), what
        self.file: np.memmap | None = None

    def write(self, rows: slice, array: np.ndarray, by: object) -> None:
        """Put rows in their place; raises `DiskFull`, or `PluginBroken` where they are of another shape
        than those before, which were `by` a method too."""
        shape = (self.count, *array.shape[1:])
        if self.file is None:
            size = self.dtype.itemsize * int(np.prod(shape))
            require_room(self.path.parent, size, f"the {self.what}")
            self.file = np.lib.format.open_memmap(self.path, "w+", self.dtype, shape)
        if self.file.shape != shape:
            raise PluginBroken(
                f"{type(by).__name__} predicts {self.what} of shape {array.shape[1:]} after "
                f"{self.what} of shape {self.file.shape[1:]}",
                cure="predict the same shape for every image",
            )
        self.file[rows] = array
        if rows.stop == self.count:
            self.file.flush()
            self.file = None
