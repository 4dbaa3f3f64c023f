"""Flowers with foreground: Oxford's 102 categories, and its 17 as a public repository has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import DataAltered, UnknownName
from benchmark.datasets.layout import AGAIN, expect_count, listed, matlab_arrays, required
from benchmark.datasets.masks import NOT_SCORED, read_colours, read_indices
from benchmark.datasets.specs import FLOWERS


class Flowers102(Reader):
    """Oxford's 102 flowers with its `setid.mat` the other way round, as in ReDO and GANSeg.

    "redo/train" are the 6,149 images its publisher tests on (tstid), "redo/validation" the 1,020 of
    valid, "redo/test" the 1,020 it trains on (trnid); each in the order of the file (mickaelChen/ReDO @
    d654252 datasets.py). Masks are the colours of `segmim`, a JPEG whose background is blue.
    """

    splits = ("redo/train", "redo/validation", "redo/test")
    arrays: ClassVar[Mapping[str, str]] = {
        "redo/train": "tstid",
        "redo/validation": "valid",
        "redo/test": "trnid",
    }
    counts: ClassVar[Mapping[str, int]] = FLOWERS.expected

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of flowers", split, self.splits)
        images, masks = required(self.root / "jpg"), required(self.root / "segmim")
        return [
            Sample(
                key=f"image_{number:05}.jpg",
                path=images / f"image_{number:05}.jpg",
                mask=masks / f"segmim_{number:05}.jpg",
            )
            for number in self._numbers[split]
        ]

    def mask(self, sample: Sample) -> np.ndarray:
        return read_colours(sample)

    @cached_property
    def _numbers(self) -> dict[str, list[int]]:
        path = required(self.root / "setid.mat")
        arrays = matlab_arrays(path, *self.arrays.values())
        found = {}
        for split, name in self.arrays.items():
            ids = np.asarray(arrays[name], dtype=np.int64).ravel()
            expect_count(path, f"images in {name}", len(ids), self.counts[split])
            found[split] = ids.tolist()
        everything = sorted(number for ids in found.values() for number in ids)
        if everything != list(range(1, len(everything) + 1)):
            raise DataAltered(
                f"{path}: its three lists do not name each image from 1 to {len(everything):,} once",
                cure=AGAIN,
            )
        return found


CLASS = 80  # images of one kind of flower, numbered one after the other
LABEL_MEANS = np.full(256, NOT_SCORED, np.uint8)
LABEL_MEANS[[1, 3, 4]] = 1, 0, 0  # flower; background and sky
KNOWN_LABELS = 6

# Pictures that are there twice, found by comparing thumbnails of 16 × 16: the root mean square
# difference of these pairs is at most 5.1 of 255 (0242 and 0243 are mirrored), of all others 13.9 or
# more. Where one of a pair has a label map, the first has.
TWICE = """
2=42 14=48 28=51 31=63 33=46 90=100 123=151 188=196 217=229 242=243 402=472 403=475 405=476
410=455 411=468 413=456 414=464 418=446 421=447 422=469 424=443 427=459 429=460 433=470
434=467 436=471 437=474 439=453 484=498 731=765 752=761 756=777 802=841 811=856 820=855
821=847 823=850 828=848 832=853 833=860 836=862 838=866 882=921 893=929 906=926 907=923
908=932 909=935 910=937 962=1002 966=1012 982=1017 986=1007 988=1008 992=1011 993=1018
995=1020 1074=1091 1123=1177 1131=1175 1142=1176 1146=1165 1150=1168 1151=1170 1152=1171
1154=1173 1214=1245 1226=1248 1311=1327
"""
SECONDS = frozenset(int(pair.partition("=")[2]) for pair in TWICE.split())


def every_fifth_with_labels(labelled: list[int]) -> list[int]:
    """Of each class's labelled images, by number, those at positions 4, 9, 14, …

    >>> every_fifth_with_labels([1, 2, 3, 5, 8, 9, 81, 82, 83, 84, 85])
    [8, 85]
    """
    kinds: dict[int, list[int]] = {}
    for number in sorted(labelled):
        kinds.setdefault((number - 1) // CLASS, []).append(number)
    return [number for kind in kinds.values() for number in kind[4::5]]


class Flowers17(Reader):
    """The files of github.com/jxng1/flower-segmentation @ 77346ec, folder `source/data` as `data`.

    1,360 pictures squashed to 256 × 256, in 17 classes of 80 by number, and label maps for 846 of them.
    69 pictures are there twice under different numbers (`TWICE`); the second of each is left out. The
    repository has no split, so these are our own, all by number:

    - "test": of each class's images with a label map, those at positions 4, 9, 14, … (155)
    - "train": every other image, with or without a map (1,136)
    - "validation": of the labelled images of "train", every fifth by the same rule (123)
    - "development": "train" without those (1,013)

    Of the labels, 1 (flower) is foreground, 3 (background) and 4 (sky) are background; 0 (null), 2
    (leaves) and 5 are not scored: the maps were resized with interpolation by their source, so between
    0 and 3 there are lines of 1 and 2 that mean nothing, and a real region of leaves is in 11 maps.
    """

    splits = ("train", "test", "validation", "development")
    counts: ClassVar[Mapping[str, int]] = {"images": 1_360, "labels": 846}

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of flowers17", split, self.splits)
        images, maps = self._files
        return [
            Sample(
                key=images[number].name,
                path=images[number],
                identity=f"class {(number - 1) // CLASS + 1:02}",
                mask=maps.get(number),
            )
            for number in self._numbers[split]
        ]

    def mask(self, sample: Sample) -> np.ndarray:
        indices = read_indices(sample)
        if indices.max() >= KNOWN_LABELS:
            raise DataAltered(f"{sample.mask} holds the label {indices.max()}", cure=AGAIN)
        return LABEL_MEANS[indices]

    @cached_property
    def _files(self) -> tuple[dict[int, Path], dict[int, Path]]:
        """Images and label maps by number."""
        images = _numbered(required(self.root / "data" / "images_256"), ".jpg")
        maps = _numbered(required(self.root / "data" / "labels_256"), ".png")
        expect_count(
            self.root / "data" / "images_256", "images", len(images), self.counts["images"]
        )
        expect_count(self.root / "data" / "labels_256", "maps", len(maps), self.counts["labels"])
        strange = maps.keys() - images.keys()
        if strange:
            raise DataAltered(f"{maps[min(strange)]} belongs to no image", cure=AGAIN)
        return images, maps

    @cached_property
    def _numbers(self) -> dict[str, list[int]]:
        images, maps = ({n: p for n, p in f.items() if n not in SECONDS} for f in self._files)
        test = every_fifth_with_labels(list(maps))
        train = [n for n in images if n not in set(test)]
        validation = every_fifth_with_labels([n for n in train if n in maps])
        development = [n for n in train if n not in set(validation)]
        return {
            "test": test,
            "train": train,
            "validation": validation,
            "development": development,
        }


def _numbered(folder: Path, ending: str) -> dict[int, Path]:
    """`image_NNNN<ending>` by number, sorted; other names that end so are refused."""
    found = {}
    for path in (p for p in listed(folder) if p.suffix == ending):
        match = re.fullmatch(r"image_(\d{4})", path.stem)
        if match is None:
            raise DataAltered(f"{path} is not named image_NNNN{ending}", cure=AGAIN)
        found[int(match[1])] = path
    return dict(sorted(found.items()))
