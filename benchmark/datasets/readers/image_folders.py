"""Image sets that generators are fitted on: folders or zips of pictures, in the order of their names."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import DataAltered, DataMissing, UnknownName
from benchmark.contracts.errors import listed as named
from benchmark.datasets.generation_specs import ANIMALFACE, CUB_IMAGES, FFHQ, LSUN_CHURCH
from benchmark.datasets.layout import AGAIN, expect_count, list_of, required, words_of
from benchmark.image_files import zipped

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})


class Pictures(NamedTuple):
    """What is found in a folder or a zip: paths in `place` of all pictures, sorted as StyleGAN's tools
    sort them, and the `others` that were passed over, hidden files and what is no picture."""

    place: Path
    names: list[str]
    others: list[str]

    def expect(self, count: int) -> Pictures:
        """Refuse more pictures than its publisher's, or fewer."""
        if len(self.names) != count:
            more = f", and {len(self.others):,} other files" if self.others else ""
            raise DataAltered(
                f"{self.place}: expected {count:,} pictures, found {len(self.names):,}{more}",
                cure=AGAIN,
            )
        return self


def pictures(place: Path) -> Pictures:
    """The pictures in a folder or in a zip, from which they are read in place.

    In a zip that holds all of them in a folder of its own name, paths begin there: `faces.zip` with
    `faces/1.png` reads as the folder `faces` does.
    """
    names = list(_files(place))
    shown = [n for n in names if Path(n).suffix.lower() in SUFFIXES and _plain(n)]
    others, top = sorted(set(names) - set(shown)), f"{place.stem}/"
    if place.is_file() and shown and all(name.startswith(top) for name in shown):
        place, shown = place / place.stem, [name.removeprefix(top) for name in shown]
    return Pictures(place, sorted(shown), others)


def _files(place: Path) -> Iterator[str]:
    if place.is_file():
        yield from zipped(place)
        return
    for folder, _, names in os.walk(required(place)):
        inside = Path(folder).relative_to(place)
        yield from ((inside / name).as_posix() for name in names)


def _plain(name: str) -> bool:
    """Neither hidden nor, as a zip may have it, leading out of its place."""
    path = Path(name)
    lost = path.is_absolute() or path.as_posix() != name
    return not (lost or any(part[0] == "." for part in path.parts))


def place_of(root: Path, *names: str) -> Path:
    """The first of these folders that is in `root`, or its zip, `NAME.zip`; raises `DataMissing`."""
    asked = [root / f"{name}{ending}" for name in names for ending in ("", ".zip")]
    found = next((place for place in asked if place.exists()), None)
    if found is None:
        raise DataMissing(
            f"expected {' or '.join(names)} in {root}, or a zip of that name, and neither is there",
            cure=AGAIN,
        )
    return found


def with_mirror_images(samples: Sequence[Sample]) -> list[Sample]:
    """The samples, then the mirror image of each in the same order, as StyleGAN2-ADA has them.

    >>> [s.key for s in with_mirror_images([Sample("a", Path("a.png"))])]
    ['a', 'mirror/a']
    """
    return [*samples, *(replace(s, key=f"mirror/{s.key}", mirrored=True) for s in samples)]


def ada_subset(total: int, count: int) -> list[int]:
    """Which images StyleGAN2-ADA takes for `--subset=count` with seed 0, in ascending order.

    The numbers 0 … total − 1 shuffled by NumPy's RandomState(0), the first `count` of them
    (NVlabs/stylegan2-ada-pytorch @ d72cc7d, training/dataset.py).

    >>> ada_subset(10, 3)
    [2, 4, 8]
    """
    numbers = np.arange(total, dtype=np.int64)
    np.random.RandomState(0).shuffle(numbers)
    return sorted(numbers[:count].tolist())


