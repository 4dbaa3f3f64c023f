"""CUB in its publisher's layout with ReDO's split."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from benchmark.contracts.errors import DataAltered, DataMissing, UnknownName
from benchmark.datasets.geometry import place
from benchmark.datasets.readers.cub import Cub
from benchmark.home import builtin_folder
from benchmark.protocols import read_protocol

NAMES = [f"{k:03}.Kind/Bird_{i:04}.jpg" for k in (1, 2) for i in (5, 2, 9)]
CODES = "021002"


class Tiny(Cub):
    counts: ClassVar[dict[str, int]] = {
        "images": 6,
        "redo/train": 3,
        "redo/validation": 1,
        "redo/test": 2,
    }


@pytest.fixture
def root(tmp_path: Path, picture) -> Path:
    lists = tmp_path / "CUB_200_2011"
    (lists / "parts").mkdir(parents=True)
    (lists / "images.txt").write_bytes(
        "\r\n".join(f"{i} {n}" for i, n in enumerate(NAMES, 1)).encode()  # no newline at the end
    )
    (tmp_path / "train_val_test_split.txt").write_text(
        "".join(f"{i} {c}\n" for i, c in reversed(list(enumerate(CODES, 1))))
    )
    (lists / "parts" / "part_locs.txt").write_text(
        "".join(
            f"{i} {part} {i}.0 {part + 0.5} {int((i + part) % 3 > 0)}\n"
            for i in range(1, 7)
            for part in range(1, 16)
        )
    )
    for seed, name in enumerate(NAMES):
        picture(lists / "images" / name, (60, 50), seed)
        mask = (tmp_path / "segmentations" / name).with_suffix(".png")
        mask.parent.mkdir(parents=True, exist_ok=True)
        grey = np.zeros((50, 60), np.uint8)
        grey[10:40, 20:50] = 204  # four of five annotators
        Image.fromarray(grey).save(mask)
    return tmp_path


def test_the_parts_follow_the_codes_in_the_order_of_the_images(root: Path) -> None:
    keys = {split: [s.key for s in Tiny(root).samples(split)] for split in Tiny.splits}
    assert keys == {
        "redo/train": [NAMES[0], NAMES[3], NAMES[4]],
        "redo/validation": [NAMES[2]],
        "redo/test": [NAMES[1], NAMES[5]],
    }


def test_a_sample_has_its_species_points_and_mask(root: Path) -> None:
    reader = Tiny(root)
    sample = reader.samples("redo/test")[1]
    assert sample.identity == "002.Kind"
    assert sample.path == root / "CUB_200_2011" / "images" / NAMES[5]
    assert sample.points is not None
    np.testing.assert_array_equal(sample.points[:, 0], 6)
    np.testing.assert_array_equal(sample.points[:, 1], np.arange(1, 16) + 0.5)
    assert sample.visible is not None
    np.testing.assert_array_equal(sample.visible, (6 + np.arange(1, 16)) % 3 > 0)
    mask = reader.mask(sample)
    assert set(np.unique(mask)) == {0, 204}
    protocol = read_protocol(builtin_folder() / "cub" / "1.toml")
    placed = place(sample, protocol.geometry["cub"], mask=mask)
    assert placed.mask is not None
    assert placed.mask.mean() == pytest.approx(30 * 30 / (50 * 60), abs=0.01)


def test_a_mask_of_another_size_is_refused(root: Path) -> None:
    sample = Tiny(root).samples("redo/test")[0]
    protocol = read_protocol(builtin_folder() / "cub" / "1.toml")
    with pytest.raises(ValueError, match="the mask is 60 × 49 px, the image 60 × 50"):
        place(sample, protocol.geometry["cub"], mask=np.zeros((49, 60), np.uint8))


@pytest.mark.parametrize(
    "path, text, said",
    [
        ("train_val_test_split.txt", "1 0\n", "expected 6 images, found 1"),
        ("train_val_test_split.txt", "1 0\n1 2\n", "line 2: expected a new number"),
        ("train_val_test_split.txt", "1 0 3\n", "line 1: expected a new number"),
        (
            "train_val_test_split.txt",
            "".join(f"{i} 0\n" for i in range(2, 8)),
            "there is no image 7",
        ),
        (
            "train_val_test_split.txt",
            "".join(f"{i} 0\n" for i in range(1, 7)),
            "expected 2 images of code 2, found 0",
        ),
        ("CUB_200_2011/images.txt", "1 a.jpg\n", "expected 6 images, found 1"),
        ("CUB_200_2011/parts/part_locs.txt", "1 1 2 3 1\n", "expected 90 points, found 1"),
        ("CUB_200_2011/parts/part_locs.txt", "1 1 2 3 1\n" * 90, "image 1 lacks a point"),
        ("CUB_200_2011/parts/part_locs.txt", "1 16 2 3 1\n" * 90, "no such image or point"),
        ("CUB_200_2011/parts/part_locs.txt", "1 1 2 x 1\n" * 90, "not all are numbers"),
    ],
)
def test_lists_that_are_not_the_publishers_are_refused(
    root: Path, path: str, text: str, said: str
) -> None:
    (root / path).write_text(text)
    with pytest.raises(DataAltered, match=said):
        Tiny(root).samples("redo/test")


def test_what_is_not_there_is_named(root: Path) -> None:
    (root / "segmentations").rename(root / "elsewhere")
    with pytest.raises(DataMissing, match="segmentations"):
        Tiny(root).samples("redo/test")
    with pytest.raises(UnknownName, match="split of cub"):
        Tiny(root).samples("test")


def test_the_real_lists_give_the_stated_counts(tmp_path: Path) -> None:
    lists = [Path(r) / "lists" / "CUB" for r in os.environ.get("BENCH_DATA", "").split(os.pathsep)]
    lists = [path for path in lists if path.is_dir()]
    if not lists:
        pytest.skip("BENCH_DATA names no folder with lists/CUB")
    (tmp_path / "CUB_200_2011").mkdir()
    (tmp_path / "CUB_200_2011" / "images.txt").symlink_to(lists[0] / "images.txt")
    split = "train_val_test_split.txt"
    (tmp_path / split).symlink_to(lists[0] / split)
    codes, _ = Cub(tmp_path)._codes
    words = list(codes.values())
    assert [words.count(code) for code in "012"] == [10_000, 788, 1_000]
    assert len(words) == 11_788
    names = Cub(tmp_path)._names
    tested = {names[n].partition("/")[0] for n, code in codes.items() if code == "2"}
    assert len(tested) == 199
