"""Image sets that generators are fitted on: folders of pictures, in the order of their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import DataAltered, DataMissing, UnknownName
from benchmark.datasets.generation_specs import ANIMALFACE, CUB_IMAGES, FFHQ, LSUN_CHURCH
from benchmark.datasets.layout import AGAIN, expect_count, list_of, required

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})


def pictures(folder: Path) -> list[str]:
    """Paths under `folder` of all its pictures, sorted as StyleGAN's tools sort them; hidden ones are
    left out."""
    found = (p.relative_to(folder) for p in required(folder).rglob("*"))
    kept = (p for p in found if p.suffix.lower() in SUFFIXES)
    return sorted(p.as_posix() for p in kept if not any(part[0] == "." for part in p.parts))


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


class Ffhq(Reader):
    """FFHQ: "all" 70,000 faces, and the subsets "ada/1k", "ada/2k", "ada/10k" by `ada_subset`.

    Read from the publisher's 1024-pixel pictures, or from 256-pixel ones made of them by StyleGAN2-ADA's
    dataset tool with its box filter: with the filter "pillow_box" both give the same pixels. The
    publisher's 128-pixel thumbnails are refused: enlarged they are other pictures.
    """

    splits = ("all", "ada/1k", "ada/2k", "ada/10k")
    counts: ClassVar[Mapping[str, int]] = FFHQ.expected
    folders = ("images1024x1024", "ffhq256x256")

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of ffhq", split, self.splits)
        if split == "all":
            return list(self._all)
        return [self._all[i] for i in ada_subset(len(self._all), self.counts[split])]

    @cached_property
    def _all(self) -> list[Sample]:
        folder = next((self.root / f for f in self.folders if (self.root / f).is_dir()), None)
        if folder is None:
            raise DataMissing(
                f"expected {' or '.join(self.folders)} in {self.root}, and neither is there",
                cure=AGAIN,
            )
        names = pictures(folder)
        expect_count(folder, "pictures", len(names), self.counts["all"])
        for number, name in enumerate(names):
            digits = re.findall(r"\d+", Path(name).stem)
            if not digits or int(digits[-1]) != number:
                raise DataAltered(f"{folder / name} should be picture {number}", cure=AGAIN)
        return [Sample(f"{i:05}", folder / name) for i, name in enumerate(names)]


class LsunChurch(Reader):
    """LSUN church outdoor, exported from its database: "train", 126,227 pictures by their keys."""

    splits = ("train",)
    counts: ClassVar[Mapping[str, int]] = LSUN_CHURCH.expected

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of lsun_church", split, self.splits)
        folder = self.root / "church_outdoor_train"
        names = pictures(folder)
        expect_count(folder, "pictures", len(names), self.counts[split])
        # by the key alone: an export may spread the pictures over folders
        ordered = sorted(names, key=lambda name: Path(name).stem)
        return [Sample(Path(name).stem, folder / name) for name in ordered]


class AnimalFace(Reader):
    """The faces of 389 dogs ("dog") and 160 cats ("cat") that DiffAugment's authors took from the
    AnimalFace set; each kind in a folder of its own."""

    splits = ("dog", "cat")
    counts: ClassVar[Mapping[str, int]] = ANIMALFACE.expected

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of animalface", split, self.splits)
        folder = self.root / f"AnimalFace-{split}"
        names = pictures(folder)
        expect_count(folder, "pictures", len(names), self.counts[split])
        return [Sample(f"{split}/{name}", folder / name) for name in names]


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
