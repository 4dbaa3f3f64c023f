"""Making prepared splits of data sets: every image of a split decoded, cropped and resized once.

A split is made anew when its data set's files or the code that reads them are no longer what it was made
from (`benchmark.datasets.origins`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import DataAltered
from benchmark.datasets.crops import read_crops
from benchmark.datasets.decoding import Task, in_order
from benchmark.datasets.origins import origin_of, why_changed
from benchmark.datasets.places import locate, reader_of, require, spec_of
from benchmark.datasets.prepared import (
    PreparedSplit,
    Progress,
    open_or_make,
    read_manifest,
    store,
)
from benchmark.datasets.samples import cloud_of, mask_of, samples_of
from benchmark.datasets.trees import source_tree
from benchmark.home import home as bench_home
from benchmark.protocols import Geometry, canonical_digest

OUTSIDE = 0.01  # share of points outside of which a warning is due; AFLW has some at the border


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
    note: Callable[[str], None] | None = None,
    anew: bool = False,
) -> PreparedSplit:
    """Open a split, preparing it first where that was not done yet, or not from what is there now.

    `protocol_folder` is where the protocol's file lies (for its crops file); `labels` are kept beside
    the points; `progress(done, total)` is told while images are prepared, `note` why a split is
    prepared anew, which `anew` demands. Raises DataMissing when there is no data to prepare from,
    DataAltered when a file can't be decoded or is not what it should be, PluginBroken when the reader
    fails, DiskFull, RecordTooNew.

    Example: `open_split("ytf68", "people/test", protocol.geometry["ytf68"], protocol_folder=…)`
    of `ytf5@1` has pixels (857, 136, 136, 3), points (857, 68, 2) and size 96.
    """
    folder = split_folder(dataset_id, split, geometry, home, labels=labels)
    root = locate(dataset_id)

    def changed(manifest: Mapping[str, Any]) -> str:
        return why_changed(manifest, dataset_id, root, spec_of(dataset_id).implementation)

    def make() -> None:
        _prepare(dataset_id, split, geometry, protocol_folder, labels, folder, progress)

    return open_or_make(folder, make, changed, note, anew=anew)


def stale(dataset_id: str) -> dict[Path, str]:
    """The prepared splits of a data set that will be prepared anew when next asked for, and why."""
    spec, root = spec_of(dataset_id), locate(dataset_id)
    splits = sorted((bench_home() / "prepared").glob(f"{spec.id}-v{spec.version}-*/*/"))
    found = {}
    for folder in (f for f in splits if not f.name.startswith(".")):
        try:
            why = why_changed(read_manifest(folder), spec.id, root, spec.implementation)
        except DataAltered as error:
            why = f"{error.message}; {error.cure}"
        if why:
            found[folder] = why
    return found


def _prepare(
    dataset_id: str,
    split: str,
    geometry: Geometry,
    protocol_folder: Path,
    labels: Sequence[str],
    folder: Path,
    progress: Progress | None,
) -> None:
    root = require(dataset_id, progress)
    reader = reader_of(dataset_id, root)
    reader.progress = progress or reader.progress
    samples = samples_of(reader, split, dataset_id)
    used = (path for s in samples for path in (s.path, s.mask) if path is not None)
    # asked before anything is read: what changes meanwhile is found when the split is next opened
    origin = origin_of(root, spec_of(dataset_id).implementation, used)
    crops = crops_for(samples, reader, dataset_id, geometry, protocol_folder)
    annotated = [s.points is not None for s in samples]
    if any(annotated) and not all(annotated):
        raise DataAltered(
            f"{samples[annotated.index(False)].key} of {dataset_id}:{split} has no annotation",
            cure="put the publisher's annotation there again",
        )
    points: list[np.ndarray] = []
    masks: list[np.ndarray] = []
    silhouettes: list[np.ndarray] = []

    def masked(sample: Sample) -> np.ndarray:
        return mask_of(reader, sample)

    with_masks = "masks" in labels
    read_mask = masked if with_masks or geometry.background == "cut_out" else None

    task = Task(geometry, "silhouettes" in labels)

    def frames() -> Iterator[np.ndarray]:
        for placed in in_order(samples, crops, task, read_mask):
            if placed.points is not None:
                points.append(placed.points)
            if with_masks and placed.mask is not None:
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
        cloud=(lambda i: cloud_of(reader, samples[i])) if "clouds" in labels else None,
        keys=[s.key for s in samples],
        identities=[s.identity for s in samples],
        files=[_file(s.path, root) for s in samples],
        about={
            "dataset": dataset_id,
            "version": spec_of(dataset_id).version,
            "split": split,
            "geometry": geometry.model_dump(mode="json", exclude_defaults=True),
            "geometry_digest": geometry_digest(geometry),
            "source": source_tree(dataset_id, root),
            "hidden": sum(int((~s.visible).sum()) for s in samples if s.visible is not None),
            "made_from": origin.manifest(),
        },
        progress=progress,
    )


def _file(path: Path, root: Path) -> str:
    """Below the data set's folder, or wherever else it lies."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


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


def crops_for(
    samples: list[Sample], reader: Reader, dataset: str, geometry: Geometry, protocol_folder: Path
) -> list[np.ndarray | None]:
    """The row of the crops file that belongs to each sample: its position in the split "all"."""
    if geometry.crop != "stored":
        return [None] * len(samples)
    path = protocol_folder / geometry.crops
    rows = read_crops(path, geometry.crops_sha256)
    position = {s.key: i for i, s in enumerate(samples_of(reader, "all", dataset))}
    if len(rows) != len(position):
        raise DataAltered(
            f"{path} has {len(rows):,} rows for {len(position):,} samples",
            cure="restore the file as the protocol was published",
        )
    return [rows[position[s.key]] for s in samples]
