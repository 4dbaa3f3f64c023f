"""Segmentations of photographs, as they lie in a folder: masks, and what a detector said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.contracts.errors import DataAltered, DataMissing
from benchmark.datasets.layout import listed
from benchmark.files import read_json
from benchmark.image_files import decode

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
AGAIN = "segment this photograph again: remove its files, and run `bench data segment`"
BOX = 4


@dataclass(frozen=True)
class Segmentation:
    """One object in a photograph: its mask's file, and where a detector made it, what that said.

    `box` is (x_min, y_min, x_max, y_max) in pixels of the photograph, as predicted, not around the mask.
    """

    name: str
    photograph: Path
    file: Path
    label: str = ""
    confidence: float | None = None
    box: tuple[float, float, float, float] | None = None

    def mask(self) -> np.ndarray:
        """bool (H, W): where the object is, values above half. Raises `DataAltered` if it is damaged."""
        return np.asarray(decode(self.file, "L", what="mask")) > 127


def photographs_in(folder: Path) -> list[Path]:
    """The pictures that lie in a folder, by name; raises `DataMissing` where there are none."""
    found = [path for path in listed(folder) if path.suffix.lower() in ENDINGS]
    if not found:
        raise DataMissing(f"{folder} holds no photographs ({', '.join(ENDINGS)})")
    stems = [path.stem for path in found]
    if len(set(stems)) < len(stems):
        twice = next(stem for stem in stems if stems.count(stem) > 1)
        raise DataAltered(f"{folder} holds two photographs named {twice}", cure="rename one")
    return found


def segmentations_in(folder: Path, photographs: Sequence[Path]) -> Iterator[Segmentation]:
    """The segmentations of photographs, in their order.

    Of a photograph NAME.jpg the folder holds NAME.json, which names masks and says what a detector found
    (`bench data segment` writes it), or else NAME.png, or NAME_0.png, NAME_1.png, …, or nothing.
    Raises `DataAltered` for a file that belongs to no photograph, or a damaged one.
    """
    files = {path.name: path for path in listed(folder) if path.suffix in (".json", ".png")}
    stems = {path.stem for path in photographs}
    masks = _masks_by_photograph(files, stems)
    for photograph in photographs:
        stem = photograph.stem
        if about := files.get(f"{stem}.json"):
            yield from _of_a_detector(about, photograph)
        else:
            for path in masks.get(stem, ()):
                yield Segmentation(path.stem, photograph, path)


def _masks_by_photograph(files: Mapping[str, Path], stems: set[str]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in files.values():
        stem = path.stem if path.stem in stems else path.stem.rpartition("_")[0]
        if stem not in stems:
            raise DataAltered(f"{path} belongs to no photograph", cure="remove it")
        if path.suffix == ".png":
            found.setdefault(stem, []).append(path)
    return found


def _of_a_detector(about: Path, photograph: Path) -> Iterator[Segmentation]:
    content = read_json(about, AGAIN)
    try:
        for one in content["found"]:
            box = tuple(float(x) for x in one["box"])
            if len(box) != BOX:
                raise ValueError(f"a box has {BOX} numbers, not {len(box)}")
            file = about.parent / Path(str(one["mask"])).name
            name, label = file.stem, str(one["label"])
            yield Segmentation(name, photograph, file, label, float(one["confidence"]), box)  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError) as error:
        raise DataAltered(f"{about} does not say what was found ({error!r})", cure=AGAIN) from None
