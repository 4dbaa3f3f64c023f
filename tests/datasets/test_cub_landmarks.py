"""CUB with boxes and landmarks, in the publisher's layout and split."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from benchmark.registry.protocols import find_protocol

from benchmark.contracts.dataset import Sample
from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.datasets.geometry import place
from benchmark.datasets.readers.cub_landmarks import CubLandmarks


class Tiny(CubLandmarks):
    counts: ClassVar[dict[str, int]] = {"images": 5, "official/train": 3, "official/test": 2}


NAMES = ["001.A/one.jpg", "001.A/two.jpg", "002.B/three.jpg", "004.D/four.jpg", "002.B/five.jpg"]


@pytest.fixture
def root(tmp_path: Path, picture: Callable[..., np.ndarray]) -> Path:
    folder = tmp_path / "CUB_200_2011"
    for name in NAMES:
        picture(folder / "images" / name, (60, 40))
    (folder / "parts").mkdir()
    lines = {
        "images.txt": [f"{i} {name}" for i, name in enumerate(NAMES, start=1)],
        "train_test_split.txt": [f"{i} {code}" for i, code in enumerate((1, 0, 1, 1, 0), start=1)],
        "bounding_boxes.txt": [f"{i} {i}.0 10.0 30.0 20.0" for i in range(1, 6)],
        "parts/part_locs.txt": [
            f"{i} {part} {part}.5 {2 * part}.0 {int(part != 3)}"
            for i in range(1, 6)
            for part in range(1, 16)
        ],
    }
    for name, rows in lines.items():
        (folder / name).write_bytes("\r\n".join(rows).encode())
    return tmp_path


def test_the_publishers_split_and_its_first_species(root: Path) -> None:
    reader = Tiny(root)
    keys = {split: [s.key for s in reader.samples(split)] for split in reader.splits}
    assert keys == {
        "official/train": [NAMES[0], NAMES[2], NAMES[3]],
        "official/test": [NAMES[1], NAMES[4]],
        "three/train": [NAMES[0], NAMES[2]],
        "001/test": [NAMES[1]],
        "002/test": [NAMES[4]],
        "003/test": [],
    }


def test_boxes_points_and_what_is_visible(root: Path) -> None:
    sample = Tiny(root).samples("002/test")[0]
    assert sample.box == (5.0, 10.0, 35.0, 30.0)
    assert sample.identity == "002.B"
    np.testing.assert_array_equal(np.flatnonzero(~sample.visible), [2])
    np.testing.assert_array_equal(sample.points[3], [4.5, 8.0])


def test_a_square_of_the_longer_side_clipped_to_the_image(root: Path) -> None:
    sample = Tiny(root).samples("001/test")[0]  # box 2..32 × 10..30, square 2..32 × 5..35
    geometry = find_protocol("cub_landmarks").geometry["cub_landmarks"]
    placed = place(sample, geometry)
    assert placed.pixels.shape == (128, 128, 3)
    np.testing.assert_allclose(
        placed.points[3], (np.array([4.5, 8]) - [2, 5]) * 128 / 30, rtol=1e-6
    )
    high = Sample(sample.key, sample.path, points=sample.points, box=(40.0, 2.0, 70.0, 8.0))
    placed = place(high, geometry)  # square 40..70 × -10..20, of which 40..60 × 0..20 is image
    np.testing.assert_allclose(placed.points[3], (np.array([4.5, 8]) - [40, 0]) * 6.4, rtol=1e-6)


def test_the_box_itself_makes_coordinates_relative_to_it(root: Path) -> None:
    sample = Tiny(root).samples("001/test")[0]
    placed = place(sample, find_protocol("cub_landmarks_box").geometry["cub_landmarks"])
    relative = (sample.points - [2, 10]) / [30, 20]
    np.testing.assert_allclose(placed.points, 128 * relative, rtol=1e-6)


def test_bad_boxes_and_lists_are_refused(root: Path) -> None:
    geometry = find_protocol("cub_landmarks").geometry["cub_landmarks"]
    sample = Tiny(root).samples("001/test")[0]
    away = Sample(sample.key, sample.path, points=sample.points, box=(90.0, 2.0, 95.0, 8.0))
    with pytest.raises(InvalidInput, match=r"001\.A/two\.jpg: nothing of the box"):
        place(away, geometry)
    with pytest.raises(InvalidInput, match="there is none"):
        place(Sample(sample.key, sample.path, points=sample.points), geometry)
    path = root / "CUB_200_2011" / "bounding_boxes.txt"
    text = path.read_text()
    path.write_text(text.replace("3.0 10.0 30.0 20.0", "3.0 10.0 0.0 20.0"))
    with pytest.raises(DataAltered, match="line 3: a box without area"):
        Tiny(root).samples("official/train")
    path.write_text(text.rpartition("\n")[0])
    with pytest.raises(DataAltered, match="expected 5 boxes, found 4"):
        Tiny(root).samples("official/train")
    (root / "CUB_200_2011" / "train_test_split.txt").write_text(
        "\n".join(f"{i} 1" for i in range(1, 6))
    )
    with pytest.raises(DataAltered, match="expected 3 images to train, found 5"):
        Tiny(root).samples("official/train")


def test_the_first_species_of_the_real_list(tmp_path: Path) -> None:
    lists = [Path(r) / "lists" / "CUB" for r in os.environ.get("BENCH_DATA", "").split(os.pathsep)]
    there = [path for path in lists if (path / "images.txt").is_file()]
    if not there:
        pytest.skip("BENCH_DATA names no folder with lists of CUB")
    (tmp_path / "CUB_200_2011").symlink_to(there[0])
    names = CubLandmarks(tmp_path)._names
    assert [sum(n.startswith(f"{s}.") for n in names.values()) for s in ("001", "002", "003")] == [
        60,
        60,
        58,
    ]
