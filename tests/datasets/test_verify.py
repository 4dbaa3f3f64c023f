"""Verifying data on disk, and what bench says of data sets that are not there."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from benchmark.contracts.errors import DataAltered, DataMissing, UnknownName
from benchmark.datasets import trees
from benchmark.datasets import verify as module
from benchmark.datasets.places import locate, missing, reader_of, spec_of
from benchmark.datasets.preparing import open_split
from benchmark.datasets.readers.aflw import AflwR
from benchmark.datasets.readers.ytf68 import Ytf68
from benchmark.datasets.specs import DATASETS
from benchmark.datasets.trees import TREES, published, source_tree, tree_digest
from benchmark.datasets.verify import verify
from benchmark.protocols import Geometry


def test_a_tree_digest_is_that_of_its_sorted_lines() -> None:
    a, b = "0" * 64, "1" * 64
    text = f"{b}  data/a\n{a}  data/b\n"
    assert tree_digest({"data/b": a, "data/a": b}) == hashlib.sha256(text.encode()).hexdigest()


def test_the_list_of_published_files_is_that_of_the_reader() -> None:
    paths = published("ytf68")
    assert len(paths) == 4234
    images = [p for p in paths if p.endswith(".jpg")]
    assert len([p for p in images if p.startswith("data/training/")]) == 3462
    assert len([p for p in images if p.startswith("data/test/")]) == 770
    assert {len(digest) for digest in paths.values()} == {32}
    assert published("celeba") == {}


@pytest.fixture
def tiny_known(tiny_ytf68: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny tree, published exactly as it lies there."""
    reader = Ytf68(tiny_ytf68)
    paths = [str(s.path.relative_to(tiny_ytf68)) for s in reader.samples("all")]
    paths += ["data/training_frames_keypoints.csv", "data/test_frames_keypoints.csv"]
    hashes = trees.hash_files(tiny_ytf68, paths)
    short = {path: digest[:32] for path, digest in hashes.items()}
    known = {"ytf68": {"as-published": tree_digest(hashes)}}
    for where in (module, trees):
        monkeypatch.setattr(where, "published", lambda _: short)
        monkeypatch.setattr(where, "TREES", known)
    counts = {split: len(reader.samples(split)) for split in reader.splits}
    spec = replace(spec_of("ytf68"), expected=counts)
    monkeypatch.setattr(module, "spec_of", lambda _: spec)
    return tiny_ytf68


def test_an_unaltered_set_is_known_by_name(tiny_known: Path) -> None:
    report = verify("ytf68")
    assert report.ok
    assert report.tree == "as-published"
    assert report.counts["all"] == 20
    report.require()
    assert source_tree("ytf68", tiny_known) == "as-published"


def test_altered_and_missing_files_are_named(tiny_known: Path) -> None:
    (tiny_known / "data/test/P_D_00.jpg").write_bytes(b"altered")
    (tiny_known / "data/training/P_G_00.jpg").unlink()
    report = verify("ytf68")
    assert not report.ok
    assert "altered: data/test/P_D_00.jpg" in report.problems
    assert "missing: data/training/P_G_00.jpg" in report.problems
    assert len(report.tree) == 64
    with pytest.raises(DataAltered, match=r"P_D_00\.jpg") as caught:
        report.require()
    assert "bench data get ytf68" in caught.value.cure


def test_an_extra_training_image_is_named(tiny_known: Path) -> None:
    (tiny_known / "data/training/Z_00.jpg").touch()
    report = verify("ytf68")
    assert any("Z_00.jpg has no annotation" in problem for problem in report.problems)


def test_only_the_first_few_names_are_listed(tiny_known: Path) -> None:
    for path in sorted((tiny_known / "data/training").iterdir())[:8]:
        path.write_bytes(b"altered")
    report = verify("ytf68")
    assert report.problems[-1].endswith("and 3 more")


def test_another_encoding_is_not_taken_for_the_published_one(tiny_known: Path) -> None:
    for path in (tiny_known / "data").glob("*/P_?_0?.jpg"):
        with Image.open(path) as image:
            image.convert("RGB").save(path, "JPEG")
    report = verify("ytf68")
    assert report.problems == (
        f"the files have the digest {report.tree[:12]}…, which is none of: as-published",
    )
    broken = tiny_known / "data/test/P_A_00.jpg"
    broken.write_bytes(broken.read_bytes()[:700])
    assert "altered: data/test/P_A_00.jpg" in verify("ytf68").problems


