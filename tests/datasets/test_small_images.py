"""The boards of small generated images: both sides are cut and shrunk by one rule, and share nothing."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.contracts.dataset import Reader
from benchmark.datasets.prepared import PreparedSplit
from benchmark.datasets.preparing import open_split
from benchmark.datasets.readers.flowers import Flowers17
from benchmark.datasets.readers.ytf68 import Ytf68
from benchmark.registry.protocols import find_protocol

SIZES = (32, 64)


def real(name: str) -> Path:
    roots = [Path(r) / name for r in os.environ.get("BENCH_DATA", "").split(os.pathsep) if r]
    found = next((root for root in roots if root.is_dir()), None)
    if found is None:
        pytest.skip(f"BENCH_DATA names no folder with {name}")
    return found


def prepared(name: str, role: str, home: Path) -> PreparedSplit:
    protocol = find_protocol(name)
    dataset, _, split = protocol.data.split(role).partition(":")
    folder = protocol.path.parent
    return open_split(dataset, split, protocol.geometry[dataset], protocol_folder=folder, home=home)


@pytest.mark.parametrize("size", SIZES)
def test_faces_are_the_middle_of_ytf68_images_through_a_box_filter(
    size: int, tmp_path: Path
) -> None:
    samples = {s.key: s for s in Ytf68(real("ytf68")).samples("all")}
    split = prepared(f"ytf68_images_{size}", "test", tmp_path)
    assert split.pixels.shape == (857, size, size, 3)
    for i in range(2, len(split), 45):
        sample = samples[split.keys[i]]
        assert sample.points is not None
        low, high = sample.points.min(0), sample.points.max(0)
        box, (x, y) = (high - low).max(), (low + high) / 2
        side = int(np.floor(1.5 * box * 96 / 136 + 0.5))
        left, top = (int(np.floor(c - side / 2 + 0.5)) for c in (x, y))
        with Image.open(sample.path) as image:
            pixels = np.pad(np.asarray(image), ((side, side), (side, side), (0, 0)))
        square = pixels[top + side : top + 2 * side, left + side : left + 2 * side]
        wanted = Image.fromarray(square).resize((size, size), Image.Resampling.BOX)
        np.testing.assert_array_equal(split.pixels[i], np.asarray(wanted))


@pytest.mark.parametrize("size", SIZES)
def test_flowers_are_blocks_of_the_whole_picture(size: int, tmp_path: Path) -> None:
    samples = {s.key: s for s in Flowers17(real("flowers17")).samples("test")}
    split = prepared(f"flowers17_images_{size}", "test", tmp_path)
    assert split.pixels.shape == (155, size, size, 3)
    for i in range(0, len(split), 9):
        with Image.open(samples[split.keys[i]].path) as image:
            wanted = np.asarray(image.resize((size, size), Image.Resampling.BOX))
            blocks = np.asarray(image, float).reshape(size, 256 // size, size, 256 // size, 3)
        np.testing.assert_array_equal(split.pixels[i], wanted)
        assert np.abs(split.pixels[i] - blocks.mean((1, 3))).max() <= 1  # Pillow rounds twice


@pytest.mark.parametrize(
    "name, reader, counts",
    [
        ("ytf68", Ytf68, {"fit": 3375, "test": 857, "validation": 676, "development": 2699}),
        ("flowers17", Flowers17, {"fit": 1136, "test": 155, "validation": 123, "development": 1013}),
    ],
)  # fmt: skip
def test_what_is_fitted_on_is_never_compared_with(
    name: str, reader: type[Reader], counts: dict[str, int]
) -> None:
    there = reader(real(name))
    protocols = [find_protocol(f"{name}_images_{size}") for size in SIZES]
    assert protocols[0].data == protocols[1].data
    splits = {role: protocols[0].data.split(role).partition(":")[2] for role in counts}
    keys = {role: {s.key for s in there.samples(split)} for role, split in splits.items()}
    assert {role: len(found) for role, found in keys.items()} == counts
    assert not keys["fit"] & keys["test"]
    assert keys["validation"] | keys["development"] == keys["fit"]
    if name == "ytf68":
        people = [{s.identity for s in there.samples(splits[role])} for role in ("fit", "test")]
        assert [len(found) for found in people] == [278, 69]
        assert not people[0] & people[1]


@pytest.mark.parametrize("name", ["ytf68", "flowers17"])
@pytest.mark.parametrize("size", SIZES)
def test_the_ceiling_shows_each_real_image_equally_often(name: str, size: int) -> None:
    protocol = find_protocol(f"{name}_images_{size}")
    how = protocol.generation
    assert how is not None and how.neighbours is not None  # noqa: PT018
    assert protocol.size == size
    assert how.images % how.neighbours.images == 0
    assert how.neighbours.images == {"ytf68": 857, "flowers17": 155}[name]
