"""Flowers: the reversed lists of the 102, the split of the 17, and what the pictures hold."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from benchmark.contracts.errors import DataAltered, DataMissing, UnknownName
from benchmark.datasets.readers import flowers
from benchmark.datasets.readers.flowers import SECONDS, TWICE, Flowers17, Flowers102
from benchmark.datasets.specs import FLOWERS17
from benchmark.datasets.trees import TREES, published, tree_digest


class Tiny102(Flowers102):
    counts: ClassVar[dict[str, int]] = {"redo/train": 4, "redo/validation": 1, "redo/test": 2}


@pytest.fixture
def oxford(tmp_path: Path, picture) -> Path:
    savemat(tmp_path / "setid.mat", {"trnid": [[3, 1]], "valid": [[7]], "tstid": [[6, 2, 5, 4]]})
    for number in range(1, 8):
        picture(tmp_path / "jpg" / f"image_{number:05}.jpg", (30, 20), number)
        mask = np.zeros((20, 30, 3), np.uint8) + np.array([200, 120, 60], np.uint8)
        mask[:, :15] = 0, 0, 254
        path = tmp_path / "segmim" / f"segmim_{number:05}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(mask).save(path, quality=95)
    return tmp_path


def test_the_publishers_test_list_is_fitted_on_and_its_training_list_tested(oxford: Path) -> None:
    reader = Tiny102(oxford)
    assert [s.key for s in reader.samples("redo/test")] == ["image_00003.jpg", "image_00001.jpg"]
    assert [int(s.key[6:11]) for s in reader.samples("redo/train")] == [6, 2, 5, 4]
    assert [int(s.key[6:11]) for s in reader.samples("redo/validation")] == [7]
    sample = reader.samples("redo/test")[0]
    assert sample.mask == oxford / "segmim" / "segmim_00003.jpg"
    assert reader.mask(sample).shape == (20, 30, 3)
    with pytest.raises(UnknownName):
        reader.samples("train")


@pytest.mark.parametrize(
    "arrays, said",
    [
        ({"trnid": [[3]], "valid": [[7]], "tstid": [[6, 2, 5, 4]]}, "expected 2 images in trnid"),
        ({"trnid": [[3, 3]], "valid": [[7]], "tstid": [[6, 2, 5, 4]]}, "do not name each image"),
        ({"trnid": [[3, 1]], "valid": [[7]]}, "holds no array 'tstid'"),
    ],
)
def test_lists_that_are_not_the_publishers_are_refused(
    oxford: Path, arrays: dict, said: str
) -> None:
    savemat(oxford / "setid.mat", arrays)
    with pytest.raises(DataAltered, match=said):
        Tiny102(oxford).samples("redo/test")


class Tiny17(Flowers17):
    counts: ClassVar[dict[str, int]] = {"images": 14, "labels": 12}


@pytest.fixture
def small17(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fourteen pictures of two kinds; 7 has no map, 84 neither; 9 is 8 over again."""
    monkeypatch.setattr(flowers, "SECONDS", frozenset({9}))
    (tmp_path / "data" / "images_256").mkdir(parents=True)
    (tmp_path / "data" / "labels_256").mkdir()
    for number in (*range(1, 10), *range(81, 86)):
        image = Image.new("RGB", (8, 8), (number, 0, 0))
        image.save(tmp_path / "data" / "images_256" / f"image_{number:04}.jpg")
        if number not in (7, 84):
            labels = np.arange(64, dtype=np.uint8).reshape(8, 8) % 6
            palette = Image.fromarray(labels, "P")
            palette.putpalette([255 - i // 3 for i in range(18)])
            palette.save(tmp_path / "data" / "labels_256" / f"image_{number:04}.png")
    return tmp_path


def numbers(reader: Flowers17, split: str) -> list[int]:
    return [int(s.key[6:10]) for s in reader.samples(split)]


def test_every_fifth_labelled_picture_of_each_kind_is_test(small17: Path) -> None:
    reader = Tiny17(small17)
    assert numbers(reader, "test") == [5]  # of the second kind there are four only
    assert numbers(reader, "train") == [1, 2, 3, 4, 6, 7, 8, 81, 82, 83, 84, 85]
    assert numbers(reader, "validation") == [6]
    assert numbers(reader, "development") == [1, 2, 3, 4, 7, 8, 81, 82, 83, 84, 85]
    by_kind = {s.key: s.identity for s in reader.samples("train")}
    assert by_kind["image_0001.jpg"] == "class 01"
    assert by_kind["image_0081.jpg"] == "class 02"


def test_labels_are_palette_indices_of_which_three_are_scored(small17: Path) -> None:
    reader = Tiny17(small17)
    mask = reader.mask(reader.samples("test")[0])
    assert mask.ravel()[:6].tolist() == [255, 1, 255, 0, 0, 255]
    with pytest.raises(DataAltered, match=r"image_0007\.jpg has no mask"):
        reader.mask(next(s for s in reader.samples("train") if s.key == "image_0007.jpg"))


def test_other_trees_are_refused(small17: Path) -> None:
    maps = small17 / "data" / "labels_256"
    bad = Image.fromarray(np.full((8, 8), 6, np.uint8), "P")
    bad.putpalette([0] * 21)
    bad.save(maps / "image_0005.png")
    reader = Tiny17(small17)
    with pytest.raises(DataAltered, match="the label 6"):
        reader.mask(reader.samples("test")[0])
    (maps / "image_0005.png").rename(maps / "image_0007 (1).png")
    with pytest.raises(DataAltered, match="not named image_NNNN"):
        Tiny17(small17).samples("test")
    (maps / "image_0007 (1).png").rename(maps / "image_0099.png")
    with pytest.raises(DataAltered, match="belongs to no image"):
        Tiny17(small17).samples("test")
    (maps / "image_0099.png").unlink()
    with pytest.raises(DataAltered, match="expected 12 maps, found 11"):
        Tiny17(small17).samples("test")
    maps.rename(small17 / "elsewhere")
    with pytest.raises(DataMissing, match="labels_256"):
        Tiny17(small17).samples("test")


@pytest.fixture
def real17() -> Path:
    for root in os.environ.get("BENCH_DATA", "").split(os.pathsep):
        if root and (Path(root) / "flowers17" / "data").is_dir():
            return Path(root) / "flowers17"
    pytest.skip("BENCH_DATA names no folder with flowers17")


def test_the_real_splits_are_disjoint_and_have_the_stated_counts(real17: Path) -> None:
    reader = Flowers17(real17)
    found = {split: set(numbers(reader, split)) for split in reader.splits}
    assert {split: len(n) for split, n in found.items()} == dict(FLOWERS17.expected)
    assert not found["train"] & found["test"]
    assert not found["validation"] & found["development"]
    assert found["validation"] | found["development"] == found["train"]
    assert len(found["train"] | found["test"]) == 1_360 - len(SECONDS)
    assert all(s.mask is not None for s in reader.samples("test"))
    assert len({s.identity for s in reader.samples("test")}) == 16


def test_no_real_picture_is_there_twice_and_those_left_out_are(real17: Path) -> None:
    def thumbnail(number: int) -> np.ndarray:
        with Image.open(real17 / "data" / "images_256" / f"image_{number:04}.jpg") as image:
            small = image.convert("RGB").resize((16, 16), Image.Resampling.BILINEAR)
        return np.asarray(small, np.float64)

    pairs = [tuple(map(int, pair.split("="))) for pair in TWICE.split()]
    assert len(pairs) == len({n for pair in pairs for n in pair}) / 2 == 69
    for one, other in pairs[::7]:
        difference = thumbnail(one) - thumbnail(other)
        assert np.sqrt((difference**2).mean()) < 6
    reader = Flowers17(real17)
    for split in ("test", "validation"):
        shown = np.stack([thumbnail(n) for n in numbers(reader, split)]).reshape(-1, 768)
        squares = (shown**2).sum(1)
        apart = squares[:, None] + squares - 2 * shown @ shown.T
        np.fill_diagonal(apart, np.inf)
        assert np.sqrt(apart.min() / 768) > 6


def test_the_real_files_are_those_that_are_known_by_name(real17: Path) -> None:
    listed = published("flowers17")
    assert len(listed) == 2_206
    files = [*sorted(listed), "LICENSE"]
    hashes = {f: hashlib.sha256((real17 / f).read_bytes()).hexdigest() for f in files}
    # the digest that the files were handed over with counts the licence too
    handed_over = "6acaa075b1ffe752f83078a880997973b6f8a9ad5cde806feb483792557b34f6"
    assert tree_digest(hashes) == handed_over
    del hashes["LICENSE"]
    assert tree_digest(hashes) == TREES["flowers17"]["as-published"]
    assert {f: h[:32] for f, h in hashes.items()} == dict(listed)
