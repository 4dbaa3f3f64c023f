"""Prepared splits: made once, whole or not at all, equal to what NumPy computes on its own."""

from __future__ import annotations

import errno
import hashlib
import json
import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.contracts.dataset import Sample
from benchmark.contracts.errors import (
    DataAltered,
    DataMissing,
    DiskFull,
    InvalidInput,
    RecordTooNew,
    UnknownName,
)
from benchmark.datasets import prepared, preparing
from benchmark.datasets.prepared import PreparedSplit
from benchmark.datasets.preparing import open_split, split_folder
from benchmark.datasets.readers.ytf68 import Ytf68
from benchmark.datasets.trees import source_tree
from benchmark.datasets.unaltered import known, remember, state_of
from benchmark.home import builtin_folder
from benchmark.protocols import Geometry, LandmarkRule, read_protocol
from benchmark.protocols.data import Data
from benchmark.tasks.landmark_rule import landmarks_of
from tools.drawn import draw_crops, write_crops

HERE = Path(".")
GEOMETRY = Geometry(crop="points_square", scale=1.5, resize=40, cut=4)


def open_tiny(split: str = "people/train", geometry: Geometry = GEOMETRY) -> PreparedSplit:
    return open_split("ytf68", split, geometry, protocol_folder=HERE)


def left_behind(home: Path) -> list[str]:
    """Everything under prepared/ but folders and lock files."""
    files = (home / "prepared").rglob("*")
    return sorted(str(f) for f in files if f.is_file() and f.suffix != ".lock")


def test_a_split_holds_images_points_people_and_keys_in_one_order(tiny_ytf68: Path) -> None:
    split = open_tiny("published/train")
    samples = Ytf68(tiny_ytf68).samples("published/train")
    assert (split.pixels.shape, split.pixels.dtype) == ((14, 40, 40, 3), np.uint8)
    assert isinstance(split.pixels, np.memmap)
    assert split.points is not None
    assert (split.points.shape, split.points.dtype) == ((14, 68, 2), np.float32)
    assert split.keys == [s.key for s in samples]
    assert split.identities == [s.identity for s in samples]
    assert split.size == 32
    assert len(split) == 14
    split.verify()


def test_the_view_for_methods_has_pixels_and_margin_only(tiny_ytf68: Path) -> None:
    split = open_tiny()
    images = split.images()
    assert (len(images), images.size, images.margin) == (len(split), 32, 4)
    assert images.digest == split.pixels_digest
    granted = {"cameras", "objects", "silhouettes", "clouds"}
    assert set(vars(images)) == {"pixels", "size", "margin", "digest", "domains"} | granted
    assert {getattr(images, name) for name in granted} == {None}
    assert images.domains == {}


