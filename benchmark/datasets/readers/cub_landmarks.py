"""CUB-200-2011 with boxes and fifteen landmarks, in the publisher's split."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

from benchmark.contracts.dataset import Sample
from benchmark.contracts.errors import DataAltered, UnknownName
from benchmark.datasets.layout import AGAIN, expect_count, list_of, numbers, required
from benchmark.datasets.readers.cub import Cub, _pairs
from benchmark.datasets.specs import CUB_LANDMARKS

THREE = ("001", "002", "003")


class CubLandmarks(Cub):
    """The publisher's split of 5,994 and 5,794 images (`train_test_split.txt`), with boxes.

    "official/train" and "official/test" are all of them, in the order of `images.txt`; "three/train" the
    training images of the first three species, "001/test", "002/test" and "003/test" the test images of
    one, as papers call them CUB-001 to CUB-003. Points that are not visible are (0, 0) in the files.
    Boxes are (x, y, x + width, y + height) of `bounding_boxes.txt`. Segmentations are not needed.
    """

    splits = (  # type: ignore[assignment]
        "official/train", "official/test", "three/train", *(f"{n}/test" for n in THREE)
    )  # fmt: skip
    counts: ClassVar[Mapping[str, int]] = {**CUB_LANDMARKS.expected, "images": 11_788}

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of cub_landmarks", split, self.splits)
        group, _, part = split.partition("/")
        chosen = self._part(part)
        if group == "three":
            chosen = [n for n in chosen if self._names[n].startswith(THREE)]
        elif group != "official":
            chosen = [n for n in chosen if self._names[n].startswith(f"{group}.")]
        points, visible = self._points
        folder = required(self.root / "CUB_200_2011" / "images")
        return [
            Sample(
                key=self._names[number],
                path=folder / self._names[number],
                identity=self._names[number].partition("/")[0],
                points=points[number],
                visible=visible[number],
                box=self._boxes[number],
            )
            for number in chosen
        ]

    def _part(self, part: str) -> list[str]:
        path = required(self.root / "CUB_200_2011" / "train_test_split.txt")
        codes = _pairs(path)
        expect_count(path, "images", len(codes), self.counts["images"])
        chosen = [n for n in self._names if codes.get(n) == {"train": "1", "test": "0"}[part]]
        expect_count(path, f"images to {part}", len(chosen), self.counts[f"official/{part}"])
        return chosen

    @cached_property
    def _boxes(self) -> dict[str, tuple[float, float, float, float]]:
        path = required(self.root / "CUB_200_2011" / "bounding_boxes.txt")
        boxes = {}
        for line, (number, *words) in list_of(path):
            x, y, width, height = map(float, numbers(path, line, words, 4))
            if width <= 0 or height <= 0:
                raise DataAltered(f"{path}, line {line}: a box without area", cure=AGAIN)
            boxes[number] = (x, y, x + width, y + height)
        expect_count(path, "boxes", len(boxes), self.counts["images"])
        return boxes
