"""300-W: lists from the box files, points from .pts files, all counted from 1."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from scipy.io import savemat

from benchmark.contracts.errors import DataAltered, DataMissing
from benchmark.datasets.readers.w300 import W300, read_pts


class Tiny(W300):
    counts: ClassVar[dict[str, int]] = {"train": 4, "test": 4}


BOXES = {
    "afw": ["1.jpg"],
    "helen_trainset": ["2.jpg", "10.jpg"],
    "lfpw_trainset": ["image_0001.png"],
    "helen_testset": ["30.jpg"],
    "lfpw_testset": ["image_0001.png"],
    "ibug": ["image_003_1.jpg", "left_out.jpg", "image_001.jpg"],
}


def points_of(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(1, 400, (68, 2)).round(3)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Bounding Boxes").mkdir()
    seed = 0
    for name, images in BOXES.items():
        cells = np.empty((1, len(images)), dtype=object)
        folder = tmp_path / name.replace("_", "/")
        folder.mkdir(parents=True)
        for i, image in enumerate(images):
            box = np.array([[10.5 + seed, 20, 110, 130]])
            cells[0, i] = {"imgName": image, "bb_detector": box + 5, "bb_ground_truth": box}
            if not image.startswith("left"):
                rows = "\r\n".join(f"{x:.3f} {y:.3f}" for x, y in points_of(seed))
                text = f"version: 1\r\nn_points:  68\r\n{{\r\n{rows}\r\n}}\r\n"
                (folder / image).with_suffix(".pts").write_text(text)
            seed += 1
        savemat(
            tmp_path / "Bounding Boxes" / f"bounding_boxes_{name}.mat", {"bounding_boxes": cells}
        )
    return tmp_path


def test_parts_come_in_the_order_of_the_reference(root: Path) -> None:
    reader = Tiny(root)
    assert [s.key for s in reader.samples("train")] == [
        "afw/1.jpg",
        "helen/trainset/2.jpg",
        "helen/trainset/10.jpg",
        "lfpw/trainset/image_0001.png",
    ]
    assert [s.key for s in reader.samples("test")] == [
        "helen/testset/30.jpg",
        "lfpw/testset/image_0001.png",
        "ibug/image_003_1.jpg",
        "ibug/image_001.jpg",
    ]


def test_points_and_boxes_stay_as_in_the_files(root: Path) -> None:
    sample = Tiny(root).samples("test")[2]
    np.testing.assert_array_equal(sample.points, points_of(6))
    assert sample.box == (16.5, 20.0, 110.0, 130.0)
    assert sample.path == root / "ibug/image_003_1.jpg"


def test_a_missing_annotation_is_named(root: Path) -> None:
    (root / "helen/trainset/10.pts").unlink()
    with pytest.raises(DataMissing, match=r"trainset/10\.pts"):
        Tiny(root).samples("train")


def test_an_image_too_few_is_refused(root: Path) -> None:
    with pytest.raises(DataAltered, match="expected 3,148 images in train, found 4"):
        W300(root).samples("train")


def test_another_number_of_points_is_refused(root: Path) -> None:
    (root / "afw/1.pts").write_text("version: 1\nn_points: 2\n{\n1 2\n3 4\n}\n")
    with pytest.raises(DataAltered, match="expected 68 points, found 2"):
        Tiny(root).samples("train")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 2 3 4",
        "version: 1\nn_points: 2\n{\n1 2\n3 4\n",
        "version: 1\nn_points: 2\n{\n1 2\n3\n}",
        "version: 1\nn_points: 2\n{\n1 2\n3 nan\n}",
    ],
)
def test_what_is_no_pts_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.pts"
    path.write_text(text)
    with pytest.raises(DataAltered, match=r"a\.pts"):
        read_pts(path)


def test_a_box_file_without_boxes_is_refused(root: Path) -> None:
    cells = np.empty((1, 1), dtype=object)
    cells[0, 0] = {"imgName": "1.jpg"}
    savemat(root / "Bounding Boxes/bounding_boxes_afw.mat", {"bounding_boxes": cells})
    with pytest.raises(DataAltered, match="box 0"):
        Tiny(root).samples("train")
