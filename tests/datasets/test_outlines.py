"""Tai-Chi and Stanford Cars with masks: which files make which samples."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from benchmark.contracts.errors import DataAltered, DataMissing, UnknownName
from benchmark.datasets.readers.stanford_cars import StanfordCarsMasks
from benchmark.datasets.readers.taichi_masks import TaichiMasks


class TinyTaichi(TaichiMasks):
    counts: ClassVar[dict[str, int]] = {"test": 3}


@pytest.fixture
def taichi(tmp_path: Path, picture) -> Path:
    for name in ("b#1/0000001.png", "b#1/0000000.png", "a#7/0000000.PNG"):
        picture(tmp_path / "train" / name, (16, 16))
    (tmp_path / "train" / "a#7" / "notes.txt").write_text("not a frame")
    for number in (2, 0, 1):
        picture(tmp_path / "eval_images" / "taichi-256" / "test" / f"{number:05}.png", (16, 16))
        picture(tmp_path / "taichi-test-masks" / f"{number:05}.png", (16, 16))
    return tmp_path


def test_frames_come_by_clip_and_name_and_test_frames_with_their_masks(taichi: Path) -> None:
    reader = TinyTaichi(taichi)
    train = reader.samples("clips/train")
    assert [s.key for s in train] == [
        "train/a#7/0000000.PNG",
        "train/b#1/0000000.png",
        "train/b#1/0000001.png",
    ]
    assert [s.identity for s in train] == ["a#7", "b#1", "b#1"]
    assert all(s.mask is None for s in train)
    test = reader.samples("test")
    assert [s.key for s in test] == [f"test/{n:05}.png" for n in range(3)]
    assert test[1].mask == taichi / "taichi-test-masks" / "00001.png"
    assert reader.mask(test[1]).shape == (16, 16)


def test_what_is_missing_of_taichi_is_named(taichi: Path) -> None:
    with pytest.raises(DataAltered, match="expected 300 frames, found 3"):
        TaichiMasks(taichi).samples("test")
    with pytest.raises(UnknownName):
        TaichiMasks(taichi).samples("train")
    (taichi / "taichi-test-masks" / "00001.png").unlink()
    reader = TinyTaichi(taichi)
    with pytest.raises(DataAltered, match=r"00001\.png is not there"):
        reader.mask(reader.samples("test")[1])
    for clip in (taichi / "train").iterdir():
        clip.rename(taichi / clip.name)
    with pytest.raises(DataMissing, match="no frames in folders of clips"):
        reader.samples("clips/train")


class TinyCars(StanfordCarsMasks):
    counts: ClassVar[dict[str, int]] = {"images": 14}


@pytest.fixture
def cars(tmp_path: Path, picture) -> Path:
    (tmp_path / "masks").mkdir()
    for number in range(1, 15):
        picture(tmp_path / "car_ims" / f"{number:06}.jpg", (24, 16), number)
        if number not in (3, 7):
            mask = np.zeros((16, 24), np.uint8)
            mask[4:12, 6:20] = 255
            Image.fromarray(mask).save(tmp_path / "masks" / f"{number:06}.png")
    return tmp_path


def test_every_fifth_photograph_with_a_mask_is_test(cars: Path) -> None:
    reader = TinyCars(cars)
    keys = {split: [int(s.key[:6]) for s in reader.samples(split)] for split in reader.splits}
    assert keys == {"train": [1, 2, 4, 5, 8, 9, 10, 11, 13, 14], "test": [6, 12]}
    assert reader.mask(reader.samples("test")[0]).mean() == pytest.approx(255 * 8 * 14 / (16 * 24))


def test_what_is_wrong_with_cars_is_named(cars: Path) -> None:
    with pytest.raises(DataAltered, match="expected 16,185 photographs, found 14"):
        StanfordCarsMasks(cars).samples("test")
    with pytest.raises(UnknownName):
        TinyCars(cars).samples("validation")
    (cars / "masks" / "000001.png").rename(cars / "masks" / "000099.png")
    with pytest.raises(DataAltered, match=r"000099\.png belongs to no photograph"):
        TinyCars(cars).samples("test")
    for mask in list((cars / "masks").iterdir())[2:]:
        mask.unlink()
    (cars / "masks" / "000099.png").unlink(missing_ok=True)
    with pytest.raises(DataMissing, match="too few to split"):
        TinyCars(cars).samples("test")
