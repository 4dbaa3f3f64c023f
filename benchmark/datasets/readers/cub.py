"""CUB-200-2011 with segmentations, in ReDO's split: birds, fifteen points, foreground."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import DataAltered, UnknownName
from benchmark.datasets.layout import AGAIN, expect_count, list_of, numbers, required
from benchmark.datasets.masks import read_grey
from benchmark.datasets.specs import CUB

POINTS = 15


class Cub(Reader):
    """The splits of mickaelChen/ReDO @ d654252, which xingzhehe/GANSeg @ a3f5078 shares.

    "redo/train", "redo/validation" and "redo/test" are the images with code 0, 1 and 2 in
    `train_val_test_split.txt`: 10,000, 788 and 1,000, at random over all 200 species, in the order of
    `images.txt`. It is not the publisher's split of 5,994 and 5,794, and the 778 that papers print is a
    slip. Points are the publisher's, from the image's top left, in pixels; `visible` says which are
    there. Masks are the grey values of the segmentations, 255 where all annotators saw the bird.
    """

    splits = ("redo/train", "redo/validation", "redo/test")
    counts: ClassVar[Mapping[str, int]] = {**CUB.expected, "images": 11_788}

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of cub", split, self.splits)
        code = str(self.splits.index(split))
        codes, path = self._codes
        chosen = [number for number, word in codes.items() if word == code]
        expect_count(path, f"images of code {code}", len(chosen), self.counts[split])
        points, visible = self._points
        folder = required(self.root / "CUB_200_2011" / "images")
        masks = required(self.root / "segmentations")
        found = []
        for number in chosen:
            name = self._names[number]
            found.append(
                Sample(
                    key=name,
                    path=folder / name,
                    identity=name.partition("/")[0],
                    points=points[number],
                    visible=visible[number],
                    mask=(masks / name).with_suffix(".png"),
                )
            )
        return found

    def mask(self, sample: Sample) -> np.ndarray:
        return read_grey(sample)

    @cached_property
    def _names(self) -> dict[str, str]:
        """Path under `images/` by the number of the image."""
        path = required(self.root / "CUB_200_2011" / "images.txt")
        names = _pairs(path)
        expect_count(path, "images", len(names), self.counts["images"])
        return names

    @cached_property
    def _codes(self) -> tuple[dict[str, str], Path]:
        path = required(self.root / "train_val_test_split.txt")
        codes = _pairs(path)
        expect_count(path, "images", len(codes), self.counts["images"])
        unknown = codes.keys() - self._names.keys()
        if unknown:
            raise DataAltered(f"{path}: there is no image {min(unknown)}", cure=AGAIN)
        return {number: codes[number] for number in self._names}, path

    @cached_property
    def _points(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Points (15, 2) and which are visible (15,), by the number of the image."""
        path = required(self.root / "CUB_200_2011" / "parts" / "part_locs.txt")
        lines = list_of(path)
        expect_count(path, "points", len(lines), POINTS * self.counts["images"])
        points = {n: np.full((POINTS, 2), np.nan) for n in self._names}
        visible = {n: np.zeros(POINTS, np.bool_) for n in self._names}
        for line, (number, *words) in lines:
            part, x, y, seen = numbers(path, line, words, 4)
            if number not in points or part not in range(1, POINTS + 1):
                raise DataAltered(f"{path}, line {line}: no such image or point", cure=AGAIN)
            points[number][int(part) - 1] = x, y
            visible[number][int(part) - 1] = seen == 1
        lacking = [n for n, p in points.items() if np.isnan(p).any()]
        if lacking:
            raise DataAltered(f"{path}: image {lacking[0]} lacks a point", cure=AGAIN)
        return points, visible


def _pairs(path: Path) -> dict[str, str]:
    """Lines of two words; the first must not come again."""
    pairs: dict[str, str] = {}
    for line, words in list_of(path):
        if len(words) != 2 or words[0] in pairs:
            raise DataAltered(
                f"{path}, line {line}: expected a new number and one word", cure=AGAIN
            )
        pairs[words[0]] = words[1]
    return pairs
