"""Prepared splits: decoded, cropped and resized once, then opened as memory-mapped arrays.

A split lies in `$BENCH_HOME/prepared/<dataset>-v<version>-<geometry digest>/<split>/`: pixels.npy
(N, R, R, 3) uint8, points.npy (N, K, 2) float32 where there are points, samples.json (keys and
identities) and manifest.json, which says what it was made from and holds the digests. Labels that a
protocol asks for beside the points lie in a file each, in a folder whose name ends in theirs.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from filelock import FileLock

import benchmark
from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import DataAltered, InvalidInput, RecordTooNew
from benchmark.contracts.images import Cameras, Images
from benchmark.datasets.clouds import Clouds, load_clouds, write_clouds
from benchmark.datasets.crops import read_crops
from benchmark.datasets.geometry import Placed, place
from benchmark.datasets.places import reader_of, require, spec_of
from benchmark.datasets.trees import source_tree
from benchmark.files import whole_folder, write_json
from benchmark.home import home as bench_home
from benchmark.protocols import Geometry, canonical_digest

FORMAT = 1
OUTSIDE = 0.01  # share of points outside of which a warning is due; AFLW has some at the border
CHUNK = 512  # images in memory at a time; of 136 × 136 pixels, 28 MB
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PreparedSplit:
    """A split under one geometry.

    `pixels` uint8 (N, R, R, 3), memory-mapped; `points` float32 (N, K, 2) in pixels of the middle
    `size` × `size` square, or None; `identities` the person (or other group) of each image; `keys`
    its name in the data set; `source` which tree of files it was made from, where that is known.
    `labels` holds what the protocol asks for beside the points: "visible" bool (N, K), "masks" uint8
    (N, S, S) of the middle square (1 foreground, 255 not scored), "attributes" float32 (N, A),
    "quaternions" float32 (N, 4) and "translations" float32 (N, 3) from the canonical frame to the
    camera's, "silhouettes" uint8 (N, R, R), "clips" int64 (N,), equal for frames of one clip.
    `clouds` are the true ones, if asked for.
    """

    folder: Path
    pixels: np.ndarray
    points: np.ndarray | None
    identities: list[str]
    keys: list[str]
    size: int
    pixels_digest: str
    labels_digest: str
    source: str | None = None
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    clouds: Clouds | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    def images(self, grants: Sequence[str] = ()) -> Images:
        """The label-free view that methods are given; it does not say which file it maps.

        `grants` names what the protocol lets a method see beside pixels; the digest covers it.
        """
        granted: dict[str, Any] = {}
        if "views" in grants:
            numbers = {name: i for i, name in enumerate(dict.fromkeys(self.identities))}
            granted["objects"] = np.array([numbers[name] for name in self.identities])
        if "clips" in grants:
            granted["objects"] = self.labels["clips"].view(np.ndarray)
        if "silhouettes" in grants:
            granted["silhouettes"] = self.labels["silhouettes"].view(np.ndarray)
        digests = {name: array_digest(array) for name, array in granted.items()}
        if "cameras" in grants:
            pose = (self.labels[name].view(np.ndarray) for name in ("quaternions", "translations"))
            granted["cameras"] = cameras = Cameras(*pose)
            digests["rotation"] = array_digest(cameras.rotation)
            digests["translation"] = array_digest(cameras.translation)
        digest = self.pixels_digest
        if granted:
            digest = canonical_digest({"pixels": digest, **digests})
        return Images(self.pixels.view(np.ndarray), self.size, digest, **granted)

    def verify(self) -> None:
        """Recompute both digests; raises DataAltered if one is not the manifest's."""
        found = {
            "pixels": array_digest(self.pixels),
            "labels": labels_digest(
                self.points, self.keys, self.identities, self.labels, self.clouds
            ),
        }
        stated = {"pixels": self.pixels_digest, "labels": self.labels_digest}
        for what, digest in found.items():
            if digest != stated[what]:
                raise _altered(
                    self.folder, f"its {what} have sha256 {digest[:12]}…, not {stated[what][:12]}…"
                )


