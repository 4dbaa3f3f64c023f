"""CelebA, aligned and cropped by its publisher, with the MAFL lists: five landmarks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import DataAltered, UnknownName
from benchmark.datasets.layout import AGAIN, expect_count, numbers, required


class Celeba(Reader):
    """Splits of the DVE lineage (jamt9000/DVE @ 2085144), each in ascending order of file name.

    "dve/unlabelled" is CelebA's partition 0 without all MAFL images: 146,501, though papers say
    162,770. Its samples carry no points: they are only looked at. "mafl/train" and "mafl/test" are
    the MAFL lists; the lists themselves are not sorted. Landmarks: image-left eye, other eye, nose,
    image-left mouth corner, other corner; whole pixels.
    """

    splits = ("dve/unlabelled", "mafl/train", "mafl/test")
    counts: ClassVar[Mapping[str, int]] = {
        "images": 202_599,
        "dve/unlabelled": 146_501,
        "mafl/train": 19_000,
        "mafl/test": 1_000,
    }

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of celeba", split, self.splits)
        # Not `img_align_celeba_hq`, a re-encoding that circulates with DVE: other pixels.
        folder = required(self.root / "Img" / "img_align_celeba")
        if split == "dve/unlabelled":
            return [Sample(name, folder / name) for name in self._unlabelled]
        chosen = self._mafl[split]
        path, lines = self._landmark_lines
        found = []
        for name in chosen:
            if name not in lines:
                raise DataAltered(f"{path} has no line for {name}", cure=AGAIN)
            number, words = lines[name]
            points = numbers(path, number, words, 10).reshape(5, 2)
            found.append(Sample(name, folder / name, points=points))
        return found

    @cached_property
    def _partition(self) -> dict[str, str]:
        path = required(self.root / "Eval" / "list_eval_partition.txt")
        lines = [line.split() for line in path.read_text("utf-8").splitlines() if line.strip()]
        partition = {words[0]: words[1] for words in lines if len(words) == 2}
        expect_count(path, "images", len(partition), self.counts["images"])
        return partition

    @cached_property
    def _mafl(self) -> dict[str, list[str]]:
        lists = {}
        for split, file in (("mafl/train", "training.txt"), ("mafl/test", "testing.txt")):
            path = required(self.root / "MAFL" / file)
            names = sorted(set(path.read_text("utf-8").split()))
            expect_count(path, "different images", len(names), self.counts[split])
            unknown = [name for name in names if name not in self._partition]
            if unknown:
                raise DataAltered(f"{path}: {unknown[0]} is not an image of CelebA", cure=AGAIN)
            lists[split] = names
        shared = set(lists["mafl/train"]) & set(lists["mafl/test"])
        if shared:
            raise DataAltered(f"{min(shared)} is in both MAFL lists", cure=AGAIN)
        return lists

    @cached_property
    def _unlabelled(self) -> list[str]:
        mafl = set(self._mafl["mafl/train"]) | set(self._mafl["mafl/test"])
        names = sorted(n for n, part in self._partition.items() if part == "0" and n not in mafl)
        path = self.root / "Eval" / "list_eval_partition.txt"
        what = "images of partition 0 outside MAFL"
        expect_count(path, what, len(names), self.counts["dve/unlabelled"])
        return names

    @cached_property
    def _landmark_lines(self) -> tuple[Path, dict[str, tuple[int, list[str]]]]:
        """Line number and words per image; the first line is a count, the second a header."""
        path = required(self.root / "Anno" / "list_landmarks_align_celeba.txt")
        lines: dict[str, tuple[int, list[str]]] = {}
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            words = line.split()
            if number > 2 and words:
                lines[words[0]] = (number, words[1:])
        expect_count(path, "images", len(lines), self.counts["images"])
        return path, lines
