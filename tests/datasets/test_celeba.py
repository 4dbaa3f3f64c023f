"""CelebA and MAFL in their publisher's layout: which images, in which order, with which points."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from benchmark.contracts.errors import DataAltered, DataMissing
from benchmark.datasets.readers.celeba import Celeba
from benchmark.datasets.readers.celeba_wild import CelebaWild


class Tiny(Celeba):
    counts: ClassVar[dict[str, int]] = {
        "images": 10,
        "dve/unlabelled": 4,
        "zhang/unlabelled": 6,
        "mafl/train": 3,
        "mafl/test": 2,
    }


TRAIN = ["000007.jpg", "000002.jpg", "000009.jpg"]  # not sorted, one of them of partition 1
TEST = ["000008.jpg", "000001.jpg"]
PARTITION = {f"{i:06}.jpg": part for i, part in enumerate("0000002001", start=1)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("Img/img_align_celeba", "Anno", "Eval", "MAFL"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "Eval/list_eval_partition.txt").write_bytes(
        "".join(f"{name} {part}\r\n" for name, part in PARTITION.items()).encode()
    )
    (tmp_path / "MAFL/training.txt").write_text("\n".join(TRAIN))  # no newline at the end
    (tmp_path / "MAFL/testing.txt").write_text("\n".join(TEST))
    header = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y "
    rows = [
        f"{name}  " + "   ".join(str(10 * i + j) for j in range(10))
        for i, name in enumerate(PARTITION, start=1)
    ]
    text = "\n".join(["10", header + "rightmouth_x rightmouth_y", *rows]) + "\n"
    (tmp_path / "Anno/list_landmarks_align_celeba.txt").write_text(text)
    return tmp_path


def test_unlabelled_is_partition_0_without_mafl(root: Path) -> None:
    samples = Tiny(root).samples("dve/unlabelled")
    # 7 and 10 are not of partition 0; 1, 2, 8 and 9 are in MAFL
    assert [s.key for s in samples] == [f"{i:06}.jpg" for i in (3, 4, 5, 6)]
    assert all(s.points is None for s in samples)


def test_zhang_keeps_the_mafl_images_that_only_train(root: Path) -> None:
    samples = Tiny(root).samples("zhang/unlabelled")
    # of partition 0 only 1 and 8 are in MAFL's test list
    assert [s.key for s in samples] == [f"{i:06}.jpg" for i in (2, 3, 4, 5, 6, 9)]


def test_mafl_comes_in_ascending_order_of_file_name(root: Path) -> None:
    reader = Tiny(root)
    assert [s.key for s in reader.samples("mafl/train")] == sorted(TRAIN)
    assert [s.key for s in reader.samples("mafl/test")] == sorted(TEST)


def test_points_follow_the_name_not_the_row_of_the_list(root: Path) -> None:
    sample = Tiny(root).samples("mafl/train")[1]
    assert sample.key == "000007.jpg"
    assert sample.path == root / "Img/img_align_celeba/000007.jpg"
    np.testing.assert_array_equal(sample.points, 70 + np.arange(10.0).reshape(5, 2))


def test_a_list_of_another_length_is_refused(root: Path) -> None:
    (root / "MAFL/testing.txt").write_text("000001.jpg\n")
    with pytest.raises(DataAltered, match="expected 2 different images, found 1"):
        Tiny(root).samples("mafl/test")


def test_an_image_in_both_lists_is_refused(root: Path) -> None:
    (root / "MAFL/testing.txt").write_text("000001.jpg\n000002.jpg\n")
    with pytest.raises(DataAltered, match=r"000002\.jpg is in both"):
        Tiny(root).samples("mafl/train")


def test_a_name_celeba_does_not_have_is_refused(root: Path) -> None:
    (root / "MAFL/testing.txt").write_text("000001.jpg\n000011.jpg\n")
    with pytest.raises(DataAltered, match=r"000011\.jpg is not an image"):
        Tiny(root).samples("mafl/test")


def test_what_is_absent_is_named(root: Path) -> None:
    (root / "Anno/list_landmarks_align_celeba.txt").unlink()
    with pytest.raises(DataMissing, match="list_landmarks_align_celeba"):
        Tiny(root).samples("mafl/test")


def test_the_real_lists_give_the_stated_counts(tmp_path: Path) -> None:
    lists = [Path(r) / "lists" for r in os.environ.get("BENCH_DATA", "").split(os.pathsep) if r]
    lists = [path for path in lists if (path / "CelebA").is_dir()]
    if not lists:
        pytest.skip("BENCH_DATA names no folder with lists")
    (tmp_path / "Eval").symlink_to(lists[0] / "CelebA")
    (tmp_path / "MAFL").symlink_to(lists[0] / "MAFL")
    reader = Celeba(tmp_path)
    # `samples` would make as many paths, in seconds
    assert len(reader.unlabelled("dve/unlabelled")) == 146_501
    both = reader.unlabelled("zhang/unlabelled")
    assert len(both) == 161_962
    assert both == (lists[0] / "MAFL" / "celebA_training.txt").read_text().split()
    assert len(set(both) & set(reader._mafl["mafl/train"])) == 15_461
    assert reader._mafl["mafl/test"][:4] == [
        "000197.jpg",
        "000756.jpg",
        "000885.jpg",
        "000959.jpg",
    ]


class TinyWild(CelebaWild):
    counts: ClassVar[dict[str, int]] = {
        **Tiny.counts,
        "scops/unlabelled": 3,
        "scops/train": 1,
        "scops/test": 1,
    }


SIDES = {1: (100, 50), 2: (100, 50), 3: (40, 40), 4: (40, 40), 5: (9, 9), 6: (9, 9), 7: (9, 9),
         8: (100, 50), 9: (40, 40), 10: (9, 9)}  # fmt: skip
BOXES = {1: (30, 50), 2: (29, 50), 3: (24, 20), 4: (40, 40), 5: (0, 0), 6: (0, 0), 7: (1, 1),
         8: (10, 10), 9: (30, 30), 10: (9, 9)}  # fmt: skip


@pytest.fixture
def wild(root: Path, picture: Callable[..., np.ndarray]) -> Path:
    """Boxes of exactly and just under 30 % of pictures of 100 × 50 (width × height), and none."""
    for i, sides in SIDES.items():
        picture(root / "Img/img_celeba" / f"{i:06}.jpg", sides)
    rows = [f"{i:06}.jpg    1   2  {w}  {h}" for i, (w, h) in BOXES.items()]
    (root / "Anno/list_bbox_celeba.txt").write_text("\r\n".join(["10", "image_id x y w h", *rows]))
    (root / "Anno/list_landmarks_align_celeba.txt").rename(root / "Anno/list_landmarks_celeba.txt")
    return root


def test_faces_of_30_percent_stay_smaller_and_empty_boxes_go(wild: Path) -> None:
    reader = TinyWild(wild)
    # 1500 of 5000 stays, 1450 goes; 480 of 1600 stays; a box without area goes
    assert [s.key for s in reader.samples("scops/test")] == ["000001.jpg"]
    assert [s.key for s in reader.samples("scops/train")] == ["000009.jpg"]
    unlabelled = reader.samples("scops/unlabelled")
    assert [s.key for s in unlabelled] == [f"{i:06}.jpg" for i in (3, 4, 9)]
    assert unlabelled[0].points is None
    assert unlabelled[0].path == wild / "Img/img_celeba/000003.jpg"
    np.testing.assert_array_equal(
        reader.samples("scops/test")[0].points, 10 + np.arange(10.0).reshape(5, 2)
    )


def test_the_list_of_sizes_says_height_first_and_spares_the_pictures(wild: Path) -> None:
    before = TinyWild(wild).selection("scops/unlabelled")
    rows = [f"{i:06}.jpg {h} {w}" for i, (w, h) in SIDES.items()]
    (wild / "Anno/list_imsize_celeba.txt").write_text("\n".join(rows))
    for path in (wild / "Img/img_celeba").iterdir():
        path.write_bytes(b"not looked at")
    assert TinyWild(wild).selection("scops/unlabelled") == before


def test_all_of_mafl_is_there_however_small_the_face(wild: Path) -> None:
    assert [s.key for s in TinyWild(wild).samples("mafl/test")] == sorted(TEST)


def test_other_numbers_of_large_faces_are_refused(wild: Path) -> None:
    path = wild / "Anno/list_bbox_celeba.txt"
    path.write_text(path.read_text().replace("30  50", "29  50"))
    with pytest.raises(DataAltered, match=r"1 faces of scops/test that cover 30% .* found 0"):
        TinyWild(wild).samples("scops/test")


def test_the_real_list_of_sizes_covers_the_real_partition(tmp_path: Path) -> None:
    lists = [Path(r) / "lists" for r in os.environ.get("BENCH_DATA", "").split(os.pathsep) if r]
    lists = [path for path in lists if (path / "CelebA").is_dir()]
    if not lists:
        pytest.skip("BENCH_DATA names no folder with lists")
    for folder, source in (("Eval", "CelebA"), ("Anno", "CelebA"), ("MAFL", "MAFL")):
        (tmp_path / folder).symlink_to(lists[0] / source)
    reader = CelebaWild(tmp_path)
    assert reader._sizes.keys() == reader._partition.keys()
    assert reader._size("000001.jpg") == (687, 409)
