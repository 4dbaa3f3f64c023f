"""Tai-Chi with foreground: training frames by clip, 300 test frames with masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import UnknownName
from benchmark.datasets.layout import expect_count, listed, required
from benchmark.datasets.masks import read_grey
from benchmark.datasets.readers.taichi import PICTURES, frames_of_clips


class TaichiMasks(Reader):
    """The folders of GANSeg and motion co-segmentation.

    "clips/train": every frame under `train/<clip>/`, by clip and name (the clips of
    video-preprocessing's list with partition train, 256 × 256; 3,049 of them while all their videos
    could be had, so their number is not checked). "test": the 300 frames of
    `eval_images/taichi-256/test`, by name, whose masks lie in `taichi-test-masks` under the same names.
    Identity is the clip; test frames have none.
    """

    splits = ("clips/train", "test")
    counts: ClassVar[Mapping[str, int]] = {"test": 300}

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of taichi_masks", split, self.splits)
        return frames_of_clips(self.root) if split == "clips/train" else self._test()

    def mask(self, sample: Sample) -> np.ndarray:
        return read_grey(sample)

    def _test(self) -> list[Sample]:
        folder = self.root / "eval_images" / "taichi-256" / "test"
        masks = required(self.root / "taichi-test-masks")
        paths = [p for p in listed(folder) if p.suffix.lower() in PICTURES]
        expect_count(folder, "frames", len(paths), self.counts["test"])
        return [Sample(f"test/{p.name}", p, mask=masks / p.name) for p in paths]
