"""Folders of pictures in their publishers' layouts: order, counts, subsets, dirt."""

from __future__ import annotations

import doctest
import os
from pathlib import Path
from typing import ClassVar
from zipfile import ZipFile, ZipInfo

import numpy as np
import pytest
from PIL import Image

from benchmark.contracts.dataset import Sample
from benchmark.contracts.errors import DataAltered, DataMissing, PluginBroken, UnknownName
from benchmark.datasets.geometry import back_to_original, place
from benchmark.datasets.preparing import open_split
from benchmark.datasets.readers import image_folders
from benchmark.datasets.readers.image_folders import (
    AnimalFace,
    CubImages,
    Ffhq,
    ImageFolder,
    LsunChurch,
    ada_subset,
    pictures,
    with_mirror_images,
)
from benchmark.datasets.samples import samples_of
from benchmark.datasets.specs import DATASETS
from benchmark.datasets.verify import verify
from benchmark.protocols import Geometry


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_pictures_come_sorted_by_path_without_what_is_none(tmp_path: Path) -> None:
    touch(*(tmp_path / n for n in ("b/1.png", "a/2.JPG", "a/10.png", "list.txt", ".x/3.png")))
    touch(tmp_path / "a" / "._2.jpg")
    names, others = ["a/10.png", "a/2.JPG", "b/1.png"], [".x/3.png", "a/._2.jpg", "list.txt"]
    assert pictures(tmp_path) == (tmp_path, names, others)
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
    stored = [int(word) for word in Ffhq.drawn.read_text().split()]
    assert len(stored) == 10_000
    for count in (1_000, 2_000, 10_000):
        assert sorted(stored[:count]) == ada_subset(70_000, count)
    assert doctest.testmod(image_folders).failed == 0


class TinyFfhq(Ffhq):
    counts: ClassVar[dict[str, int]] = {"all": 12, "ada/1k": 3, "ada/2k": 5, "ada/10k": 8}


