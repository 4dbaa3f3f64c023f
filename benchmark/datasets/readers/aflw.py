"""AFLW with five landmarks, in the two re-croppings that papers use: AFLW_M (MTFL) and AFLW_R."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import DataAltered, UnknownName
from benchmark.datasets.layout import (
    AGAIN,
    columns_of,
    expect_count,
    list_of,
    matlab_arrays,
    numbers,
    required,
    table_of,
    words_of,
)
from benchmark.datasets.specs import AFLW_M, AFLW_R


class AflwM(Reader):
    """MTFL's test crops with DVE's training crops, 150 pixels square; points count from 1.

    "train": the rows of `aflw_cropped/facedata_cropped.csv` with set 1, in their order; columns 4 to
    13 are x1, y1, … x5, y5. "test": the lines of `MTFL/testing.txt`, path, then x1 … x5, then
    y1 … y5, then attributes (jamt9000/DVE @ 2085144, AFLW_MTFL). Points stay as in the files;
    the protocol's labels "scale_one_based" subtract the 1.
    """

    splits = ("train", "test")
    counts: ClassVar[Mapping[str, int]] = AFLW_M.expected

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of aflw_m", split, self.splits)
        return self._train() if split == "train" else self._test()

    def _train(self) -> list[Sample]:
        folder = self.root / "aflw_cropped"
        path = required(folder / "facedata_cropped.csv")
        tested = {s.key.rpartition("-")[2] for s in self._test()}
        found = []
        header, rows = table_of(path)
        part, crop_file, image_file = columns_of(path, header, "set", "crop_file", "image_file")
        for line, row in rows:
            if numbers(path, line, [row[part]], 1)[0] != 1:
                continue
            crop, image = row[crop_file], row[image_file]
            if image in tested:
                raise DataAltered(
                    f"{path}, line {line}: {image} is a training and a test image", cure=AGAIN
                )
            points = numbers(path, line, row[4:14], 10).reshape(5, 2)
            found.append(Sample(f"train/{crop}", folder / crop, points=points))
        expect_count(path, "rows of set 1", len(found), self.counts["train"])
        return found

    def _test(self) -> list[Sample]:
        path = required(self.root / "MTFL" / "testing.txt")
        found = []
        for line, words in list_of(path):
            name = words[0].replace("\\", "/")  # MTFL writes its paths as Windows does
            points = numbers(path, line, words[1:11], 10).reshape(2, 5).T
            found.append(Sample(f"test/{name}", self.root / "MTFL" / name, points=points))
        expect_count(path, "images", len(found), self.counts["test"])
        return found


class AflwR(Reader):
    """The tight re-crops that came with Zhang et al. 2018; points count from 0.

    `aflw_release-2/aflw_{train,test}_images.txt` list paths under `output/`; the points are `gt`
    (N, 5, 2) of `aflw_{train,test}_keypoints.mat`, there as (y, x). The test list names some images
    twice; each is a sample, the second with `#2` at its key.
    """

    splits = ("train", "test")
    counts: ClassVar[Mapping[str, int]] = AFLW_R.expected

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of aflw_r", split, self.splits)
        folder = self.root / "aflw_release-2"
        path = required(folder / f"aflw_{split}_images.txt")
        names = words_of(path)
        expect_count(path, "images", len(names), self.counts[split])
        labels = required(folder / f"aflw_{split}_keypoints.mat")
        points = np.asarray(matlab_arrays(labels, "gt")["gt"], dtype=np.float64)
        if points.shape != (len(names), 5, 2):
            raise DataAltered(
                f"{labels}: expected gt {(len(names), 5, 2)}, found {points.shape}", cure=AGAIN
            )
        if not np.isfinite(points).all():
            raise DataAltered(f"{labels}: NaN or infinity in gt", cure=AGAIN)
        times: Counter[str] = Counter()
        found = []
        for name, y_x in zip(names, points, strict=True):
            times[name] += 1
            again = f"#{times[name]}" if times[name] > 1 else ""
            path = folder / "output" / name
            found.append(Sample(f"{split}/{name}{again}", path, points=y_x[:, ::-1].copy()))
        return found