def array_digest(array: np.ndarray) -> str:
    """sha256 of dtype, shape and bytes (C order); reads a memory map piece by piece."""
    total = _digest_of_header(array.dtype, array.shape)
    for start in range(0, len(array), CHUNK):
        total.update(np.ascontiguousarray(array[start : start + CHUNK]).data)
    return total.hexdigest()


def labels_digest(
    points: np.ndarray | None,
    keys: list[str],
    identities: list[str],
    labels: Mapping[str, np.ndarray],
    clouds: Clouds | None = None,
) -> str:
    """sha256 of what is known of the images beside their pixels."""
    content: dict[str, Any] = {
        "points": None if points is None else array_digest(points),
        "keys": keys,
        "identities": identities,
    }
    if labels:
        content["labels"] = {name: array_digest(array) for name, array in labels.items()}
    if clouds is not None:
        content["clouds"] = [array_digest(clouds.points), array_digest(clouds.extent)]
    return canonical_digest(content)


def split_folder(
    dataset_id: str,
    split: str,
    geometry: Geometry,
    home: Path | None = None,
    *,
    labels: Sequence[str] = (),
) -> Path:
    """Where a split is prepared to; protocols with the same geometry and labels share it."""
    digest = geometry_digest(geometry)[:12]
    words = (f"{dataset_id}-v{spec_of(dataset_id).version}-{digest}", *sorted(labels))
    name = "-".join(words)
    return (home or bench_home()) / "prepared" / name / split.replace("/", "-")


def geometry_digest(geometry: Geometry) -> str:
    """sha256 of the geometry; fields at their defaults do not count."""
    return canonical_digest(geometry.model_dump(mode="json", exclude_defaults=True))


def open_split(
    dataset_id: str,
    split: str,
    geometry: Geometry,
    *,
    protocol_folder: Path,
    labels: Sequence[str] = (),
    home: Path | None = None,
    progress: Progress | None = None,
) -> PreparedSplit:
    """Open a split, preparing it first where that was not done yet.

    `protocol_folder` is where the protocol's file lies (for its crops file); `labels` are kept beside
    the points; `progress(done, total)` is told while images are prepared. Raises DataMissing when
    there is no data to prepare from, DataAltered when a file can't be decoded or is not what it
    should be, DiskFull, RecordTooNew.

    Example: `open_split("ytf68", "people/test", protocol.geometry["ytf68"], protocol_folder=…)`
    of `ytf5@1` has pixels (857, 136, 136, 3), points (857, 68, 2) and size 96.
    """
    folder = split_folder(dataset_id, split, geometry, home, labels=labels)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Two processes may want the same split: the second waits and finds it done.
        with FileLock(folder.with_name(f".{folder.name}.lock")):
            if not folder.exists():
                for killed in folder.parent.glob(f".{folder.name}.*/"):
                    shutil.rmtree(killed)
                _prepare(dataset_id, split, geometry, protocol_folder, labels, folder, progress)
    return load(folder)


def store(
    folder: Path,
    frames: Iterable[np.ndarray],
    shape: tuple[int, int, int, int],
    size: int,
    *,
    points: Callable[[], np.ndarray | None],
    labels: Callable[[], Mapping[str, np.ndarray]] = dict,
    cloud: Callable[[int], np.ndarray | None] | None = None,
    keys: list[str],
    identities: list[str],
    about: dict[str, Any],
    progress: Progress | None = None,
) -> None:
    """Write a prepared split whole, one frame after another, so that any number fits.

    `frames` are uint8 (R, R, 3), `shape` is (N, R, R, 3); `points` and `labels` are asked for once
    all frames were taken, `cloud` (of the object in an image) at the first image of each identity;
    `about` goes into the manifest.
    """
    with whole_folder(folder) as temporary:
        pixels = _digest_of_header(np.dtype(np.uint8), shape)
        done = 0
        with (temporary / "pixels.npy").open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for done, frame in enumerate(frames, start=1):
                if frame.shape != shape[1:] or frame.dtype != np.uint8:
                    raise InvalidInput(
                        f"frame {done - 1}: {frame.dtype} {frame.shape}, not uint8 {shape[1:]}"
                    )
                data = frame.tobytes()
                pixels.update(data)
                file.write(data)
                if progress:
                    progress(done, shape[0])
        if not done == len(keys) == len(identities) == shape[0]:
            raise InvalidInput(f"{done} frames and {len(keys)} keys where {shape[0]} were expected")
        known, further = points(), dict(labels())
        if known is not None:
            np.save(temporary / "points.npy", known, allow_pickle=False)
        for name, array in further.items():
            if len(array) != shape[0]:
                raise InvalidInput(f"{len(array)} rows of {name} for {shape[0]} images")
            np.save(temporary / f"{name}.npy", array, allow_pickle=False)
        clouds = write_clouds(temporary, identities, cloud) if cloud else None
        write_json(temporary / "samples.json", {"keys": keys, "identities": identities})
        manifest = {
            "format": FORMAT,
            **about,
            "shape": list(shape),
            "size": size,
            "points": None if known is None else list(known.shape),
            "labels": {name: list(array.shape) for name, array in further.items()},
            "pixels_digest": pixels.hexdigest(),
            "labels_digest": labels_digest(known, keys, identities, further, clouds),
            "bench": benchmark.__version__,
            "pillow": PIL.__version__,
        }
        if clouds is not None:
            manifest["clouds"] = list(clouds.points.shape)
        write_json(temporary / "manifest.json", manifest)