def test_sets_without_digests_are_counted_and_decoded(
    bench_home: Path, monkeypatch: pytest.MonkeyPatch, picture
) -> None:
    monkeypatch.setattr(AflwR, "counts", {"train": 3, "test": 2})
    folder = bench_home / "data" / "aflw_r" / "aflw_release-2"
    for split, names in {
        "train": ["0/a.jpg", "0/b.jpg", "2/c.jpg"],
        "test": ["3/d.jpg"] * 2,
    }.items():
        for name in names:
            picture(folder / "output" / name)
        (folder / f"aflw_{split}_images.txt").write_text("\n".join(names))
        savemat(folder / f"aflw_{split}_keypoints.mat", {"gt": np.ones((len(names), 5, 2))})
    told: list[tuple[int, int]] = []
    report = verify("aflw_r", progress=lambda *p: told.append(p))
    assert report.counts == {"train": 3, "test": 2}
    assert told == [(i, 4) for i in range(1, 5)]
    # three images where 10,122 are expected of the real set
    assert report.problems == (
        "train: expected 10,122 samples, found 3",
        "test: expected 2,991 samples, found 2",
    )
    with pytest.raises(DataAltered, match=r"aflw_r in .* is not as it should be") as caught:
        report.require()
    assert "publisher" not in caught.value.cure  # they may be one's own
    # far from its image a point was read wrong; just outside it a face is cut off by the border
    points = np.ones((2, 5, 2))
    width, height = Image.open(folder / "output/3/d.jpg").size
    points[0, 0], points[1, 2] = (-2.0, height + 5.0), (3 * width, 4.0)
    savemat(folder / "aflw_test_keypoints.mat", {"gt": points})
    (misplaced,) = (p for p in verify("aflw_r").problems if "far" in p)
    assert misplaced.startswith("points far from the image: ")
    assert misplaced.count("(") == 1
    whole = (folder / "output/0/b.jpg").read_bytes()
    (folder / "output/0/b.jpg").write_bytes(whole[:-300])
    (folder / "output/2/c.jpg").unlink()
    problems = verify("aflw_r").problems
    assert f"can't be decoded: {folder / 'output/0/b.jpg'}" in problems
    assert f"listed but not there: {folder / 'output/2/c.jpg'}" in problems


def test_absent_data_cannot_be_verified(bench_home: Path) -> None:
    with pytest.raises(DataMissing):
        verify("ytf68")


def test_the_real_pack_is_a_known_tree(real_ytf68: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_DATA", str(real_ytf68.parent))
    report = verify("ytf68")
    report.require()
    assert report.tree in TREES["ytf68"]
    assert report.counts == dict(spec_of("ytf68").expected)


@pytest.mark.parametrize("spec", DATASETS, ids=lambda spec: spec.id)
def test_every_data_set_says_how_to_get_it(spec, bench_home: Path) -> None:
    error = missing(spec)
    for part in (spec.homepage, spec.terms):
        assert part in error.cure
    assert str(bench_home / "data" / (spec.folder or spec.id)) in error.message
    assert spec.downloadable or (spec.obtain in error.cure and spec.layout in error.cure)
    splits = set(reader_of(spec.id, Path("x")).splits)
    # frames depend on which videos can still be had, masks of cars on who made them, and no list at
    # hand says how many images of three species CUB's split trains on
    uncounted = {
        "taichi": {"clips/train"},
        "taichi_masks": {"clips/train"},
        "stanford_cars_masks": {"train", "test"},
        "cub_landmarks": {"three/train", "001/test", "002/test", "003/test"},
    }
    assert set(spec.expected) == splits - uncounted.get(spec.id, set())
    assert locate(spec.id) is None


def test_places_are_looked_at_in_order(
    bench_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_DATA", f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    at_home = bench_home / "data" / "w300"
    at_home.mkdir(parents=True)
    (at_home / "afw").mkdir()
    (tmp_path / "one" / "w300").mkdir(parents=True)  # empty folders do not count
    assert locate("w300") == at_home
    (tmp_path / "two" / "w300" / "afw").mkdir(parents=True)
    assert locate("w300") == tmp_path / "two" / "w300"


def test_an_unknown_data_set_brings_close_names() -> None:
    with pytest.raises(UnknownName, match="did you mean 'aflw_"):
        spec_of("aflw")


def test_listing_data_sets_imports_nothing_heavy() -> None:
    code = (
        "import sys, benchmark.datasets.specs, benchmark.datasets.places;"
        "print(sorted({'torch', 'numpy', 'PIL', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_prepared_data_follows_a_tree_whose_digest_is_known(
    tiny_known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    geometry, told = Geometry(crop="whole", resize=24), []

    def opened() -> str:
        split = open_split(
            "ytf68", "all", geometry, protocol_folder=Path(), note=lambda why: told.append(why)
        )
        return split.pixels_digest

    before = opened()
    other = tmp_path / "roots" / "ytf68"
    shutil.copytree(tiny_known, other)  # the same files in another place, of another time
    monkeypatch.setenv("BENCH_DATA", str(other.parent))
    assert (opened(), told) == (before, [])
    Image.new("RGB", (60, 50)).save(other / "data/test/P_D_00.jpg", "PNG")
    assert opened() != before
    monkeypatch.delenv("BENCH_DATA")  # and back to the published files
    assert opened() == before
    assert [why.partition(" ")[0] for why in told] == ["it", "it"]
