"""A protocol's data, rendered: same schema, units and split logic, people disjoint."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from filelock import FileLock

from benchmark.contracts.errors import Incompatible
from benchmark.datasets.prepared import (
    PreparedSplit,
    Progress,
    array_digest,
    labels_digest,
    load,
    store,
)
from benchmark.datasets.twins.models import render_models
from benchmark.datasets.twins.recipes import make_recipe, recipe_spec
from benchmark.datasets.twins.renderer import TwinBatch, render
from benchmark.datasets.twins.scene import Framing
from benchmark.home import home
from benchmark.protocols import Protocol, Twin, canonical_digest

RECIPE_VERSION = 1
"""Raised when a recipe or the renderer draws other pixels, so that old ones are not taken for new."""

MEASURED = {"probe", "generation", "metrics", "cloud", "alignment"}
"""Fields of a twin that no picture depends on."""

CHUNK = 64
TEST_SHARE = 5  # one person in five is test, as in the protocols on real people


def open_twin(protocol: Protocol, role: str, progress: Progress | None = None) -> PreparedSplit:
    """The rendered split that plays `role`; "validation" and "development" are parts of "train".

    Where a protocol has one split in two roles (fits where its probe is trained or on the part that
    leaves validation out, compares generated images with those fitted on), so has its twin.
    """
    twin = protocol.twin
    if twin is None:
        raise Incompatible(f"protocol {protocol.name} has no twin")
    if role == "fit" and protocol.data.fit == protocol.data.development:
        role = "development"
    if role in ("validation", "development"):
        return _people_part(open_twin(protocol, "train", progress), role)
    series = series_of(protocol, role)
    folder = _folder(protocol, twin, series)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock")):
            if not folder.exists():
                for killed in folder.parent.glob(f".{folder.name}.*/"):
                    shutil.rmtree(killed)
                _render(protocol, twin, series, folder, progress)
    return load(folder)


def series_of(protocol: Protocol, role: str) -> str:
    """Which series of pictures plays the role: "fit", "train" or "test", a field of the twin each."""
    data = protocol.data
    if role in ("validation", "development") or (role == "fit" and data.fit == data.development):
        return "train"
    if role == "fit" and data.fit == data.train:
        return "train"
    return "fit" if role == "test" and data.test == data.fit else role


def people_of(twin: Twin, series: str) -> list[int]:
    """Who may be shown in a series; those in "test" are in no other."""
    test = range(TEST_SHARE - 1, twin.people, TEST_SHARE)
    return [p for p in range(twin.people) if (p in test) == (series == "test")]


def _points(protocol: Protocol) -> int:
    rule = protocol.landmarks
    return 68 if rule is None or rule.rule == "mafl5_from_68" else rule.count


def _resize(protocol: Protocol) -> int:
    return max(g.resize for g in protocol.geometry.values())


def _folder(protocol: Protocol, twin: Twin, series: str) -> Path:
    about = {
        "recipe_version": RECIPE_VERSION,
        "twin": twin.model_dump(mode="json", exclude=MEASURED),
        "points": _points(protocol),
        "resize": _resize(protocol),
        "size": protocol.size,
    }
    if protocol.data.labels:
        about["labels"] = sorted(protocol.data.labels)
    if (version := recipe_spec(twin.recipe).version) > 1:
        about["version"] = version
    if protocol.shape is not None:
        about["models"] = [protocol.shape.views, protocol.shape.camera_axes, twin.cloud]
    return home() / "prepared" / f"twin-{twin.recipe}-{canonical_digest(about)[:12]}" / series


def _render(
    protocol: Protocol, twin: Twin, series: str, folder: Path, progress: Progress | None
) -> None:
    count = {"fit": twin.fit, "train": twin.train, "test": twin.test}[series]
    # series never overlap: each has its own range of picture numbers, and test its own people
    first = {"fit": 10_000_000, "train": 0, "test": 20_000_000}[series]
    people = people_of(twin, series)
    about = {"twin": twin.model_dump(mode="json"), "recipe_version": RECIPE_VERSION}
    if protocol.shape is not None:
        around = protocol.shape.views * len(people)  # pictures until the first model comes again
        start = first - first % around
        render_models(protocol, people, start, count, folder, series, about, progress)
        return
    resize = _resize(protocol)
    points_asked = None if protocol.landmarks is None else _points(protocol)
    recipe = make_recipe(
        twin.recipe, people, landmarks=points_asked, framing=_framing(twin), **twin.settings
    )
    points: list[np.ndarray] = []
    labels: dict[str, list[np.ndarray]] = {name: [] for name in protocol.data.labels}
    margin = (resize - protocol.size) // 2
    middle = slice(margin, margin + protocol.size)

    def frames() -> Iterator[np.ndarray]:
        threads = os.cpu_count() or 1
        for start in range(0, count, CHUNK):
            batch: TwinBatch = render(
                recipe, min(CHUNK, count - start), resize, twin.seed,
                first=first + start, threads=threads,
            )  # fmt: skip
            points.append(batch.landmarks - margin)
            known = {
                "visible": batch.visible,
                "masks": batch.foreground[:, middle, middle].astype(np.uint8),
                "attributes": batch.attributes,
                "quaternions": batch.quaternions,
                "clips": batch.identity,
            }
            for name, parts in labels.items():
                parts.append(known[name])
            yield from batch.images

    shown = (people[(first + i) % len(people)] for i in range(count))
    store(
        folder,
        frames(),
        (count, resize, resize, 3),
        protocol.size,
        points=lambda: np.concatenate(points).astype(np.float32),
        labels=lambda: {name: np.concatenate(parts) for name, parts in labels.items()},
        keys=[f"{series}/{i:06d}" for i in range(count)],
        identities=[f"person {person:04d}" for person in shown],
        about=about,
        progress=progress,
    )


def _framing(twin: Twin) -> Framing | None:
    """The protocol's framing; the recipe's own where it says nothing."""
    if twin.scale is None and twin.shift is None:
        return None
    usual = Framing()
    return Framing(twin.scale or usual.scale, twin.shift or usual.shift)


def _people_part(train: PreparedSplit, role: str) -> PreparedSplit:
    people = sorted(set(train.identities))
    chosen = set(people[TEST_SHARE - 1 :: TEST_SHARE])
    rows = [i for i, p in enumerate(train.identities) if (p in chosen) == (role == "validation")]
    pixels = train.pixels[rows]
    points = None if train.points is None else train.points[rows]
    labels = {name: np.asarray(array)[rows] for name, array in train.labels.items()}
    keys = [train.keys[i] for i in rows]
    identities = [train.identities[i] for i in rows]
    clouds = None if train.clouds is None else train.clouds.take(rows)
    return replace(
        train,
        pixels=pixels,
        points=points,
        keys=keys,
        identities=identities,
        pixels_digest=array_digest(pixels),
        labels_digest=labels_digest(points, keys, identities, labels, clouds),
        labels=labels,
        clouds=clouds,
    )
