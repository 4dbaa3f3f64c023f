"""CelebA in the wild: whole photographs, kept where the face is large."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.contracts.dataset import Sample
from benchmark.contracts.errors import DataAltered, UnknownName
from benchmark.datasets.layout import AGAIN, expect_count, list_of, numbers, required
from benchmark.datasets.readers.celeba import Celeba
from benchmark.datasets.specs import CELEBA_WILD
from benchmark.image_files import image_size

SMALLEST_FACE = 0.30
"""Share of the picture that the publisher's face box must cover (NVlabs/SCOPS @ 05da7e4)."""


class CelebaWild(Celeba):
    """The unaligned photographs, with the lists of `Celeba`; each split in ascending order of name.

    "scops/unlabelled" (45,609), "scops/train" (5,379) and "scops/test" (283) are CelebA's partition 0
    without MAFL test, MAFL training and MAFL test, each where width · height of the face box is at
    least 0.30 of the picture. One box of the publisher's, that of 101283.jpg, has no area: dropped.
    "mafl/train" and "mafl/test" are all MAFL images, however small the face.

    Sizes come from `list_imsize_celeba.txt` (name, height, width; made for SCOPS, no part of CelebA)
    where it lies in Anno, else from the pictures themselves, whose EXIF rotation does not count.
    """

    splits = ("scops/unlabelled", "scops/train", "scops/test", "mafl/train", "mafl/test")
    images: ClassVar[str] = "Img/img_celeba"
    landmarks: ClassVar[str] = "Anno/list_landmarks_celeba.txt"
    counts: ClassVar[Mapping[str, int]] = {**CELEBA_WILD.expected, "images": 202_599}

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of celeba_wild", split, self.splits)
        group, _, part = split.partition("/")
        folder = required(self.root / self.images)
        if group == "scops":
            names = self.selection(split)
        else:
            names = self._mafl[split]
        if part == "unlabelled":
            return [Sample(name, folder / name) for name in names]
        return self._annotated(names, folder)

    def selection(self, split: str) -> list[str]:
        """Names of a "scops/…" split: those of its list whose face is large enough."""
        lists = {
            "scops/unlabelled": lambda: self.unlabelled("zhang/unlabelled"),
            "scops/train": lambda: self._mafl["mafl/train"],
            "scops/test": lambda: self._mafl["mafl/test"],
        }
        path, boxes = self._boxes
        names = [name for name in lists[split]() if self._large(name, path, boxes)]
        what = f"faces of {split} that cover {SMALLEST_FACE:.0%} of their picture"
        expect_count(path, what, len(names), self.counts[split])
        return names

    def _large(self, name: str, path: Path, boxes: dict[str, tuple[float, float]]) -> bool:
        if name not in boxes:
            raise DataAltered(f"{path} has no line for {name}", cure=AGAIN)
        width, height = boxes[name]
        rows, columns = self._size(name)
        return width * height >= SMALLEST_FACE * rows * columns

    @cached_property
    def _boxes(self) -> tuple[Path, dict[str, tuple[float, float]]]:
        """Width and height of each face box; the first line is a count, the second a header."""
        path = required(self.root / "Anno" / "list_bbox_celeba.txt")
        boxes = {}
        for line, (name, *words) in list_of(path):
            if line > 2:
                _, _, width, height = numbers(path, line, words, 4)
                boxes[name] = (float(width), float(height))
        expect_count(path, "boxes", len(boxes), self.counts["images"])
        return path, boxes

    def _size(self, name: str) -> tuple[int, int]:
        """Height and width of a picture."""
        if name in self._sizes:
            return self._sizes[name]
        width, height = image_size(self.root / self.images / name)
        return height, width

    @cached_property
    def _sizes(self) -> dict[str, tuple[int, int]]:
        path = self.root / "Anno" / "list_imsize_celeba.txt"
        if not path.is_file():
            return {}
        sizes = {}
        for line, (name, *words) in list_of(path):
            height, width = numbers(path, line, words, 2).astype(np.int64)
            sizes[name] = (int(height), int(width))
        expect_count(path, "sizes", len(sizes), self.counts["images"])
        return sizes
