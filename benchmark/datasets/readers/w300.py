"""300-W: 68 landmarks and the boxes that circulate with it, in the split of 3,148 and 689 images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import DataAltered, UnknownName
from benchmark.datasets.layout import (
    AGAIN,
    expect_count,
    list_of,
    matlab_arrays,
    numbers,
    required,
    words_of,
)

PARTS = {
    "train": ("afw", "helen/trainset", "lfpw/trainset"),
    "test": ("helen/testset", "lfpw/testset", "ibug"),
}


class W300(Reader):
    """Train is AFW, Helen's and LFPW's training parts; test is Helen's and LFPW's test parts and IBUG.

    Which images, in which order, and their boxes come from `Bounding Boxes/bounding_boxes_*.mat`;
    of IBUG's list only the names that start with `image` exist. Boxes (of the true landmarks) and
    points count from 1 and stay as in the files (jamt9000/DVE @ 2085144, ThreeHundredW).
    """

    splits = ("train", "test")
    counts: ClassVar[Mapping[str, int]] = {"train": 3_148, "test": 689}

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of w300", split, self.splits)
        found = [sample for part in PARTS[split] for sample in self._part(part)]
        expect_count(self.root, f"images in {split}", len(found), self.counts[split])
        return found

    def _part(self, part: str) -> list[Sample]:
        name = f"bounding_boxes_{part.replace('/', '_')}.mat"
        table = required(self.root / "Bounding Boxes" / name)
        found: list[Sample] = []
        for cell in matlab_arrays(table, "bounding_boxes")["bounding_boxes"].ravel():
            try:
                image = str(cell["imgName"].item().item())
                box = np.asarray(cell["bb_ground_truth"].item(), dtype=np.float64).ravel()
                x_min, y_min, x_max, y_max = box.tolist()
            except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
                raise DataAltered(f"{table}, box {len(found)}: {error}", cure=AGAIN) from None
            if part == "ibug" and not image.startswith("image"):
                continue
            path = self.root / part / image
            points = read_pts(required(path.with_suffix(".pts")))
            if points.shape != (68, 2):
                raise DataAltered(
                    f"{path.with_suffix('.pts')}: expected 68 points, found {len(points)}",
                    cure=AGAIN,
                )
            box_tuple = (x_min, y_min, x_max, y_max)
            found.append(Sample(f"{part}/{image}", path, points=points, box=box_tuple))
        return found


def read_pts(path: Path) -> np.ndarray:
    """Points (K, 2) float64 of a `.pts` file: `version: 1`, `n_points: K`, then K pairs in braces."""
    words = words_of(path)
    try:
        start, end = words.index("{"), words.index("}")
        stated = int(words[words.index("n_points:") + 1])
        first = next(line for line, found in list_of(path) if "{" in found) + 1
    except (ValueError, IndexError):
        raise DataAltered(f"{path} is not a .pts file", cure=AGAIN) from None
    return numbers(path, first, words[start + 1 : end], 2 * stated).reshape(stated, 2)
