"""Tai-Chi with eighteen joints: training clips, 5,000 frames to fit a regressor on, 300 to score."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import DataAltered, DataMissing, UnknownName
from benchmark.datasets.layout import AGAIN, expect_count, listed, required
from benchmark.datasets.readers.tables import pickled_columns
from benchmark.datasets.specs import TAICHI

JOINTS = 18
MISSING = -1.0
PICTURES = (".png", ".jpg", ".jpeg")


class Taichi(Reader):
    """The folders of motion-cosegmentation @ 571e26f, which GANSeg and AutoLink share.

    "clips/train": every frame under `train/<clip>/`, by clip and name (how many depends on which videos
    can still be had). "joints/train" and "joints/test": the frames under
    `eval_images/taichi-256/{train,test}` with the labels of `landmarks/taichi_{train,test}_gt`, by
    file name. Both parts number their files from 00000.png, so a key is `part/name`.

    Points are (x, y) in pixels of the 256 × 256 frames; a joint that is not annotated is (-1, -1) in
    the files and not `visible` here. Labels are read from the `.pkl` of the publisher, without
    unpickling what is not numbers, or from an `.npz` with the same columns (value, file_name).
    """

    splits = ("clips/train", "joints/train", "joints/test")
    counts: ClassVar[Mapping[str, int]] = TAICHI.expected

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of taichi", split, self.splits)
        kind, _, part = split.partition("/")
        return frames_of_clips(self.root) if kind == "clips" else self._joints(part)

    def _joints(self, part: str) -> list[Sample]:
        folder = required(self.root / "eval_images" / "taichi-256" / part)
        path, names, points = self._labels(part)
        expect_count(path, "frames", len(names), self.counts[f"joints/{part}"])
        found = []
        for row in np.argsort(names, kind="stable"):
            name = str(names[row])
            visible = ~(points[row] == MISSING).all(axis=1)
            at = points[row]
            found.append(Sample(f"{part}/{name}", folder / name, points=at, visible=visible))
        return found

    def _labels(self, part: str) -> tuple[Path, np.ndarray, np.ndarray]:
        """The file, names (N,) and points (N, 18, 2) float64, in the order of the file."""
        stem = f"taichi_{part}_gt"
        # the README says `landmark`, the repository has `landmarks`
        folders = [self.root / name for name in ("landmarks", "landmark")]
        places = [f / f"{stem}{end}" for f in folders for end in (".npz", ".pkl")]
        path = next((p for p in places if p.is_file()), None) or required(places[1])
        if path.suffix == ".npz":
            columns = _columns(path)
        else:
            columns = pickled_columns(path)
        absent = {"value", "file_name"} - columns.keys()
        if absent:
            raise DataAltered(f"{path} has no column {min(absent)}", cure=AGAIN)
        names = np.array([str(n) for n in columns["file_name"]])
        try:
            points = np.stack([np.asarray(v, np.float64) for v in columns["value"]])
        except (ValueError, TypeError):
            points = np.empty(0)
        if points.shape != (len(names), JOINTS, 2) or not np.isfinite(points).all():
            raise DataAltered(
                f"{path}: expected {JOINTS} finite points a frame, found {points.shape}", cure=AGAIN
            )
        if len(set(names)) != len(names):
            raise DataAltered(f"{path} names a frame twice", cure=AGAIN)
        half = ((points == MISSING).sum(axis=2) == 1).sum()
        if half:
            raise DataAltered(f"{path}: {half} joints lack one coordinate only", cure=AGAIN)
        return path, names, points


def _columns(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise DataAltered(f"{path} can't be read as NumPy's arrays ({error})", cure=AGAIN) from None


def frames_of_clips(root: Path) -> list[Sample]:
    """Every frame under `train/<clip>/`, by clip and name; the clip is its identity."""
    folder = root / "train"
    found = [
        Sample(f"train/{clip.name}/{path.name}", path, identity=clip.name)
        for clip in listed(folder)
        if clip.is_dir()
        for path in listed(clip)
        if path.suffix.lower() in PICTURES
    ]
    if not found:
        raise DataMissing(f"{folder} has no frames in folders of clips", cure=AGAIN)
    return found
