"""AFLW_M and AFLW_R: columns, axes, repeats, counts."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from scipy.io import savemat

from benchmark.contracts.errors import DataAltered, UnknownName
from benchmark.datasets.readers.aflw import AflwM, AflwR


class TinyM(AflwM):
    counts: ClassVar[dict[str, int]] = {"train": 2, "test": 2}


class TinyR(AflwR):
    counts: ClassVar[dict[str, int]] = {"train": 2, "test": 3}


@pytest.fixture
def mtfl(tmp_path: Path) -> Path:
    (tmp_path / "aflw_cropped").mkdir()
    (tmp_path / "MTFL").mkdir()
    coordinates = [f"{axis}{i}" for i in range(1, 6) for axis in "xy"]
    rows = [["face_id", "image_file", "crop_file", "set", *coordinates, "extra"]]
    for i, part in enumerate([2, 1, 0, 1]):
        points = [str(100 * i + j + 0.5) for j in range(10)]
        rows.append([str(i), f"image0000{i}.jpg", f"cropped/{i}.jpg", str(part), *points, "x"])
    text = "\n".join(",".join(row) for row in rows)
    (tmp_path / "aflw_cropped/facedata_cropped.csv").write_text(text + "\n")
    xs, ys = "1 2 3 4 5", "11.5 12.5 13.5 14.5 15.5"
    (tmp_path / "MTFL/testing.txt").write_text(
        f" AFLW\\0001-image00000.jpg {xs} {ys} 2 1 1 3\n"
        f" AFLW/0002-image00009.jpg {ys} {xs} 2 1 1 3\n\n"
    )
    return tmp_path


def test_training_takes_set_1_in_row_order_and_columns_4_to_13(mtfl: Path) -> None:
    first, second = TinyM(mtfl).samples("train")
    assert [first.key, second.key] == ["train/cropped/1.jpg", "train/cropped/3.jpg"]
    assert first.path == mtfl / "aflw_cropped/cropped/1.jpg"
    # still counted from 1: the protocol's labels take the 1 away
    np.testing.assert_array_equal(first.points, 100.5 + np.arange(10).reshape(5, 2))


def test_testing_lists_all_x_before_all_y(mtfl: Path) -> None:
    first, second = TinyM(mtfl).samples("test")
    assert first.path == mtfl / "MTFL/AFLW/0001-image00000.jpg"
    np.testing.assert_array_equal(
        first.points, [[1, 11.5], [2, 12.5], [3, 13.5], [4, 14.5], [5, 15.5]]
    )
    np.testing.assert_array_equal(second.points, first.points[:, ::-1])


def test_a_training_image_that_is_tested_is_refused(mtfl: Path) -> None:
    table = mtfl / "aflw_cropped/facedata_cropped.csv"
    table.write_text(table.read_text().replace("image00003", "image00009"))
    with pytest.raises(DataAltered, match=r"line 5: image00009\.jpg is a training and a test"):
        TinyM(mtfl).samples("train")


def test_a_row_less_is_refused(mtfl: Path) -> None:
    table = mtfl / "aflw_cropped/facedata_cropped.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:-1]))
    with pytest.raises(DataAltered, match="expected 2 rows of set 1, found 1"):
        TinyM(mtfl).samples("train")


def test_a_table_without_its_columns_is_refused(mtfl: Path) -> None:
    table = mtfl / "aflw_cropped/facedata_cropped.csv"
    table.write_text(table.read_text().replace("crop_file", "file"))
    with pytest.raises(DataAltered, match="no column crop_file"):
        TinyM(mtfl).samples("train")


GT = np.arange(30.0).reshape(3, 5, 2)  # (y, x)


@pytest.fixture
def recrop(tmp_path: Path) -> Path:
    folder = tmp_path / "aflw_release-2"
    folder.mkdir()
    (folder / "aflw_train_images.txt").write_text("0/image1_1.jpg\n2/image2_2.jpg\n")
    (folder / "aflw_test_images.txt").write_text("3/image3_3.jpg\n0/image4_4.jpg\n3/image3_3.jpg\n")
    savemat(folder / "aflw_train_keypoints.mat", {"gt": GT[:2], "hw": np.full((2, 2), 150)})
    savemat(folder / "aflw_test_keypoints.mat", {"gt": GT, "hw": np.full((3, 2), 150)})
    return tmp_path


def test_the_axes_of_the_matlab_file_are_swapped(recrop: Path) -> None:
    samples = TinyR(recrop).samples("train")
    assert samples[1].path == recrop / "aflw_release-2/output/2/image2_2.jpg"
    np.testing.assert_array_equal(samples[1].points, GT[1][:, [1, 0]])


def test_an_image_listed_twice_is_two_samples_with_their_own_keys(recrop: Path) -> None:
    samples = TinyR(recrop).samples("test")
    assert [s.key for s in samples] == [
        "test/3/image3_3.jpg",
        "test/0/image4_4.jpg",
        "test/3/image3_3.jpg#2",
    ]
    assert samples[0].path == samples[2].path
    assert not np.array_equal(samples[0].points, samples[2].points)


def test_points_for_another_number_of_images_are_refused(recrop: Path) -> None:
    savemat(recrop / "aflw_release-2/aflw_test_keypoints.mat", {"gt": GT[:2]})
    with pytest.raises(DataAltered, match=r"expected gt \(3, 5, 2\), found \(2, 5, 2\)"):
        TinyR(recrop).samples("test")


def test_nan_among_the_points_is_refused(recrop: Path) -> None:
    broken = GT.copy()
    broken[1, 2, 0] = np.nan
    savemat(recrop / "aflw_release-2/aflw_test_keypoints.mat", {"gt": broken})
    with pytest.raises(DataAltered, match="NaN or infinity"):
        TinyR(recrop).samples("test")


@pytest.mark.parametrize("content", [b"", b"neither MATLAB nor anything", None])
def test_a_damaged_matlab_file_is_named(recrop: Path, content: bytes | None) -> None:
    path = recrop / "aflw_release-2/aflw_test_keypoints.mat"
    path.write_bytes(path.read_bytes()[:200] if content is None else content)
    with pytest.raises(DataAltered, match=r"aflw_test_keypoints\.mat"):
        TinyR(recrop).samples("test")


@pytest.mark.parametrize("reader", [TinyM, TinyR])
def test_unknown_splits_are_refused(tmp_path: Path, reader: type) -> None:
    with pytest.raises(UnknownName, match="validation"):
        reader(tmp_path).samples("validation")
