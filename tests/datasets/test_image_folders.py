"""Folders of pictures in their publishers' layouts: order, counts, subsets, dirt."""

from __future__ import annotations

import doctest
import os
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from benchmark.contracts.dataset import Sample
from benchmark.contracts.errors import DataAltered, DataMissing, UnknownName
from benchmark.datasets.geometry import place
from benchmark.datasets.readers import image_folders
from benchmark.datasets.readers.image_folders import (
    AnimalFace,
    CubImages,
    Ffhq,
    LsunChurch,
    ada_subset,
    pictures,
)
from benchmark.datasets.specs import DATASETS
from benchmark.protocols import Geometry


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_pictures_come_sorted_by_path_without_what_is_none(tmp_path: Path) -> None:
    touch(*(tmp_path / n for n in ("b/1.png", "a/2.JPG", "a/10.png", "list.txt", ".x/3.png")))
    touch(tmp_path / "a" / "._2.jpg")
    assert pictures(tmp_path) == ["a/10.png", "a/2.JPG", "b/1.png"]
    with pytest.raises(DataMissing):
        pictures(tmp_path / "nowhere")


def test_the_subsets_are_those_that_numpy_has_always_drawn() -> None:
    first = ada_subset(70_000, 1_000)
    assert first[:5] == [38, 216, 258, 281, 468]
    assert sum(first) == 35_093_152
    assert len(set(first)) == 1_000
    ten = ada_subset(70_000, 10_000)
    assert sum(ten) == 353_303_523
    assert set(first) < set(ada_subset(70_000, 2_000)) < set(ten)
    assert doctest.testmod(image_folders).failed == 0


class TinyFfhq(Ffhq):
    counts: ClassVar[dict[str, int]] = {"all": 12, "ada/1k": 3, "ada/2k": 5, "ada/10k": 8}


@pytest.fixture
def ffhq(tmp_path: Path) -> Path:
    touch(*(tmp_path / f"images1024x1024/{i // 10:02}000/{i:05}.png" for i in range(12)))
    touch(tmp_path / "images1024x1024/LICENSE.txt")
    return tmp_path


def test_ffhq_as_published_and_as_unpacked_from_ada_have_the_same_keys(
    ffhq: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("ada")
    touch(*(other / f"ffhq256x256/{i // 10:05}/img{i:08}.png" for i in range(12)))
    touch(other / "ffhq256x256/dataset.json")
    one, two = TinyFfhq(ffhq).samples("all"), TinyFfhq(other).samples("all")
    assert [s.key for s in one] == [s.key for s in two] == [f"{i:05}" for i in range(12)]
    assert one[11].path == ffhq / "images1024x1024/01000/00011.png"
    chosen = [s.key for s in TinyFfhq(ffhq).samples("ada/1k")]
    assert chosen == [f"{i:05}" for i in ada_subset(12, 3)]


def test_ffhq_with_a_gap_or_too_few_is_refused(ffhq: Path) -> None:
    gone = ffhq / "images1024x1024/00000/00003.png"
    gone.unlink()
    with pytest.raises(DataAltered, match="expected 12 pictures, found 11"):
        TinyFfhq(ffhq).samples("all")
    touch(ffhq / "images1024x1024/01000/00012.png")
    with pytest.raises(DataAltered, match="should be picture 3"):
        TinyFfhq(ffhq).samples("all")


def test_thumbnails_are_not_taken_for_ffhq(tmp_path: Path) -> None:
    touch(tmp_path / "thumbnails128x128/00000/00000.png")
    with pytest.raises(DataMissing, match="images1024x1024 or ffhq256x256"):
        TinyFfhq(tmp_path).samples("all")
    with pytest.raises(UnknownName, match="ada/3k"):
        TinyFfhq(tmp_path).samples("ada/3k")


def test_churches_come_in_the_order_of_their_keys_however_they_lie(tmp_path: Path) -> None:
    class Tiny(LsunChurch):
        counts: ClassVar[dict[str, int]] = {"train": 3}

    folder = tmp_path / "church_outdoor_train"
    touch(folder / "b" / "1" / "aaa.webp", folder / "a" / "ccc.webp", folder / "bbb.webp")
    assert [s.key for s in Tiny(tmp_path).samples("train")] == ["aaa", "bbb", "ccc"]


def test_dogs_do_not_need_cats(tmp_path: Path) -> None:
    class Tiny(AnimalFace):
        counts: ClassVar[dict[str, int]] = {"dog": 2, "cat": 1}

    touch(tmp_path / "AnimalFace-dog/2.jpg", tmp_path / "AnimalFace-dog/10.jpg")
    assert [s.key for s in Tiny(tmp_path).samples("dog")] == ["dog/10.jpg", "dog/2.jpg"]
    with pytest.raises(DataMissing, match="AnimalFace-cat"):
        Tiny(tmp_path).samples("cat")


class TinyCub(CubImages):
    counts: ClassVar[dict[str, int]] = {"all": 3}


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_cub_comes_in_the_order_of_its_list(tmp_path: Path, end: str) -> None:
    names = ["002.Gull/b.jpg", "001.Auk/z.jpg", "001.Auk/a.jpg"]
    path = tmp_path / "CUB_200_2011" / "images.txt"
    path.parent.mkdir()
    path.write_bytes(end.join(f"{i} {n}" for i, n in enumerate(names, start=1)).encode())
    samples = TinyCub(tmp_path).samples("all")
    assert [s.key for s in samples] == names
    assert samples[0].identity == "002.Gull"
    path.write_text("1 a.jpg\n2 b.jpg\n3")
    with pytest.raises(DataAltered, match="line 3"):
        TinyCub(tmp_path).samples("all")


def test_the_real_list_of_cub_has_all_its_pictures(tmp_path: Path) -> None:
    roots = [Path(r) / "lists" for r in os.environ.get("BENCH_DATA", "").split(os.pathsep) if r]
    found = next((r / "CUB" / "images.txt" for r in roots if (r / "CUB").is_dir()), None)
    if found is None:
        pytest.skip("BENCH_DATA names no folder with lists")
    (tmp_path / "CUB_200_2011").mkdir()
    (tmp_path / "CUB_200_2011" / "images.txt").symlink_to(found)
    samples = CubImages(tmp_path).samples("all")
    assert len(samples) == 11_788
    assert len({s.identity for s in samples}) == 200


def test_every_split_has_its_published_count() -> None:
    counts = {spec.id: spec.expected for spec in DATASETS}
    for name, reader in (
        ("ffhq", Ffhq),
        ("lsun_church", LsunChurch),
        ("animalface", AnimalFace),
        ("cub_images", CubImages),
    ):
        assert counts[name] == reader.counts
        assert set(reader.splits) == set(reader.counts)


def test_the_middle_square_and_the_box_filter(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 13, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    sample = Sample("a", tmp_path / "a.png")
    square = Geometry(crop="centre_square", resize=8, filter="pillow_lanczos")
    np.testing.assert_array_equal(place(sample, square).pixels, pixels[:, 2:10])
    half = Geometry(crop="centre_square", resize=4, filter="pillow_box")
    blocks = pixels[:, 2:10].reshape(4, 2, 4, 2, 3).mean((1, 3))
    assert (
        np.abs(place(sample, half).pixels - blocks).max() <= 1
    )  # rounded after rows, again after columns