def test_a_split_is_prepared_once_and_does_not_need_the_data_again(
    tiny_ytf68: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    first = open_split(
        "ytf68", "all", GEOMETRY, protocol_folder=HERE, progress=lambda *p: seen.append(p)
    )
    assert seen == [(i, 20) for i in range(1, 21)]
    monkeypatch.setattr(preparing, "_prepare", None)
    tiny_ytf68.rename(tiny_ytf68.with_name("moved"))
    second = open_tiny("all")
    np.testing.assert_array_equal(first.pixels, second.pixels)
    assert first.labels_digest == second.labels_digest


def test_digests_are_those_of_the_content(tiny_ytf68: Path) -> None:
    split = open_tiny()
    n = len(split)
    header = f"|u1 ({n}, 40, 40, 3)\n".encode()
    assert split.pixels_digest == hashlib.sha256(header + split.pixels.tobytes()).hexdigest()
    manifest = json.loads((split.folder / "manifest.json").read_text())
    assert manifest["dataset"] == "ytf68"
    assert manifest["split"] == "people/train"
    assert manifest["pixels_digest"] == split.pixels_digest
    assert manifest["geometry"]["resize"] == 40
    assert manifest["pillow"]
    assert split.source == source_tree("ytf68", tiny_ytf68)


def test_preparing_again_gives_the_same_digests(tiny_ytf68: Path, tmp_path: Path) -> None:
    first = open_tiny()
    second = open_split(
        "ytf68", "people/train", GEOMETRY, protocol_folder=HERE, home=tmp_path / "second"
    )
    assert first.folder != second.folder
    assert (first.pixels_digest, first.labels_digest) == (
        second.pixels_digest,
        second.labels_digest,
    )


def test_more_images_than_a_chunk_keep_their_order(
    tiny_ytf68: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = open_tiny("all")
    monkeypatch.setattr(prepared, "CHUNK", 3)
    pieces = open_split("ytf68", "all", GEOMETRY, protocol_folder=HERE, home=tmp_path / "second")
    np.testing.assert_array_equal(whole.pixels, pieces.pixels)
    assert whole.pixels_digest == pieces.pixels_digest
    pieces.verify()


def test_what_was_found_right_is_not_hashed_again_until_it_changes(
    tiny_ytf68: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split, hashed = open_tiny(), []
    honest = prepared.array_digest

    def counted(array: np.ndarray) -> str:
        hashed.append(array)
        return honest(array)

    monkeypatch.setattr(prepared, "array_digest", counted)
    split.check()
    assert hashed
    hashed.clear()
    open_tiny().check()
    assert not hashed
    open_tiny().verify()
    assert hashed
    path = split.folder / "pixels.npy"
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as if it had not been touched
    with pytest.raises(DataAltered, match="its pixels have sha256"):
        open_tiny().check()
    remember(split.folder, state_of(split.folder))  # as a disk that errs by itself
    open_tiny().check()
    with pytest.raises(DataAltered, match="its pixels have sha256"):
        open_tiny().verify()


def test_what_can_not_be_remembered_or_read_is_hashed_each_time(tiny_ytf68: Path) -> None:
    split = open_tiny()
    split.check()
    (split.folder / "verified.json").write_text("{torn")
    split.check()
    assert known(split.folder) == state_of(split.folder)
    (split.folder / "verified.json").unlink()
    (split.folder / "verified.json").mkdir()  # nothing can be written there
    split.check()
    assert known(split.folder) is None


@pytest.mark.parametrize("what", ["pixels", "points", "samples"])
def test_a_changed_byte_is_found_by_verify(tiny_ytf68: Path, what: str) -> None:
    folder = open_tiny().folder
    if what == "samples":
        path = folder / "samples.json"
        path.write_text(path.read_text().replace("P_A", "P_X", 1))
    else:
        array = np.load(folder / f"{what}.npy", mmap_mode="r+")
        array.reshape(-1)[-1] += 1
        array.flush()
    with pytest.raises(DataAltered, match="pixels" if what == "pixels" else "labels") as caught:
        open_tiny().verify()
    assert "delete that folder" in caught.value.cure


@pytest.mark.parametrize("what", ["pixels.npy", "manifest.json", "samples.json", "points.npy"])
def test_a_cut_off_file_is_refused_when_opened(tiny_ytf68: Path, what: str) -> None:
    path = open_tiny().folder / what
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataAltered, match="not as it was written"):
        open_tiny()


def test_a_newer_format_is_refused(tiny_ytf68: Path) -> None:
    path = open_tiny().folder / "manifest.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(RecordTooNew, match="format 2"):
        open_tiny()


def test_absent_data_says_what_to_get_and_where_to_put_it(bench_home: Path) -> None:
    with pytest.raises(DataMissing) as caught:
        open_tiny()
    assert str(bench_home / "data" / "ytf68") in caught.value.message
    assert "bench data get ytf68" in caught.value.cure
    assert "https://github.com/udacity" in caught.value.cure
    assert not left_behind(bench_home)


def test_unknown_names_are_refused(tiny_ytf68: Path) -> None:
    with pytest.raises(UnknownName, match="people/train"):
        open_tiny("people/trian")
    with pytest.raises(UnknownName, match="ytf68"):
        open_split("ytf86", "all", GEOMETRY, protocol_folder=HERE)


def test_a_damaged_image_is_named_and_nothing_is_left(bench_home: Path, tiny_ytf68: Path) -> None:
    broken = tiny_ytf68 / "data/training/P_D_00.jpg"
    broken.write_bytes(broken.read_bytes()[:2000])
    with pytest.raises(DataAltered, match=r"P_D_00\.jpg can't be decoded"):
        open_tiny()
    assert not left_behind(bench_home)
    open_tiny("people/test").verify()  # which does not need that image


def test_a_full_disk_leaves_nothing(
    bench_home: Path, tiny_ytf68: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(prepared.np.lib.format, "write_array_header_1_0", full)
        with pytest.raises(DiskFull, match="no room"):
            open_tiny()
    assert not left_behind(bench_home)
    open_tiny().verify()


def test_what_a_killed_process_left_is_swept_away(bench_home: Path, tiny_ytf68: Path) -> None:
    folder = split_folder("ytf68", "people/train", GEOMETRY)
    half = folder.with_name(f".{folder.name}.k1lled")
    half.mkdir(parents=True)
    (half / "pixels.npy").write_bytes(b"half")
    open_tiny().verify()
    assert not half.exists()


def test_two_processes_prepare_a_split_once(tiny_ytf68: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    real = preparing._prepare

    def logged(*args: object) -> None:
        with log.open("a") as file:
            file.write("prepared\n")
        real(*args)

    preparing._prepare = logged
    try:
        context = multiprocessing.get_context("fork")
        workers = [context.Process(target=lambda: open_tiny("all").verify()) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert [worker.exitcode for worker in workers] == [0, 0]
    finally:
        preparing._prepare = real
    assert log.read_text() == "prepared\n"


def test_stored_crops_belong_to_positions_in_the_whole_set(
    tiny_ytf68: Path, tmp_path: Path
) -> None:
    crops = draw_crops(20, scale=(1.2, 2.2), shift=0.15, seed=3)
    sha256 = write_crops(tmp_path / "1.crops.csv", crops)
    geometry = Geometry(
        crop="stored",
        crops="1.crops.csv",
        crops_sha256=sha256,
        resize=136,
        cut=20,
        labels="pixel_centres",
    )
    opened = {
        split: open_split("ytf68", split, geometry, protocol_folder=tmp_path)
        for split in ("all", "people/test")
    }
    where = [opened["all"].keys.index(key) for key in opened["people/test"].keys]
    np.testing.assert_array_equal(opened["all"].points[where], opened["people/test"].points)
    # in the visible 96 pixels the box has 1/scale of the side (up to the rounding of the crop)
    span = np.ptp(opened["all"].points, axis=1).max(axis=1)
    np.testing.assert_allclose(span, 96 / crops[:, 0], rtol=0.015)


def test_crops_that_are_not_the_protocols_are_refused(tiny_ytf68: Path, tmp_path: Path) -> None:
    sha256 = write_crops(tmp_path / "c.csv", draw_crops(19, scale=(1.2, 2.2), shift=0.1))
    short = Geometry(crop="stored", crops="c.csv", crops_sha256=sha256, resize=48)
    with pytest.raises(DataAltered, match="19 rows for 20 samples"):
        open_split("ytf68", "all", short, protocol_folder=tmp_path)
    (tmp_path / "c.csv").write_text("index,scale,shift_x,shift_y\n")
    with pytest.raises(DataAltered, match="the protocol states"):
        open_split("ytf68", "all", short, protocol_folder=tmp_path)
    with pytest.raises(DataAltered, match="is not there"):
        open_split("ytf68", "all", short, protocol_folder=tmp_path / "elsewhere")


def test_the_crops_of_ytf5_loose_are_the_drawn_ones(tmp_path: Path) -> None:
    folder = builtin_folder() / "ytf5_loose"
    geometry = read_protocol(folder / "1.toml").geometry["ytf68"]
    crops = draw_crops(4232, scale=(1.2, 2.2), shift=0.15)
    assert write_crops(tmp_path / "again.csv", crops) == geometry.crops_sha256
    assert (folder / geometry.crops).read_bytes() == (tmp_path / "again.csv").read_bytes()
    assert crops.min(axis=0) == pytest.approx([1.2, -0.15, -0.15], abs=1e-3)
    assert crops.max(axis=0) == pytest.approx([2.2, 0.15, 0.15], abs=1e-3)


def test_mafls_five_points_are_made_from_the_68() -> None:
    points = np.random.default_rng(0).normal(size=(3, 68, 2)).astype(np.float32)
    rule = LandmarkRule(rule="mafl5_from_68", count=5, eyes=(0, 1))
    five = landmarks_of(points, rule)
    assert (five.shape, five.dtype) == ((3, 5, 2), np.float32)
    np.testing.assert_allclose(five[:, 0], points[:, 36:42].sum(1) / 6, rtol=1e-5)
    np.testing.assert_allclose(five[:, 1], points[:, 42:48].sum(1) / 6, rtol=1e-5)
    np.testing.assert_array_equal(five[:, 2:], points[:, [30, 48, 54]])
    every = landmarks_of(points, LandmarkRule(rule="all", count=68, eyes=(36, 45)))
    np.testing.assert_array_equal(every, points)


@pytest.mark.parametrize(("rule", "count"), [("all", 5), ("mafl5_from_68", 5)])
def test_landmarks_that_cannot_be_made_are_refused(rule: str, count: int) -> None:
    with pytest.raises(ValueError, match="7"):
        landmarks_of(np.zeros((3, 7, 2)), LandmarkRule(rule=rule, count=count, eyes=(0, 1)))


# --- the real frames ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_faces(
    real_ytf68: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, PreparedSplit]:
    """All real frames at 96 pixels without a margin, as in other packs made from them."""
    home = tmp_path_factory.mktemp("home")
    geometry = Geometry(crop="points_square", scale=1.5, resize=96, labels="scale")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_DATA", str(real_ytf68.parent))
        return {
            split: open_split("ytf68", split, geometry, protocol_folder=HERE, home=home)
            for split in ("people/train", "people/test")
        }


def test_the_mean_training_shape_has_its_known_error(real_faces: dict[str, PreparedSplit]) -> None:
    train, test = (real_faces[f"people/{n}"].points.astype(np.float64) for n in ("train", "test"))
    distance = np.linalg.norm(test - train.mean(axis=0), axis=-1)
    eyes = np.linalg.norm(test[:, 36] - test[:, 45], axis=-1)
    assert 100 * (distance / eyes[:, None]).mean() == pytest.approx(19.92, abs=0.005)


def triangle(count: int, side: int) -> np.ndarray:
    """(count, side) weights of antialiased linear interpolation."""
    scale = side / count
    support = max(scale, 1.0)
    centres = (np.arange(count)[:, None] + 0.5) * scale
    weights = np.maximum(0, 1 - np.abs(np.arange(side) + 0.5 - centres) / support)
    return weights / weights.sum(axis=1, keepdims=True)


def test_twenty_real_frames_equal_an_independent_computation(
    real_ytf68: Path, real_faces: dict[str, PreparedSplit]
) -> None:
    split = real_faces["people/test"]
    samples = {s.key: s for s in Ytf68(real_ytf68).samples("all")}
    for i in range(3, len(split), 45):
        sample = samples[split.keys[i]]
        x, y = sample.points.T
        side = int(np.floor(1.5 * max(np.ptp(x), np.ptp(y)) + 0.5))
        left = int(np.floor((x.min() + x.max()) / 2 - side / 2 + 0.5))
        top = int(np.floor((y.min() + y.max()) / 2 - side / 2 + 0.5))
        expected = np.stack([(x - left) * 96 / side, (y - top) * 96 / side], axis=1)
        np.testing.assert_allclose(split.points[i], expected, atol=1e-4)
        with Image.open(sample.path) as image:
            pixels = np.pad(np.asarray(image, float), ((side, side), (side, side), (0, 0)))
        square = pixels[top + side : top + 2 * side, left + side : left + 2 * side]
        weights = triangle(96, side)
        resized = np.einsum("iy,yxc,jx->ijc", weights, square, weights, optimize=True)
        assert np.abs(resized - split.pixels[i]).max() <= 1.01  # Pillow rounds twice


def test_the_real_protocols_share_what_they_prepare() -> None:
    geometries = [
        read_protocol(builtin_folder() / name / "1.toml").geometry["ytf68"]
        for name in ("ytf5", "ytf68", "ytf5_loose")
    ]
    folders = [split_folder("ytf68", "people/test", g, HERE) for g in geometries]
    assert folders[0] == folders[1] != folders[2]


class _Masked(Ytf68):
    """Faces whose foreground is the box of their points, and whose attribute is its width."""

    def samples(self, split: str) -> list[Sample]:
        return [
            replace(
                s,
                visible=np.ones(68, bool),
                extra={"attributes": np.array([np.ptp(s.points[:, 0])], np.float32)},
            )
            for s in super().samples(split)
            if s.points is not None
        ]

    def mask(self, sample: Sample) -> np.ndarray:
        with Image.open(sample.path) as image:
            width, height = image.size
        assert sample.points is not None
        low, high = sample.points.min(0), sample.points.max(0)
        y, x = np.mgrid[:height, :width]
        return (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])


def test_labels_beside_the_points_are_kept_where_they_are_asked_for(
    tiny_ytf68: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "reader_of", lambda _, root: _Masked(root))
    wanted = ("visible", "masks", "attributes")
    geometry = Geometry(crop="points_square", scale=1.5, resize=48, cut=0)
    split = open_split("ytf68", "people/train", geometry, protocol_folder=HERE, labels=wanted)
    plain = open_tiny(geometry=geometry)
    assert split.labels["masks"].shape == (len(split), 48, 48)
    assert split.labels["visible"].shape == (len(split), 68)
    assert split.labels["attributes"].shape == (len(split), 1)
    assert plain.labels == {}
    assert plain.pixels_digest == split.pixels_digest
    assert plain.labels_digest != split.labels_digest
    # the box of the points fills two thirds of the crop along its longer side
    mask, points = split.labels["masks"][0], split.points[0]
    inside = np.clip(points.round().astype(int), 0, 47)
    assert mask[inside[:, 1], inside[:, 0]].mean() > 0.8
    assert max(mask.any(0).mean(), mask.any(1).mean()) == pytest.approx(2 / 3, abs=0.05)
    split.verify()
    (split.folder / "masks.npy").unlink()
    with pytest.raises(DataAltered, match="masks"):
        open_split("ytf68", "people/train", geometry, protocol_folder=HERE, labels=wanted)


def test_a_mask_of_another_size_than_its_image_is_refused(
    tiny_ytf68: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "reader_of", lambda _, root: _Masked(root))
    monkeypatch.setattr(_Masked, "mask", lambda *_: np.ones((3, 5), bool))
    with pytest.raises(InvalidInput, match="the mask is 5 × 3 px"):
        open_split("ytf68", "people/train", GEOMETRY, protocol_folder=HERE, labels=("masks",))


def test_points_that_lie_outside_are_told_of(tiny_ytf68: Path) -> None:
    table = tiny_ytf68 / "data" / "training_frames_keypoints.csv"
    header, *rows = table.read_text().splitlines()
    name, *words = rows[0].split(",")
    rows[0] = ",".join([name, *(str(500 + float(w)) for w in words)])
    table.write_text("\n".join([header, *rows]) + "\n")
    geometry = Geometry(crop="whole", resize=40)
    with pytest.warns(UserWarning, match=r"5\.0% of the points of ytf68:all lie outside"):
        open_split("ytf68", "all", geometry, protocol_folder=HERE)


def test_clips_are_seen_where_they_are_granted(tiny_ytf68: Path) -> None:
    split = open_split("ytf68", "all", GEOMETRY, labels=("clips",), protocol_folder=HERE)
    assert split.images().objects is None
    granted = split.images(("clips",))
    assert granted.objects is not None
    clips = [name.rpartition("_")[0] + name[-6] for name in (k.split("/")[1] for k in split.keys)]
    for number in set(granted.objects.tolist()):
        of_one = {c for c, n in zip(clips, granted.objects, strict=True) if n == number}
        assert len(of_one) == 1
    assert len(set(granted.objects.tolist())) == len(set(clips))
    assert granted.digest != split.images().digest


def test_clips_and_views_are_not_granted_together() -> None:
    with pytest.raises(ValueError, match="not both"):
        Data(fit="a:b", test="a:c", labels=("clips",), grants=("views", "clips"))
    with pytest.raises(ValueError, match="need the label 'clips'"):
        Data(fit="a:b", test="a:c", grants=("clips",))
