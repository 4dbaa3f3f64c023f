"""Stanford Cars with masks that someone made: photographs of 196 kinds of cars and their outlines."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import DataAltered, DataMissing, UnknownName
from benchmark.datasets.layout import AGAIN, expect_count, listed, required
from benchmark.datasets.masks import read_grey


class StanfordCarsMasks(Reader):
    """The 16,185 photographs of `car_ims`, of which those with a mask count.

    The publisher ships boxes, no outlines; `masks/NNNNNN.png` are yours (a detector's, say), in pixels
    of the photograph, 255 on the car. Sorted by number, those at positions 4, 9, 14, … are "test" and
    the others "train": the 80 to 20 of the annotation-invariant style transfer thesis, whose own lists
    (2,818 test cut-outs) were not published. Numbers run through the kinds of cars one after the other,
    so each kind is in both. A photograph without a mask is in neither; where nothing was found, leave
    the file out.
    """

    splits = ("train", "test")
    counts: ClassVar[Mapping[str, int]] = {"images": 16_185}

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of stanford_cars_masks", split, self.splits)
        return self._parts[split]

    def mask(self, sample: Sample) -> np.ndarray:
        return read_grey(sample)

    @cached_property
    def _parts(self) -> dict[str, list[Sample]]:
        folder, masks = required(self.root / "car_ims"), required(self.root / "masks")
        images = _by_stem(folder, ".jpg")
        expect_count(folder, "photographs", len(images), self.counts["images"])
        outlines = _by_stem(masks, ".png")
        strange = outlines.keys() - images.keys()
        if strange:
            raise DataAltered(f"{outlines[min(strange)]} belongs to no photograph", cure=AGAIN)
        chosen = [
            Sample(images[name].name, images[name], mask=outlines[name])
            for name in sorted(outlines)
        ]
        if len(chosen) < 5:
            raise DataMissing(f"{masks} holds {len(chosen)} masks, too few to split", cure=AGAIN)
        return {
            "train": [s for i, s in enumerate(chosen) if i % 5 != 4],
            "test": chosen[4::5],
        }


def _by_stem(folder: Path, ending: str) -> dict[str, Path]:
    return {p.stem: p for p in listed(folder) if p.suffix.lower() == ending}
