"""Objects cut out of photographs, as `bench data cutouts` makes them."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import UnknownName
from benchmark.datasets.layout import columns_of, required, table_of
from benchmark.image_files import decode

SPLITS = {"train": "split", "test": "split"} | {
    f"by_cutout/{part}": "split_by_cutout" for part in ("train", "test")
}


class CutOuts(Reader):
    """`cutouts/NAME.png` with alpha, and `items.csv`, which names them with photograph and split.

    "train" and "test" share no photograph; "by_cutout/train" and "by_cutout/test" may, as in the thesis
    on annotation-invariant style transfer. The identity of a sample is its photograph, its mask where
    alpha is above 0.
    """

    splits = tuple(SPLITS)

    def samples(self, split: str) -> list[Sample]:
        if split not in SPLITS:
            raise UnknownName("split of cut-outs", split, self.splits)
        header, rows = self._table
        name, photograph, part = columns_of(
            self.root / "items.csv", header, "cutout", "photograph", SPLITS[split]
        )
        wanted = split.rpartition("/")[2]
        return [
            self._sample(words[name], words[photograph])
            for _, words in rows
            if words[part] == wanted
        ]

    def mask(self, sample: Sample) -> np.ndarray:
        alpha = np.asarray(decode(sample.path, "RGBA"))[..., 3]
        return np.uint8(255) * (alpha > 0)

    def _sample(self, name: str, photograph: str) -> Sample:
        path = required(self.root / "cutouts" / f"{name}.png")
        return Sample(name, path, photograph, mask=path)

    @cached_property
    def _table(self) -> tuple[list[str], list]:
        return table_of(self.root / "items.csv")
