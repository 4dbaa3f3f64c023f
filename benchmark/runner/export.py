"""Images of a protocol as a method sees them, written for programs elsewhere.

`items.csv` has a line for each: its key, by which predictions are scored (`bench score`), its file, the
original picture in the data set's folder, and x_original = ax · x + bx, y_original = ay · y + by.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmark.contracts.errors import DataAltered, InvalidInput, UnknownName
from benchmark.contracts.images import Images
from benchmark.contracts.method import Progress
from benchmark.datasets.geometry import back_to_original
from benchmark.datasets.opening import open_split
from benchmark.datasets.places import reader_of, require
from benchmark.datasets.prepared import PreparedSplit
from benchmark.datasets.preparing import crops_for
from benchmark.datasets.samples import samples_of
from benchmark.files import whole_folder
from benchmark.image_files import image_size
from benchmark.protocols import Protocol
from benchmark.registry.protocols import protocol_path
from benchmark.tasks.base import find_task

COLUMNS = ("key", "file", "size", "original", "original_width", "original_height",
           "ax", "bx", "ay", "by")  # fmt: skip
AT_ONCE = 256
Origin = tuple[str, int, int, float, float, float, float]
"""An original picture: its file below the data set's folder, width, height, ax, bx, ay, by."""


@dataclass(frozen=True)
class ExportedImages:
    """Images that may be written: `split` where they are its own, as they are; `role` is what they play
    in the protocol, "" for warped copies. `truth` are the points or masks of copies."""

    keys: Sequence[str]
    images: Images
    split: PreparedSplit | None
    role: str
    truth: Callable[[], np.ndarray | None]


def find_images(protocol: Protocol, name: str, *, twin: bool, progress: Progress) -> ExportedImages:
    """The images that the task has predicted under that name, or that play that role.

    Example: "test" of `ytf5`, "views" of `ytf5_matching`, "fit" of any protocol.
    """
    task, data = find_task(protocol.task), protocol.data
    roles = [r for r in ("fit", "train", "test", "validation", "development") if getattr(data, r)]
    if name != "fit":
        splits = {r: open_split(protocol, r, twin=twin, progress=progress) for r in task.splits}
        sets = {each.name: each for each in task.image_sets(splits, protocol.scored(twin=twin))}
        if name in sets:
            chosen = sets[name]
            role = name if chosen.split is not None else ""
            return ExportedImages(
                chosen.keys, chosen.images(progress), chosen.split, role, chosen.truth
            )
        roles = list(dict.fromkeys([*roles, *sets]))
    if name not in roles:
        raise UnknownName(f"split of {protocol.name}", name, roles)
    split = open_split(protocol, name, twin=twin, progress=progress)
    images = split.images(data.grants if name == "fit" else ())
    return ExportedImages(split.keys, images, split, name, lambda: None)


def export(
    protocol: Protocol,
    name: str,
    out: Path,
    *,
    twin: bool,
    progress: Progress,
    archive: bool = False,
    margin: bool = False,
    labels: bool = False,
) -> int:
    """Write the images into the folder `out`, whole or not at all; how many.

    PNG files, or with `archive` one `images.npz` (keys, images (N, S, S, 3) uint8); the middle squares
    that predictions are asked on, or with `margin` all that was prepared. What a protocol lets a method
    see beside pixels when it is fitted is in `granted.npz`. `labels` writes `labels.npz`, which no
    method may see. Raises `InvalidInput` for a folder that holds something, `DataMissing` where the
    original pictures are not here.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InvalidInput(f"{out} is not empty", cure="name a new folder, or move that one away")
    shown = find_images(protocol, name, twin=twin, progress=progress)
    origins = _origins(protocol, shown, twin=twin, cut=shown.images.margin if margin else 0)
    with whole_folder(out.absolute()) as folder:
        files = _write_images(shown, folder, archive, margin, progress)
        size = shown.images.size + (2 * shown.images.margin if margin else 0)
        with (folder / "items.csv").open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(COLUMNS)
            blank = ("",) * (len(COLUMNS) - 3)
            for key, one, origin in zip(shown.keys, files, origins, strict=True):
                lines.writerow([key, one, size, *(origin or blank)])
        for what, arrays in (("granted", _granted(shown.images)), ("labels", _labels(shown))):
            if arrays and (labels or what != "labels"):
                keys: dict[str, Any] = {"keys": np.array(shown.keys), **arrays}
                np.savez(folder / f"{what}.npz", **keys)
    return len(shown.keys)


def _write_images(
    shown: ExportedImages, folder: Path, archive: bool, margin: bool, progress: Progress
) -> list[str]:
    """The name of each image's file."""
    count, parts = len(shown.keys), []
    for first in range(0, count, AT_ONCE):
        rows = slice(first, min(first + AT_ONCE, count))
        some = shown.images.batch(rows, margin=margin).permute(0, 2, 3, 1).numpy()
        if archive:
            parts.append(some)
        for i, image in enumerate(some if not archive else (), start=first):
            Image.fromarray(image).save(folder / f"{i:06}.png")
        progress("export", rows.stop, count)
    if archive:
        np.savez(folder / "images.npz", keys=np.array(shown.keys), images=np.concatenate(parts))
    return ["images.npz" if archive else f"{i:06}.png" for i in range(count)]


def _granted(images: Images) -> dict[str, np.ndarray]:
    found = {"objects": images.objects, "silhouettes": images.silhouettes}
    if images.cameras is not None:
        found |= {"rotation": images.cameras.rotation, "translation": images.cameras.translation}
    return {name: np.asarray(array) for name, array in found.items() if array is not None}


def _labels(shown: ExportedImages) -> dict[str, np.ndarray]:
    """Points and all that was prepared beside them; of copies, what ceilings are shown."""
    count = len(shown.keys)
    if shown.split is None:
        truth = shown.truth()
        return {} if truth is None else {"truth": truth}
    points = {} if shown.split.points is None else {"points": shown.split.points}
    return {n: np.asarray(a[:count]) for n, a in {**points, **shown.split.labels}.items()}


def _origins(
    protocol: Protocol, shown: ExportedImages, *, twin: bool, cut: int
) -> Iterator[Origin | tuple[()]]:
    """The original of each image; nothing for copies, which are warped, and twins, which have none."""
    if twin or shown.split is None:
        yield from ((),) * len(shown.keys)
        return
    named = getattr(protocol.data, shown.role)
    dataset, _, part = named.partition(":")
    geometry, root = protocol.geometry_of(named), require(dataset)
    reader = reader_of(dataset, root)
    samples = samples_of(reader, part, dataset)
    folder = protocol_path(protocol.name).parent
    crops = crops_for(samples, reader, dataset, geometry, folder)
    if [s.key for s in samples] != list(shown.split.keys):
        raise DataAltered(
            f"the samples of {named} are not those that were prepared",
            cure=f"prepare them again: bench data prepare {protocol.name} --anew",
        )
    for sample, crop, _key in zip(samples, crops, shown.keys, strict=False):
        width, height = image_size(sample.path)
        way = back_to_original(sample, geometry, (width, height), crop)
        path = sample.path
        original = (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
        yield (original, width, height,
               way.ax, way.bx - cut * way.ax, way.ay, way.by - cut * way.ay)  # fmt: skip