def load(folder: Path) -> PreparedSplit:
    """Open a prepared split that is there."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        if manifest["format"] > FORMAT:
            raise RecordTooNew(
                f"{folder} was prepared by bench {manifest.get('bench', '?')} in format "
                f"{manifest['format']}; this bench knows formats up to {FORMAT}",
                cure="update bench, or set BENCH_HOME to another folder",
            )
        samples = json.loads((folder / "samples.json").read_text("utf-8"))
        pixels = np.load(folder / "pixels.npy", mmap_mode="r", allow_pickle=False)
        points = None
        if manifest["points"] is not None:
            points = np.load(folder / "points.npy", allow_pickle=False)
        # manifests of older versions do not know of further labels
        asked = manifest.get("labels", {})
        labels = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in asked
        }
        stated = (manifest["shape"], manifest["points"], asked)
        shapes = {name: list(array.shape) for name, array in labels.items()}
        if (list(pixels.shape), None if points is None else list(points.shape), shapes) != stated:
            raise ValueError("the arrays do not have the shapes that manifest.json states")
        return PreparedSplit(
            folder=folder,
            pixels=pixels,
            points=points,
            identities=samples["identities"],
            keys=samples["keys"],
            size=manifest["size"],
            pixels_digest=manifest["pixels_digest"],
            labels_digest=manifest["labels_digest"],
            source=manifest.get("source"),
            labels=labels,
            clouds=load_clouds(folder) if "clouds" in manifest else None,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _altered(folder, f"{type(error).__name__}: {error}") from None


def _altered(folder: Path, problem: str) -> DataAltered:
    return DataAltered(
        f"the prepared split {folder} is not as it was written: {problem}",
        cure="delete that folder; the next run prepares it again",
    )


def _digest_of_header(dtype: np.dtype, shape: tuple[int, ...]) -> Any:
    return hashlib.sha256(f"{dtype.str} {tuple(int(n) for n in shape)}\n".encode())


def _prepare(
    dataset_id: str,
    split: str,
    geometry: Geometry,
    protocol_folder: Path,
    labels: Sequence[str],
    folder: Path,
    progress: Progress | None,
) -> None:
    root = require(dataset_id)
    reader = reader_of(dataset_id, root)
    samples = reader.samples(split)
    crops = _crops_for(samples, reader, geometry, protocol_folder)
    annotated = [s.points is not None for s in samples]
    if any(annotated) and not all(annotated):
        raise DataAltered(
            f"{samples[annotated.index(False)].key} of {dataset_id}:{split} has no annotation",
            cure="put the publisher's annotation there again",
        )
    points: list[np.ndarray] = []
    masks: list[np.ndarray] = []
    silhouettes: list[np.ndarray] = []
    mask_of = reader.mask if "masks" in labels else None

    def frames() -> Iterator[np.ndarray]:
        for placed in _in_order(samples, crops, geometry, mask_of, "silhouettes" in labels):
            if placed.points is not None:
                points.append(placed.points)
            if placed.mask is not None:
                masks.append(placed.mask)
            if placed.silhouette is not None:
                silhouettes.append(placed.silhouette)
            yield placed.pixels

    def known() -> np.ndarray | None:
        if not points:
            return None
        stacked = np.stack(points)
        _warn_of_points_outside(f"{dataset_id}:{split}", stacked, samples, geometry)
        return stacked

    def further() -> dict[str, np.ndarray]:
        drawn = {"masks": masks, "silhouettes": silhouettes}
        found = {name: np.stack(arrays) for name, arrays in drawn.items() if arrays}
        given = [n for n in labels if n not in (*drawn, "clouds")]
        return found | {n: _gathered(samples, n, dataset_id) for n in given}

    store(
        folder,
        frames(),
        (len(samples), geometry.resize, geometry.resize, 3),
        geometry.size,
        points=known,
        labels=further,
        cloud=(lambda i: reader.cloud(samples[i])) if "clouds" in labels else None,
        keys=[s.key for s in samples],
        identities=[s.identity for s in samples],
        about={
            "dataset": dataset_id,
            "version": spec_of(dataset_id).version,
            "split": split,
            "geometry": geometry.model_dump(mode="json", exclude_defaults=True),
            "geometry_digest": geometry_digest(geometry),
            "source": source_tree(dataset_id, root),
        },
        progress=progress,
    )


def _warn_of_points_outside(
    name: str, points: np.ndarray, samples: list[Sample], geometry: Geometry
) -> None:
    """Say so where annotated points lie beyond what is prepared: x and y may be swapped."""
    low, high = -geometry.cut - 0.5, geometry.size + geometry.cut - 0.5
    outside = ((points < low) | (points > high)).any(axis=-1)
    shown = np.array([np.ones(len(p)) if s.visible is None else s.visible
                      for s, p in zip(samples, points, strict=True)], bool)  # fmt: skip
    share = (outside & shown).sum() / max(shown.sum(), 1)
    if share > OUTSIDE:
        warnings.warn(
            f"{share:.1%} of the points of {name} lie outside the prepared images; are x and y "
            "swapped, or do the points belong to other images?",
            stacklevel=2,
        )


def _gathered(samples: list[Sample], name: str, dataset_id: str) -> np.ndarray:
    """One label of all samples, stacked; a sample without it is refused."""
    rows = [s.visible if name == "visible" else s.extra.get(name) for s in samples]
    found = [r for r in rows if r is not None]
    if len(found) != len(rows):
        bare = next(s.key for s, row in zip(samples, rows, strict=True) if row is None)
        raise DataAltered(
            f"{bare} of {dataset_id} has no {name}",
            cure="put the publisher's annotation there again",
        )
    return np.stack(found)


def _crops_for(
    samples: list[Sample], reader: Reader, geometry: Geometry, protocol_folder: Path
) -> list[np.ndarray | None]:
    """The row of the crops file that belongs to each sample: its position in the split "all"."""
    if geometry.crop != "stored":
        return [None] * len(samples)
    path = protocol_folder / geometry.crops
    rows = read_crops(path, geometry.crops_sha256)
    position = {s.key: i for i, s in enumerate(reader.samples("all"))}
    if len(rows) != len(position):
        raise DataAltered(
            f"{path} has {len(rows):,} rows for {len(position):,} samples",
            cure="restore the file as the protocol was published",
        )
    return [rows[position[s.key]] for s in samples]


def _in_order(
    samples: list[Sample],
    crops: list[np.ndarray | None],
    geometry: Geometry,
    mask_of: Callable[[Sample], np.ndarray] | None,
    silhouette: bool,
) -> Iterator[Placed]:
    """Decode on all cores, a chunk at a time, and give the results in the order of the samples."""

    def one(sample: Sample, crop: np.ndarray | None) -> Placed:
        mask = mask_of(sample) if mask_of else None
        return place(sample, geometry, crop, mask, silhouette=silhouette)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(samples), CHUNK):
            end = start + CHUNK
            yield from pool.map(one, samples[start:end], crops[start:end])
