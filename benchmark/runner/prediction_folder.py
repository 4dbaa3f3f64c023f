"""Predictions on pictures as a folder: arrays by the picture's name, tables, and masks as pictures."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from PIL import Image

from benchmark.colours import colours
from benchmark.contracts.images import to_bytes
from benchmark.contracts.predictions import (
    Descriptors,
    Landmarks,
    Parts,
    Prediction,
    ShapeAndPose,
    Translation,
)
from benchmark.protocols import Foreground
from benchmark.runner.views import PictureCrop
from benchmark.tasks.foreground import foreground_of

UNSEEN = 255
"""In label maps: a pixel that the method was not shown."""

GREY = 128


@dataclass
class PredictionFolder:
    """A folder that is written picture after picture, so that any number of them fits in memory.

    `FIELD.npz` holds an array for each picture under its name, `TABLE.csv` rows. Use it as a context.
    """

    folder: Path
    foreground: Foreground | None
    """How predictions become masks of the foreground, where the protocol says so."""
    archives: dict[str, zipfile.ZipFile] = field(default_factory=dict)
    tables: dict[str, Any] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> PredictionFolder:
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    def add(
        self, names: Sequence[str], crops: Sequence[PictureCrop], prediction: Prediction
    ) -> None:
        """Write the prediction of a batch, mapped back to the pictures' own pixels."""
        WRITERS[type(prediction)](self, names, crops, prediction)

    def array(self, field: str, name: str, array: np.ndarray) -> None:
        if field not in self.archives:
            path = self.folder / f"{field}.npz"
            archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
            self.archives[field] = self.stack.enter_context(archive)
        with self.archives[field].open(f"{name}.npy", "w", force_zip64=True) as file:
            np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)

    def rows(self, table: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        if table not in self.tables:
            path = self.folder / f"{table}.csv"
            file: TextIO = self.stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            self.tables[table] = csv.writer(file, lineterminator="\n")
            self.tables[table].writerow(header)
        self.tables[table].writerows(rows)

    def picture(self, kind: str, name: str, picture: Image.Image) -> None:
        path = self.folder / kind / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, "PNG")

    def masks(
        self, names: Sequence[str], crops: Sequence[PictureCrop], inside: torch.Tensor
    ) -> None:
        """Foreground (B, S, S) bool: 1, 0, 255 (unseen) in masks.npz, white, black, grey in masks/."""
        shown = np.zeros(256, np.uint8)
        shown[[1, UNSEEN]] = 255, GREY
        for name, crop, mask in zip(names, crops, inside.cpu().numpy(), strict=True):
            labels = crop.labels(mask.astype(np.uint8), UNSEEN)
            self.array("masks", name, labels)
            self.picture("masks", name, Image.fromarray(shown[labels]))


def _landmarks(
    files: PredictionFolder, names: Sequence[str], crops: Sequence[PictureCrop], found: Landmarks
) -> None:
    points = found.points.double().cpu().numpy()
    sure = None if found.confidence is None else found.confidence.cpu().numpy()
    header = ["file", "landmark", "x", "y", *([] if sure is None else ["confidence"])]
    for i, (name, crop) in enumerate(zip(names, crops, strict=True)):
        there = crop.to_picture(points[i])
        files.array("points", name, there.astype(np.float32))
        more: list[list[str]] = [[] for _ in there]
        if sure is not None:
            files.array("confidence", name, sure[i])
            more = [[f"{value:.4f}"] for value in sure[i]]
        rows = ([name, k, f"{x:.3f}", f"{y:.3f}", *more[k]] for k, (x, y) in enumerate(there))
        files.rows("points", header, rows)


def _parts(
    files: PredictionFolder, names: Sequence[str], crops: Sequence[PictureCrop], found: Parts
) -> None:
    labels = found.probabilities.argmax(1).byte().cpu().numpy()
    for name, crop, own in zip(names, crops, labels, strict=True):
        mapped = crop.labels(own, UNSEEN)
        files.array("parts", name, mapped)
        picture = Image.fromarray(mapped)
        picture.putpalette(_palette(found.probabilities.shape[1] - 1))
        files.picture("parts", name, picture)
    if files.foreground is not None:
        files.masks(names, crops, foreground_of(found, files.foreground))


def _translations(
    files: PredictionFolder, names: Sequence[str], crops: Sequence[PictureCrop], found: Translation
) -> None:
    images = to_bytes(found.images).permute(0, 2, 3, 1).cpu().numpy()
    alpha = found.alpha[:, 0].half().cpu().numpy()
    for i, name in enumerate(names):
        files.array("images", name, images[i])
        files.array("alpha", name, alpha[i])
        files.picture("images", name, Image.fromarray(images[i]))
    if files.foreground is not None and files.foreground.alpha is not None:
        files.masks(names, crops, foreground_of(found, files.foreground))


def _descriptors(
    files: PredictionFolder, names: Sequence[str], crops: Sequence[PictureCrop], found: Descriptors
) -> None:
    for name, maps in zip(names, found.maps.cpu().numpy(), strict=True):
        files.array("maps", name, maps)


def _shapes(
    files: PredictionFolder, names: Sequence[str], crops: Sequence[PictureCrop], found: ShapeAndPose
) -> None:
    points, rotation = found.points.cpu().numpy(), found.rotation.cpu().numpy()
    for i, name in enumerate(names):
        files.array("points", name, points[i])
        files.array("rotation", name, rotation[i])
    rows = [[name, *(f"{v:.6f}" for v in q)] for name, q in zip(names, rotation, strict=True)]
    files.rows("rotation", ["file", "w", "x", "y", "z"], rows)


WRITERS: dict[type[Prediction], Callable[..., None]] = {
    Landmarks: _landmarks,
    Parts: _parts,
    Translation: _translations,
    Descriptors: _descriptors,
    ShapeAndPose: _shapes,
}


def _palette(count: int) -> list[int]:
    """Colours of labels: black for none, one each for `count` parts, grey for what was not seen."""
    tints = [(0, 0, 0), *colours(count)]
    tints += [(0, 0, 0)] * (UNSEEN - len(tints)) + [(GREY, GREY, GREY)]
    return [value for tint in tints for value in tint]
