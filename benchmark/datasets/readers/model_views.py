"""Rendered models of one's own, in the layout that `bench data render` makes of meshes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import BenchError, DataAltered, DataMissing, UnknownName
from benchmark.datasets.layout import AGAIN, listed, matlab_arrays, required, words_of
from benchmark.datasets.readers.model_files import FOCAL, camera_of, points_of
from benchmark.image_files import decode

LISTS: Mapping[str, str] = {"train": "train", "validation": "val", "test": "test"}
SHOWN = 5


class ModelViews(Reader):
    """Models, `views` pictures of each, in a folder that looks so, NAME standing for any one name:

        splits/NAME_{train,val,test}.txt          the models of each split, by name
        renders/NAME/MODEL/render_I.png           with alpha, square
        renders/NAME/MODEL/camera_I.mat           with `pos`, three numbers, and maybe `K`
        gt/downsampled/NAME/MODEL.mat             with `points` (P, 3)

    That is what eldar/differentiable-point-clouds has. Samples and what lies beside them are those of
    `ShapeNet`, whose models are a publisher's and must all be there; here a view without camera or alpha
    is left out, and so is a model with fewer than `views` whole ones: `left_out` has the reasons, of
    which a warning tells. Of more views the first count, file names in order as strings. The focal
    length is that of `K`, 1.875 widths of the picture where there is none. A plugin registers a subclass
    with its own number of views.
    """

    splits = tuple(LISTS)
    views: ClassVar[int] = 5

    @property
    def folder(self) -> Path:
        """What holds the layout."""
        return self.root

    def samples(self, split: str) -> list[Sample]:
        if split not in self.splits:
            raise UnknownName("split of rendered models", split, self.splits)
        found, models = [], self._lists[split]
        lacking = {}
        for model in models:
            views, why = self._views(model)
            if len(views) < self.views:
                given = f"{len(views)} of {self.views} views"
                lacking[model] = "; ".join([given, *why]) if why else given
            found += views[: self.views] if len(views) >= self.views else []
        self.left_out[split] = lacking
        if lacking:
            named = [f"{model} ({why})" for model, why in list(lacking.items())[:SHOWN]]
            more = f", and {len(lacking) - SHOWN:,} more" if len(lacking) > SHOWN else ""
            warnings.warn(
                f"{self.folder}: {len(lacking):,} of {len(models):,} models of {split!r} are left out: "
                f"{', '.join(named)}{more}",
                stacklevel=2,
            )
        return found

    def cloud(self, sample: Sample) -> np.ndarray | None:
        path = self.folder / "gt" / "downsampled" / self._name / f"{sample.identity}.mat"
        return points_of(path) if path.exists() else None

    def mask(self, sample: Sample) -> np.ndarray:
        """Its alpha channel, uint8 (H, W): 255 where the model covers all of a pixel."""
        return np.asarray(decode(sample.path, "RGBA").getchannel("A"))

    @cached_property
    def left_out(self) -> dict[str, dict[str, str]]:
        """Split → model → why it is not among the samples, once these were asked for."""
        return {}

    @cached_property
    def _name(self) -> str:
        names = [p.name for p in listed(self.folder / "renders") if p.is_dir()]
        if len(names) != 1:
            raise DataAltered(
                f"{self.folder / 'renders'} holds {len(names)} folders, one is read",
                cure="render each kind of models into a folder of its own",
            )
        return names[0]

    @cached_property
    def _lists(self) -> dict[str, list[str]]:
        paths = {p: self.folder / "splits" / f"{self._name}_{w}.txt" for p, w in LISTS.items()}
        found = {part: words_of(required(path)) for part, path in paths.items()}
        everything = [model for models in found.values() for model in models]
        if len(set(everything)) != len(everything):
            twice = next(m for m in everything if everything.count(m) > 1)
            raise DataAltered(f"{paths['train'].parent}: the lists name {twice} twice", cure=AGAIN)
        return found

    def _views(self, model: str) -> tuple[list[Sample], list[str]]:
        """The whole views of a model, and what is wrong with others."""
        folder = self.folder / "renders" / self._name / model
        found, why = [], []
        for path in sorted(folder.glob("render_*.png")):
            number = re.sub(r"\D", "", path.name)
            camera = folder / f"camera_{number}.mat"
            try:
                if not camera.exists():
                    raise DataMissing(f"{path.name} has no camera")
                rotation, distance = camera_of(camera)
                _require_alpha(path)
                extra = {
                    "quaternions": rotation,
                    "translations": np.array([distance, 0, 0], np.float32),
                    "focals": _focal(camera),
                }
            except BenchError as error:
                why.append(error.message)
                continue
            found.append(Sample(f"{self._name}/{model}/{number}", path, model, extra=extra))
        return found, why


def _require_alpha(path: Path) -> None:
    picture = decode(path, {})
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        raise DataAltered(f"{path.name} has no alpha")
    if picture.width != picture.height:
        raise DataAltered(f"{path.name} is not square")
    if not np.asarray(picture.convert("RGBA"))[..., 3].any():
        raise DataAltered(f"{path.name} shows nothing: its alpha is 0 everywhere")


def _focal(camera: Path) -> np.ndarray:
    """In widths of the picture, from the lens matrix, whose centre is the middle of the picture."""
    try:
        lens = np.asarray(matlab_arrays(camera, "K")["K"], np.float64)
    except DataAltered:
        return FOCAL
    if lens.shape != (3, 3) or not np.isfinite(lens).all() or lens[0, 0] <= 0 or lens[0, 2] <= 0:
        raise DataAltered(f"{camera.name}: K is no matrix of a lens")
    return np.array(lens[0, 0] / (2 * lens[0, 2]), np.float32)