@pytest.fixture(autouse=True)
def drawn(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers 0 to 11 as RandomState(0) shuffles them."""
    path = tmp_path_factory.mktemp("drawn") / "subset.txt"
    path.write_text("6 11 4 10 2 8 1 7 9 3 0 5\n")
    monkeypatch.setattr(TinyFfhq, "drawn", path)


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


def test_ffhq_mirrored_is_all_of_it_and_then_its_mirror_images(ffhq: Path) -> None:
    samples = TinyFfhq(ffhq).samples("mirrored")
    assert [s.key for s in samples[10:14]] == ["00010", "00011", "mirror/00000", "mirror/00001"]
    assert [s.mirrored for s in samples] == [False] * 12 + [True] * 12
    assert [s.path for s in samples[12:]] == [s.path for s in samples[:12]]


def test_ffhq_with_a_gap_or_too_few_is_refused(ffhq: Path) -> None:
    gone = ffhq / "images1024x1024/00000/00003.png"
    gone.unlink()
    with pytest.raises(DataAltered, match="expected 12 pictures, found 11, and 1 other files"):
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


def zip_up(archive: Path, folder: Path, *names: str, inside: str = "") -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(archive, "w") as file:
        for name in names:
            file.write(folder / name, f"{inside}{name}")


@pytest.fixture
def six(tmp_path: Path) -> tuple[Path, list[str]]:
    """Six pictures in two folders, JPEG and PNG, with a list and hidden files among them."""
    folder, names = (
        tmp_path / "six",
        ["b/1.png", "b/10.png", "b/2.png", "a/3.jpg", "c.jpeg", "B.png"],
    )
    draw = np.random.default_rng(0)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (9, 7, 3), np.uint8)).save(folder / name)
    touch(folder / "dataset.json", folder / "b" / "._1.png", folder / ".hidden" / "5.png")
    return folder, [*names, "dataset.json", "b/._1.png", ".hidden/5.png"]


SORTED = ["B.png", "a/3.jpg", "b/1.png", "b/10.png", "b/2.png", "c.jpeg"]


@pytest.mark.parametrize("inside", ["", "set/"])
def test_a_zip_reads_as_the_folder_that_it_was_made_from(
    six: tuple[Path, list[str]], tmp_path: Path, inside: str
) -> None:
    folder, names = six
    zip_up(tmp_path / "set.zip", folder, *names, inside=inside)
    plain, packed = pictures(folder), pictures(tmp_path / "set.zip")
    assert plain.names == packed.names == SORTED
    assert len(plain.others) == len(packed.others) == 3
    whole = Geometry(crop="whole", resize=8)
    for name in SORTED:
        one, other = (place(Sample(name, p.place / name), whole) for p in (plain, packed))
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_nothing_of_a_zip_leads_out_of_it(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "set.zip", "w") as file:
        for name in ("../a.png", "/a.png", "b/../../a.png", "b//a.png", "./a.png", "fine.png"):
            file.writestr(ZipInfo(name), b"")
    place, names, others = pictures(tmp_path / "set.zip")
    assert (place, names, len(others)) == (tmp_path / "set.zip", ["fine.png"], 5)


def test_a_zip_that_is_none_or_has_a_name_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(DataAltered, match=r"a\.zip can't be read as a zip"):
        pictures(tmp_path / "a.zip")
    with ZipFile(tmp_path / "b.zip", "w") as file:
        file.writestr("1.png", b"one")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("1.png", b"two")
    with pytest.raises(DataAltered, match=r"b\.zip holds 1\.png 2 times"):
        pictures(tmp_path / "b.zip")


def test_a_zip_takes_the_place_of_a_publishers_folder(tmp_path: Path) -> None:
    class Tiny(AnimalFace):
        counts: ClassVar[dict[str, int]] = {"dog": 2, "cat": 1}

    touch(tmp_path / "1.jpg", tmp_path / "2.jpg")
    zip_up(tmp_path / "AnimalFace-dog.zip", tmp_path, "1.jpg", "2.jpg", inside="AnimalFace-dog/")
    samples = Tiny(tmp_path).samples("dog")
    assert [s.key for s in samples] == ["dog/1.jpg", "dog/2.jpg"]
    assert samples[0].path == tmp_path / "AnimalFace-dog.zip/AnimalFace-dog/1.jpg"
    touch(*(tmp_path / f"00000/img{i:08}.png" for i in range(12)))
    names = [f"00000/img{i:08}.png" for i in range(12)]
    zip_up(tmp_path / "ffhq256x256.zip", tmp_path, *names)
    assert [s.key for s in TinyFfhq(tmp_path).samples("ada/1k")] == ["00004", "00006", "00011"]


def test_pictures_of_ones_own_are_a_data_set(six: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder, names = six
    with pytest.warns(UserWarning, match=r"six: 3 files passed over.*\): \S+, \S+, \S+$"):
        samples = ImageFolder(folder).samples("all")
    assert [s.key for s in samples] == SORTED
    zip_up(tmp_path / "own" / "any.zip", folder, *names)
    reader = ImageFolder(tmp_path / "own")
    with pytest.warns(UserWarning, match=r"any\.zip: 3 files passed over"):
        found = reader.samples("all")
    assert [s.key for s in found] == SORTED
    assert [s.key for s in reader.samples("mirrored")] == [
        *SORTED,
        *(f"mirror/{n}" for n in SORTED),
    ]
    assert [s.key for s in reader.samples("ada/2")] == [SORTED[i] for i in ada_subset(6, 2)]
    with pytest.raises(DataAltered, match="holds 6 pictures, fewer than ada/7 asks for"):
        reader.samples("ada/7")
    for wrong in ("train", "ada/0", "ada/x"):
        with pytest.raises(UnknownName, match=wrong):
            reader.samples(wrong)
    touch(tmp_path / "own" / "more.zip")
    with pytest.raises(DataAltered, match="2 zips and 0 pictures"):
        ImageFolder(tmp_path / "own").samples("all")


def test_the_mirror_image_is_taken_once_it_is_cut(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 13, 3), np.uint8)  # an odd rest to cut
    Image.fromarray(pixels).save(tmp_path / "a.png")
    one, other = with_mirror_images([Sample("a", tmp_path / "a.png")])
    for geometry in (
        Geometry(crop="centre_square", resize=8, filter="pillow_box"),
        Geometry(crop="centre_square", resize=6, filter="pillow_lanczos"),
    ):
        plain, mirrored = (place(sample, geometry).pixels for sample in (one, other))
        np.testing.assert_array_equal(mirrored, plain[:, ::-1])
        there, back = (back_to_original(s, geometry, (13, 8)) for s in (one, other))
        corners = np.array([[0.0, 1.0], [5.0, 2.0]])
        seen = corners * [-1, 1] + [geometry.size - 1, 0]
        np.testing.assert_allclose(back.back(seen), there.back(corners))


def test_mirrored_pictures_with_labels_are_refused(tmp_path: Path) -> None:
    class Labelled(ImageFolder):
        def samples(self, split: str) -> list[Sample]:
            return [Sample("a", tmp_path / "a.png", mirrored=True, mask=tmp_path / "a.png")]

    with pytest.raises(PluginBroken, match="mirrored pictures have no points, box or mask"):
        samples_of(Labelled(tmp_path), "all", "mine")


def test_a_split_prepared_from_a_zip_is_that_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pixels, keys and digests, originals and mirror images; a zip that changed is read anew."""
    draw = np.random.default_rng(0)
    faces = tmp_path / "AnimalFace-cat"
    faces.mkdir()
    for i in range(6):
        Image.fromarray(draw.integers(0, 256, (9, 12, 3), np.uint8)).save(faces / f"{i}.png")
    names = [f"{i}.png" for i in range(6)]
    zip_up(tmp_path / "zips/animalface/AnimalFace-cat.zip", faces, *names)
    (tmp_path / "folders/animalface").mkdir(parents=True)
    (tmp_path / "folders/animalface/AnimalFace-cat").symlink_to(faces)
    monkeypatch.setattr(AnimalFace, "counts", {"dog": 0, "cat": 6})
    geometry = Geometry(crop="centre_square", resize=4, filter="pillow_box")
    splits = []
    for where in ("zips", "folders"):
        monkeypatch.setenv("BENCH_DATA", str(tmp_path / where))
        home = tmp_path / f"home-{where}"
        splits.append(
            open_split("animalface", "cat", geometry, protocol_folder=tmp_path, home=home)
        )
    assert splits[0].pixels_digest == splits[1].pixels_digest
    assert splits[0].labels_digest == splits[1].labels_digest
    assert splits[0].files[0] == "AnimalFace-cat.zip/0.png"
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "zips"))
    zip_up(tmp_path / "zips/animalface/AnimalFace-cat.zip", faces, *(n for n in names[::-1]))
    said: list[str] = []
    again = open_split(
        "animalface", "cat", geometry, protocol_folder=tmp_path, home=tmp_path / "home-zips",
        note=said.append,
    )  # fmt: skip
    assert len(said) == 1
    assert again.pixels_digest == splits[0].pixels_digest
    report = verify("animalface")
    assert report.counts["cat"] == 6
    assert not [p for p in report.problems if "not there" in p and "cat" in p]


def test_real_pictures_in_a_zip_are_those_of_their_folder(tmp_path: Path) -> None:
    roots = [Path(r) / "flowers17" for r in os.environ.get("BENCH_DATA", "").split(os.pathsep) if r]
    folder = next((r / "data" / "images_256" for r in roots if r.is_dir()), None)
    if folder is None:
        pytest.skip("BENCH_DATA names no folder with flowers17")
    names = [f"image_{i:04}.jpg" for i in range(1, 1361, 136)]
    zip_up(tmp_path / "own" / "flowers.zip", folder, *names)
    samples = ImageFolder(tmp_path / "own").samples("mirrored")
    assert len(samples) == 20
    geometry = Geometry(crop="centre_square", resize=32, filter="pillow_box")
    for sample, name in zip(samples, names * 2, strict=True):
        with Image.open(folder / name) as image:
            wanted = np.asarray(image.resize((32, 32), Image.Resampling.BOX))
        pixels = place(sample, geometry).pixels
        np.testing.assert_array_equal(pixels[:, ::-1] if sample.mirrored else pixels, wanted)
