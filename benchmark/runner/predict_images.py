"""A fitted method on pictures of one's own: what it predicts of each, in the picture's own pixels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmark.contracts.arithmetic import arithmetic
from benchmark.contracts.errors import DataAltered, DataMissing, InvalidInput
from benchmark.contracts.method import Progress
from benchmark.contracts.predictions import Descriptors, Prediction
from benchmark.contracts.spec import Kind
from benchmark.datasets.geometry import read_image
from benchmark.datasets.masks import FILTERS
from benchmark.files import listed, write_json
from benchmark.runner.fitted import Fitted
from benchmark.runner.prediction_folder import PredictionFolder
from benchmark.runner.views import FitRule, PictureCrop
from benchmark.tasks.collect import BATCH, predict_batch

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm"}
ABOUT = "about.json"
SHEET_FILE = "sheet.png"
"""Pictures of the predictions, which whoever asked for them draws into the same folder."""
SHEET = 32
"""So many pictures, evenly spread, are shown on a sheet."""

MEANING: dict[Kind, str] = {
    "landmarks": "points that the method found without labels, in pixels of each picture; not the "
    "protocol's landmarks: these come through a probe, which a run does not keep",
    "parts": "labels of parts in pixels of each picture: 0 for none, 255 where the crop does not reach; "
    "masks, if there are any, are the foreground by the protocol's rule",
    "descriptors": "a map of descriptors of each crop, cell (row i, column j) at (offset + stride j, "
    "offset + stride i); not landmarks: these come through a probe, which a run does not keep",
    "shape_and_pose": "clouds and rotations in the method's own frame; the rotation from there to the "
    "data set's is found in scoring and not applied",
    "translation": "translated crops and how much of each pixel was repainted; masks, if there are any, "
    "are the foreground by the protocol's rule, in pixels of each picture",
}
"""What is given, in words."""


@dataclass(frozen=True)
class Predicted:
    """What was done: the pictures by name, those left out and why, and some to show.

    `shown` are names, `images` uint8 (n, 3, S, S) what the method saw, `prediction` what it gave.
    """

    names: list[str]
    broken: dict[str, str]
    meaning: str
    shown: list[str]
    images: torch.Tensor
    prediction: Prediction


def pictures_in(folder: Path) -> list[str]:
    """Names, relative to the folder, of the pictures in it and below, sorted; hidden ones are left out.

    Raises `DataMissing` where there is none.
    """
    if not folder.is_dir():
        raise DataMissing(f"{folder} is no folder", cure="name the folder that holds the pictures")
    found = [p for p in listed(folder, "**/*") if p.suffix.lower() in SUFFIXES and p.is_file()]
    if not found:
        endings = ", ".join(sorted(SUFFIXES))
        raise DataMissing(
            f"there are no pictures in {folder}", cure=f"files are told by their endings: {endings}"
        )
    return [path.relative_to(folder).as_posix() for path in found]


def readable(
    folder: Path, names: Sequence[str], progress: Progress, *, skip_broken: bool
) -> tuple[list[str], dict[str, str]]:
    """The pictures that can be decoded, and for each other one why it can't.

    Raises `DataAltered`, naming them, unless they are to be skipped or nothing would be left.
    """
    broken = {}
    for done, name in enumerate(names, start=1):
        try:
            read_image(folder / name)
        except DataAltered as error:
            broken[name] = error.message
        progress("read", done, len(names))
    good = [name for name in names if name not in broken]
    if broken and not (skip_broken and good):
        raise DataAltered(
            f"{len(broken)} of {len(names)} pictures can't be read:\n"
            + "\n".join(f"    {reason}" for reason in broken.values()),
            cure="mend or remove them, or leave them out with --skip-broken",
        )
    return good, broken


def predict_images(
    fitted: Fitted,
    folder: Path,
    out: Path,
    progress: Progress,
    *,
    rule: FitRule = "centre",
    device: str = "cpu",
    skip_broken: bool = False,
) -> Predicted:
    """Predict every picture of a folder and write into `out`, an empty folder, what came.

    The method sees a square of the protocol's size, by `rule` (`PictureCrop.of`), upright as EXIF says;
    what it gives is mapped back to the upright picture. `about.json` says how to read the rest.
    """
    names, broken = readable(folder, pictures_in(folder), progress, skip_broken=skip_broken)
    method = fitted.method(device)
    chosen = set(np.linspace(0, len(names) - 1, min(SHEET, len(names))).round().astype(int))
    crops: dict[str, PictureCrop] = {}
    images: list[torch.Tensor] = []
    predictions: list[Prediction] = []
    with arithmetic(), PredictionFolder(out, fitted.protocol.foreground) as files:
        for first, batch, seen in _batches(fitted, folder, names, rule):
            with torch.inference_mode():
                found = predict_batch(method, fitted.kind, batch, None, fitted.protocol.landmarks)
            files.add(names[first : first + len(batch)], seen, found)
            crops |= dict(zip(names[first:], seen, strict=False))
            rows = [i for i in range(len(batch)) if first + i in chosen]
            if rows:
                images.append(batch[rows])
                predictions.append(_some(found.to("cpu"), rows))
            progress("predict", first + len(batch), len(names))
    shown = type(predictions[0]).concatenate(predictions)
    about = _about(fitted, rule, crops, broken, shown)
    about["files"] = sorted([ABOUT, SHEET_FILE, *_files(out)])
    write_json(out / ABOUT, about)
    return Predicted(
        names=names,
        broken=broken,
        meaning=MEANING[fitted.kind],
        shown=[names[i] for i in sorted(chosen)],
        images=torch.cat(images),
        prediction=shown,
    )


def _some(prediction: Prediction, rows: list[int]) -> Prediction:
    tensors = {name: tensor[rows] for name, tensor in prediction.tensors().items()}
    return type(prediction)(**tensors, **prediction.numbers())


def _batches(
    fitted: Fitted, folder: Path, names: Sequence[str], rule: FitRule
) -> Iterator[tuple[int, torch.Tensor, list[PictureCrop]]]:
    """The number of the first picture, pixels uint8 (B, 3, S, S), and what they show."""
    size, geometry = fitted.protocol.size, fitted.protocol.geometry_of(fitted.protocol.data.fit)
    for first in range(0, len(names), BATCH):
        crops, arrays = [], []
        for name in names[first : first + BATCH]:
            picture: Image.Image = read_image(folder / name, geometry.background, upright=True)
            crops.append(PictureCrop.of(picture.size, size, rule))
            arrays.append(crops[-1].image(picture, FILTERS[geometry.filter]))
        yield first, torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2), crops


def _about(
    fitted: Fitted,
    rule: FitRule,
    crops: dict[str, PictureCrop],
    broken: dict[str, str],
    shown: Prediction,
) -> dict[str, Any]:
    maps = (
        {"stride": shown.stride, "offset": shown.offset} if isinstance(shown, Descriptors) else {}
    )
    return {
        "run": fitted.run_id,
        "fit": fitted.fit_id,
        "method": fitted.name,
        "settings": fitted.settings.model_dump(mode="json"),
        "protocol": fitted.protocol.name,
        "kind": fitted.kind,
        "meaning": MEANING[fitted.kind],
        "size": fitted.protocol.size,
        "view": rule,
        **maps,
        "pictures": {
            name: {"width_height": crop.picture, "left_top_width_height": crop.window}
            for name, crop in crops.items()
        },
        "left_out": broken,
    }


def require_free(out: Path, folder: Path, fitted: Fitted, rule: FitRule) -> None:
    """Refuse a place for predictions that lies among the pictures, or holds anything but what the same
    fit wrote there by the same rule."""
    if out.resolve().is_relative_to(folder.resolve()):
        raise InvalidInput(
            f"{out} lies in {folder}, among the pictures", cure="name another folder with --out"
        )
    if out.exists() and not _may_be_replaced(out, fitted, rule):
        raise InvalidInput(
            f"{out} is there already, and holds other things than predictions of {fitted.run_id} by "
            f"--fit {rule}",
            cure="name another folder with --out, or delete this one",
        )


def _may_be_replaced(out: Path, fitted: Fitted, rule: FitRule) -> bool:
    if not out.is_dir():
        return False
    files = _files(out)
    if not files:
        return True
    try:
        about = json.loads((out / ABOUT).read_text("utf-8"))
        same = (about["run"], about["fit"], about["view"]) == (fitted.run_id, fitted.fit_id, rule)
        return same and files <= set(about["files"])
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
