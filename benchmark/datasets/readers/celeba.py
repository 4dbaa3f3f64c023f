"""CelebA, aligned and cropped by its publisher, with the MAFL lists: five landmarks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import DataAltered, UnknownName
from benchmark.datasets.layout import AGAIN, expect_count, list_of, numbers, required, words_of
from benchmark.datasets.specs import CELEBA


class Celeba(Reader):
    """Splits of the DVE lineage (jamt9000/DVE @ 2085144), each in ascending order of file name.

    "dve/unlabelled" is CelebA's partition 0 without all MAFL images: 146,501, though papers say
    162,770. "zhang/unlabelled" is partition 0 without the MAFL test images alone: 161,962, as LMDIS,
    IMM, SCOPS, GANSeg and AutoLink have it; 15,461 of them are MAFL training images. Samples of both
    carry no points: they are only looked at. "mafl/train" and "mafl/test" are the MAFL lists; the lists
    themselves are not sorted. Landmarks: image-left eye, other eye, nose, image-left mouth corner,
    other corner; whole pixels.
    """

    splits: ClassVar[tuple[str, ...]] = (
        "dve/unlabelled",
        "zhang/unlabelled",
        "mafl/train",
        "mafl/test",
    )
    # Not `img_align_celeba_hq`, a re-encoding that circulates with DVE: other pixels.
    images: ClassVar[str] = "Img/img_align_celeba"
    landmarks: ClassVar[str] = "Anno/list_landmarks_align_celeba.txt"
    counts: ClassVar[Mapping[str, int]] = {**CELEBA.expected, "images": 202_599}

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of celeba", split, self.splits)
        folder = required(self.root / self.images)
        if split in ("dve/unlabelled", "zhang/unlabelled"):
            return [Sample(name, folder / name) for name in self.unlabelled(split)]
        return self._annotated(self._mafl[split], folder)

    def _annotated(self, names: list[str], folder: Path) -> list[Sample]:
        path, lines = self._landmark_lines
        found = []
        for name in names:
            if name not in lines:
                raise DataAltered(f"{path} has no line for {name}", cure=AGAIN)
            number, words = lines[name]
            points = numbers(path, number, words, 10).reshape(5, 2)
            found.append(Sample(name, folder / name, points=points))
        return found

    @cached_property
    def _partition(self) -> dict[str, str]:
        path = required(self.root / "Eval" / "list_eval_partition.txt")
        partition = {name: part for _, (name, part) in list_of(path, words=2)}
        expect_count(path, "images", len(partition), self.counts["images"])
        return partition

    @cached_property
    def _mafl(self) -> dict[str, list[str]]:
        lists = {}
        for split, file in (("mafl/train", "training.txt"), ("mafl/test", "testing.txt")):
            path = required(self.root / "MAFL" / file)
            names = sorted(set(words_of(path)))
            expect_count(path, "different images", len(names), self.counts[split])
            unknown = [name for name in names if name not in self._partition]
            if unknown:
                raise DataAltered(f"{path}: {unknown[0]} is not an image of CelebA", cure=AGAIN)
            lists[split] = names
        shared = set(lists["mafl/train"]) & set(lists["mafl/test"])
        if shared:
            raise DataAltered(f"{min(shared)} is in both MAFL lists", cure=AGAIN)
        return lists

    def unlabelled(self, split: str) -> list[str]:
        """The names of an unlabelled split, in ascending order."""
        apart = set(self._mafl["mafl/test"])
        if split == "dve/unlabelled":
            apart |= set(self._mafl["mafl/train"])
        names = sorted(n for n, part in self._partition.items() if part == "0" and n not in apart)
        path = self.root / "Eval" / "list_eval_partition.txt"
        expect_count(path, f"images of {split}", len(names), self.counts[split])
        return names

    @cached_property
    def _landmark_lines(self) -> tuple[Path, dict[str, tuple[int, list[str]]]]:
        """Line number and words per image; the first line is a count, the second a header."""
        path = required(self.root / self.landmarks)
        lines = {name: (line, rest) for line, (name, *rest) in list_of(path) if line > 2}
        expect_count(path, "images", len(lines), self.counts["images"])
        return path, lines
