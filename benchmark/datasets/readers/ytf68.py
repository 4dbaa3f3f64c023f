"""YouTube Faces frames with 68 points: the reader, and splits that no person is on both sides of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import DataAltered, UnknownName
from benchmark.datasets.layout import AGAIN, expect_count, listed, numbers, required, table_of

POINTS = 68


def every_fifth(people: list[str]) -> set[str]:
    """The people at positions 4, 9, 14, … of the sorted list.

    >>> sorted(every_fifth(list("jihgfedcba")))
    ['e', 'j']
    """
    return set(sorted(people)[4::5])


def identity_of(name: str) -> str:
    """The person a frame shows: the file name without `_<clip digit><frame digit>.jpg`.

    >>> identity_of("Abdel_Aziz_Al-Hakim_01.jpg")
    'Abdel_Aziz_Al-Hakim'
    """
    return name.rpartition("_")[0]


def clip_of(name: str) -> str:
    """The clip a frame is from: the file name without `<frame digit>.jpg`.

    >>> clip_of("Abdel_Aziz_Al-Hakim_01.jpg")
    'Abdel_Aziz_Al-Hakim_0'
    """
    return name.rpartition(".")[0][:-1]


class Ytf68(Reader):
    """The frames of github.com/udacity/P1_Facial_Keypoints @ 6e55adc, folder `data/`.

    The published test part repeats file names of the training part with other frames behind them,
    so a sample's key is `part/name`; it also shares every person with it. Hence, beside
    "published/train" and "published/test", splits over the people of both parts together:

    - "people/test": the people at positions 4, 9, 14, … (69 people, 857 frames)
    - "people/train": the others (278 people, 3,375 frames)
    - "people/validation": every fifth of the training people, by the same rule
    - "people/development": the training people without those
    - "all": everything

    The order is always that of (part, name). Points count pixels from 0. `extra` holds "clips", the
    number of the frame's clip; both published parts have frames of the same clips.
    """

    splits = (
        "people/train",
        "people/test",
        "people/validation",
        "people/development",
        "published/train",
        "published/test",
        "all",
    )
    frames: ClassVar[Mapping[str, int]] = {"test": 770, "training": 3462}
    # The publisher ships more test frames than were annotated.
    unannotated: ClassVar[frozenset[str]] = frozenset({"test"})

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of ytf68", split, self.splits)
        group, _, part = split.partition("/")
        if group == "all":
            return list(self._everything)
        if group == "published":
            folder = {"train": "training/", "test": "test/"}[part]
            return [s for s in self._everything if s.key.startswith(folder)]
        people = self._people[part]
        return [s for s in self._everything if s.identity in people]

    @cached_property
    def _everything(self) -> list[Sample]:
        found = [s for part in sorted(self.frames) for s in self._part(part)]
        clips = {name: i for i, name in enumerate(sorted({clip_of(s.path.name) for s in found}))}
        return [replace(s, extra={"clips": np.array(clips[clip_of(s.path.name)])}) for s in found]

    @cached_property
    def _people(self) -> dict[str, set[str]]:
        everybody = {s.identity for s in self._everything}
        test = every_fifth(list(everybody))
        train = everybody - test
        validation = every_fifth(list(train))
        return {
            "train": train,
            "test": test,
            "validation": validation,
            "development": train - validation,
        }

    def _part(self, part: str) -> list[Sample]:
        table = required(self.root / "data" / f"{part}_frames_keypoints.csv")
        folder = required(self.root / "data" / part)
        _, rows = table_of(table)
        expect_count(table, "annotated frames", len(rows), self.frames[part])
        samples = {}
        for line, (name, *words) in rows:
            if name in samples:
                raise DataAltered(f"{table}, line {line}: {name} a second time", cure=AGAIN)
            points = numbers(table, line, words, 2 * POINTS).reshape(POINTS, 2)
            samples[name] = Sample(f"{part}/{name}", folder / name, identity_of(name), points)
        self._compare(table, folder, set(samples), allow_more=part in self.unannotated)
        return [samples[name] for name in sorted(samples)]

    def _compare(self, table: Path, folder: Path, annotated: set[str], allow_more: bool) -> None:
        there = {p.name for p in listed(folder)}
        for problem, names in (
            ("is annotated but not there", annotated - there),
            ("has no annotation", set() if allow_more else there - annotated),
        ):
            if names:
                more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
                raise DataAltered(
                    f"{folder / min(names)} {problem} in {table.name}{more}", cure=AGAIN
                )