class ImageFolder(Reader):
    """Pictures of one's own, without labels: all that lie in the data set's folder, or in the one zip
    there.

    - "all": sorted by their paths, which are their keys
    - "mirrored": these, and then their mirror images
    - "ada/N": N of them, drawn by `ada_subset`

    A plugin registers it under the set's name; hidden files and what is no picture are passed over, and
    their number is told as a warning.
    """

    splits = ("all", "mirrored")

    def samples(self, split: str) -> list[Sample]:
        count = re.fullmatch(r"ada/([1-9]\d*)", split)
        if split not in self.splits and not count:
            raise UnknownName("split of a folder of pictures", split, (*self.splits, "ada/1000"))
        if count is None:
            return with_mirror_images(self._all) if split == "mirrored" else list(self._all)
        if int(count[1]) > len(self._all):
            raise DataAltered(
                f"{self.root} holds {len(self._all):,} pictures, fewer than {split} asks for",
                cure="ask for fewer in the protocol, or put the other pictures there",
            )
        return [self._all[i] for i in ada_subset(len(self._all), int(count[1]))]

    @cached_property
    def _all(self) -> list[Sample]:
        zips = sorted(p for p in required(self.root).glob("*.zip") if p.name[0] != ".")
        found = pictures(self.root)
        if zips and (found.names or len(zips) > 1):
            raise DataAltered(
                f"{self.root} holds {len(zips)} zips and {len(found.names):,} pictures beside them",
                cure="a set is the pictures in its folder, or one zip of them",
            )
        found = pictures(zips[0]) if zips else found
        if found.others:
            warnings.warn(
                f"{found.place}: {len(found.others):,} files passed over, hidden or no pictures "
                f"({', '.join(sorted(SUFFIXES))}): {named(found.others, most=3)}",
                stacklevel=2,
            )
        return [Sample(name, found.place / name) for name in found.names]


class Ffhq(Reader):
    """FFHQ: "all" 70,000 faces, "mirrored" these and then their mirror images (HSR's FFHQ-140k), and the
    subsets "ada/1k", "ada/2k", "ada/10k".

    The subsets are the first 1,000, 2,000 and 10,000 of the numbers in `ffhq_subset.txt`, which are
    those of `ada_subset` before they are sorted.

    Read from the publisher's 1024-pixel pictures, or from 256-pixel ones made of them by StyleGAN2-ADA's
    dataset tool with its box filter, in folders or in the tool's zip: with the filter "pillow_box" both
    give the same pixels. The publisher's 128-pixel thumbnails are refused: enlarged they are other
    pictures.
    """

    splits = ("all", "mirrored", "ada/1k", "ada/2k", "ada/10k")
    counts: ClassVar[Mapping[str, int]] = FFHQ.expected
    folders = ("images1024x1024", "ffhq256x256")
    drawn = Path(__file__).parent / "ffhq_subset.txt"
    """The first 10,000 of the shuffled numbers, in their order."""

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of ffhq", split, self.splits)
        if split == "all":
            return list(self._all)
        if split == "mirrored":
            return with_mirror_images(self._all)
        drawn = words_of(self.drawn)[: self.counts[split]]
        return [self._all[i] for i in sorted(map(int, drawn))]

    @cached_property
    def _all(self) -> list[Sample]:
        found = pictures(place_of(self.root, *self.folders)).expect(self.counts["all"])
        for number, name in enumerate(found.names):
            digits = re.findall(r"\d+", Path(name).stem)
            if not digits or int(digits[-1]) != number:
                raise DataAltered(f"{found.place / name} should be picture {number}", cure=AGAIN)
        return [Sample(f"{i:05}", found.place / name) for i, name in enumerate(found.names)]


class LsunChurch(Reader):
    """LSUN church outdoor, exported from its database: "train", 126,227 pictures by their keys."""

    splits = ("train",)
    counts: ClassVar[Mapping[str, int]] = LSUN_CHURCH.expected

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of lsun_church", split, self.splits)
        found = pictures(place_of(self.root, "church_outdoor_train")).expect(self.counts[split])
        # by the key alone: an export may spread the pictures over folders
        ordered = sorted(found.names, key=lambda name: Path(name).stem)
        return [Sample(Path(name).stem, found.place / name) for name in ordered]


class AnimalFace(Reader):
    """The faces of 389 dogs ("dog") and 160 cats ("cat") that DiffAugment's authors took from the
    AnimalFace set; each kind in a folder or a zip of its own."""

    splits = ("dog", "cat")
    counts: ClassVar[Mapping[str, int]] = ANIMALFACE.expected

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of animalface", split, self.splits)
        found = pictures(place_of(self.root, f"AnimalFace-{split}")).expect(self.counts[split])
        return [Sample(f"{split}/{name}", found.place / name) for name in found.names]


class CubImages(Reader):
    """All 11,788 pictures of CUB-200-2011 ("all"), in the order of `images.txt`, no labels read."""

    splits = ("all",)
    counts: ClassVar[Mapping[str, int]] = CUB_IMAGES.expected

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of cub_images", split, self.splits)
        path = required(self.root / "CUB_200_2011" / "images.txt")
        folder = self.root / "CUB_200_2011" / "images"
        names = [name for _, (_, name) in list_of(path, words=2)]
        expect_count(path, "different pictures", len(set(names)), self.counts[split])
        return [Sample(name, folder / name, identity=name.partition("/")[0]) for name in names]
