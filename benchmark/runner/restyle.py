"""A rendered data set in another style: every view translated by a fitted method, annotations kept."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmark.contracts.arithmetic import arithmetic
from benchmark.contracts.dataset import Sample
from benchmark.contracts.errors import DataMissing, Incompatible, InvalidInput
from benchmark.contracts.method import Progress
from benchmark.contracts.predictions import Translation
from benchmark.datasets.geometry import place, read_alpha
from benchmark.files import file_sha256, listed, whole_folder, write_json
from benchmark.runner.fitted import Fitted
from benchmark.tasks.collect import BATCH, predict_batch

ABOUT = "restyled.json"
KEPT = ("splits/*.txt", "gt/**/*.mat", "renders/**/camera_*.mat")
"""What says how a view was taken and of what: it holds for the translated one too."""


@dataclass(frozen=True)
class Restyled:
    """How many views were translated, the side that they have now in pixels, and of whose making."""

    views: int
    size: int
    fit_id: str


def restyle(
    fitted: Fitted, folder: Path, out: Path, progress: Progress, *, device: str = "cpu"
) -> Restyled:
    """Translate every render of a folder in the layout of `ModelViews` into the new folder `out`.

    Each is resized to the side that the method was fitted with, whole, so that its camera still holds,
    and laid on the background of the fit, or cut out as there. Its colours are then what the method
    gives, its alpha is its own, resized. Cameras, clouds and lists are copied; pictures of depth, which
    have another size, are not. `restyled.json` names run, fit, method, settings and the digest of the
    renders, so that the data set that is made says where it came from.
    Raises `Incompatible` for a method that translates nothing, `DataMissing` where there are no renders,
    `InvalidInput` where `out` is there already; nothing is left half-made.
    """
    if fitted.kind != "translation":
        raise Incompatible(
            f"run {fitted.run_id} of {fitted.name} gives {fitted.kind}, not a translation",
            cure="name a run of a method that translates images (`bench ls methods`)",
        )
    if out.exists():
        raise InvalidInput(f"{out} is there already", cure="name a new folder")
    renders = listed(folder, "renders/*/*/render_*.png")
    if not renders:
        raise DataMissing(
            f"{folder} holds no renders/NAME/MODEL/render_I.png",
            cure="`bench data render` makes such a folder of meshes",
        )
    size = fitted.protocol.size
    method = fitted.method(device)
    with arithmetic(), whole_folder(out) as temporary:
        for first in range(0, len(renders), BATCH):
            paths = renders[first : first + BATCH]
            seen, alphas = zip(*(_seen(fitted, path) for path in paths), strict=True)
            batch = torch.from_numpy(np.stack(seen)).permute(0, 3, 1, 2)
            with torch.inference_mode():
                found = predict_batch(method, "translation", batch, None)
            assert isinstance(found, Translation)
            colours = ((found.images.float().cpu() + 1) * 127.5).round().clamp(0, 255)
            for path, picture, alpha in zip(paths, colours, alphas, strict=True):
                rgba = np.dstack([picture.permute(1, 2, 0).to(torch.uint8).numpy(), alpha])
                target = temporary / path.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(rgba).save(target)
            progress("restyle", first + len(paths), len(renders))
        for path in (path for pattern in KEPT for path in listed(folder, pattern)):
            target = temporary / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        write_json(
            temporary / ABOUT,
            {
                "run": fitted.run_id,
                "fit": fitted.fit_id,
                "method": fitted.name,
                "settings": fitted.settings.model_dump(mode="json"),
                "protocol": fitted.protocol.name,
                "size": size,
                "renders": _digest(folder, renders),
            },
        )
    return Restyled(len(renders), size, fitted.fit_id)


def _seen(fitted: Fitted, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """What the method is shown of a render, uint8 (S, S, 3), and its alpha, uint8 (S, S)."""
    protocol = fitted.protocol
    # a crop of the fit's would leave the camera behind
    frame = {"crop": "whole", "resize": protocol.size, "cut": 0, "masks": "above_half"}
    geometry = protocol.geometry_of(protocol.data.fit).model_copy(update=frame)
    placed = place(
        Sample(path.name, path), geometry, mask=np.asarray(read_alpha(path)), silhouette=True
    )
    assert placed.silhouette is not None
    return placed.pixels, placed.silhouette


def _digest(folder: Path, renders: Sequence[Path]) -> str:
    """sha256 over names and contents of the renders."""
    lines = [f"{path.relative_to(folder).as_posix()} {file_sha256(path)}\n" for path in renders]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
