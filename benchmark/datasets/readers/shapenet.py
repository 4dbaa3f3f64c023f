"""ShapeNet models as differentiable point clouds has them: five rendered views, cameras, clouds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import DataAltered, DataMissing, UnknownName
from benchmark.datasets.layout import AGAIN, expect_count, required, words_of
from benchmark.datasets.readers.model_files import FOCAL, camera_of, points_of

VIEWS = 5
CLASSES: Mapping[str, str] = {"cars": "02958343", "chairs": "03001627", "planes": "02691156"}
PARTS: Mapping[str, str] = {"train": "train", "validation": "val", "test": "test"}
COUNTS: Mapping[str, tuple[int, int, int]] = {
    "cars": (5_247, 750, 1_500),
    # the published validation list of chairs lacks one of the 678 models of its Torch file
    "chairs": (4_744, 677, 1_356),
    "planes": (2_831, 404, 810),
}
"""Models per class in train, validation, test (the lists of eldar/differentiable-point-clouds)."""

CLOUD_LACKS = 100
"""One model in so many may lack its true cloud (the reference skips such models)."""


class ShapeNet(Reader):
    """The layout of eldar/differentiable-point-clouds @ d9b6725 (folder `data`).

    Splits are "cars/train", "cars/validation", "cars/test", and so for chairs and planes. Samples are
    the views of each model, model after model in the order of the list: the first five of
    `renders/SYNSET/MODEL/render_I.png`, sorted as strings; `identity` is the model. Beside them:

    - "quaternions" (4,): raw OBJ axes to camera axes (forward, up, right), from `pos` (3 numbers, the
      camera in the renderer's world) of camera_I.mat alone, as the reference has it
    - "translations" (3,): (distance of the camera, 0, 0)
    - "focals" (): 1.875 widths of the picture, the reference's focal length
    - clouds: `points` (P, 3) of `gt/downsampled/SYNSET/MODEL.mat`, raw OBJ coordinates, all of them

    `.mat` files are read without running anything; a file saved as HDF5 (MATLAB 7.3) must be saved
    again as version 7.
    """

    splits = tuple(f"{name}/{part}" for name in COUNTS for part in PARTS)
    models: ClassVar[Mapping[str, tuple[int, int, int]]] = COUNTS

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._opened: dict[str, Path] = {}

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of shapenet", split, self.splits)
        name, _, part = split.partition("/")
        models = self._lists(name)[part]
        # the first model lists without pictures or cameras, before a thousand are looked at
        return [sample for model in models for sample in self._views(CLASSES[name], model)]

    def cloud(self, sample: Sample) -> np.ndarray | None:
        synset = sample.key.partition("/")[0]
        path = self._clouds(synset) / f"{sample.identity}.mat"
        if not path.exists():
            return None
        return points_of(path)

    def _lists(self, name: str) -> dict[str, list[str]]:
        synset, found = CLASSES[name], {}
        for (part, word), count in zip(PARTS.items(), self.models[name], strict=True):
            path = required(self.root / "splits" / f"{synset}_{word}.txt")
            models = words_of(path)
            expect_count(path, "models", len(models), count)
            if len(set(models)) != len(models):
                raise DataAltered(f"{path} names a model twice", cure=AGAIN)
            found[part] = models
        shared = (set(found["train"]) | set(found["validation"])) & set(found["test"])
        if shared or set(found["train"]) & set(found["validation"]):
            one = min(shared or set(found["train"]) & set(found["validation"]))
            raise DataAltered(
                f"the model {one} is in two of the lists {synset}_*.txt",
                cure="the lists of some re-implementations put test models into train; take those "
                "of eldar/differentiable-point-clouds (data/splits)",
            )
        return found

    def _views(self, synset: str, model: str) -> list[Sample]:
        folder = self.root / "renders" / synset / model
        pictures = sorted(p.name for p in folder.glob("render_*.png"))
        if len(pictures) < VIEWS:
            raise DataMissing(
                f"{folder} holds {len(pictures)} of the {VIEWS} views render_I.png", cure=AGAIN
            )
        found = []
        for name in pictures[:VIEWS]:
            number = re.sub(r"\D", "", name)
            rotation, distance = camera_of(folder / f"camera_{number}.mat")
            found.append(
                Sample(
                    f"{synset}/{model}/{number}",
                    folder / name,
                    model,
                    extra={
                        "quaternions": rotation,
                        "translations": np.array([distance, 0, 0], np.float32),
                        "focals": FOCAL,
                    },
                )
            )
        return found

    def _clouds(self, synset: str) -> Path:
        """The folder of a class's clouds, found to be nearly complete when it is first opened."""
        if synset in self._opened:
            return self._opened[synset]
        folder = required(self.root / "gt" / "downsampled" / synset)
        there = {path.stem for path in folder.glob("*.mat")}
        lists = self._lists(next(name for name, s in CLASSES.items() if s == synset))
        scored = [*lists["validation"], *lists["test"]]
        absent = [model for model in scored if model not in there]
        if CLOUD_LACKS * len(absent) > len(scored):
            raise DataMissing(
                f"{folder} lacks the clouds of {len(absent):,} of {len(scored):,} validation and "
                f"test models, {absent[0]}.mat among them",
                cure="make them as the publisher says (data/generate_ground_truth.sh, then "
                "data/downsample_ground_truth.sh)",
            )
        self._opened[synset] = folder
        return folder
