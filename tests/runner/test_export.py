"""Images leave as methods see them, and points on them find the way back to the original pictures."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_fixtures import Call
from tests_own_data import OwnData
from tests_support import SMALL_MATCHING

from benchmark.contracts.dataset import Sample
from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.datasets.geometry import back_to_original, place
from benchmark.datasets.opening import open_split
from benchmark.interface.progress import Silent
from benchmark.protocols import Geometry
from benchmark.registry.protocols import find_protocol
from benchmark.runner.export import COLUMNS, export

QUIET = Silent()
POINTS = np.array([[20.0, 10.0], [60.0, 11.0], [58.0, 40.0], [21.5, 39.0]])
BOX = (18.0, 8.0, 62.0, 44.0)


@pytest.mark.parametrize("labels", ["pixel_centres", "scale", "scale_one_based"])
@pytest.mark.parametrize(
    "crop",
    [
        {"crop": "whole", "cut": 3},
        {"crop": "window", "window": (5, 4, 70, 60)},
        {"crop": "centre_square"},
        {"crop": "padded_square"},
        {"crop": "points_square", "scale": 1.5, "cut": 4},
        {"crop": "stored", "crops": "1.crops.csv", "crops_sha256": "0", "cut": 4},
        {"crop": "box"},
        {"crop": "box_square"},
        {"crop": "box_300w"},
    ],
    ids=lambda crop: crop["crop"],
)
def test_points_go_back_to_where_they_were_annotated(
    tmp_path: Path, crop: dict, labels: str
) -> None:
    if crop["crop"] == "box_300w" and labels != "scale":
        pytest.skip("DVE's window has one convention")
    path = tmp_path / "a.png"
    Image.fromarray(np.zeros((70, 90, 3), np.uint8)).save(path)
    geometry = Geometry(resize=48, labels=labels, **crop)
    sample = Sample("a", path, points=POINTS, box=BOX)
    row = np.array([1.4, 0.05, -0.1]) if crop["crop"] == "stored" else None
    placed = place(sample, geometry, row).points
    assert placed is not None
    way = back_to_original(sample, geometry, (90, 70), row)
    np.testing.assert_allclose(way.back(placed), POINTS, atol=2e-5)


def items(folder: Path) -> list[dict[str, str]]:
    with (folder / "items.csv").open(newline="") as file:
        rows = csv.DictReader(file)
        assert tuple(rows.fieldnames or ()) == COLUMNS
        return list(rows)


@pytest.mark.parametrize("margin", [False, True])
def test_a_landmark_found_on_what_was_written_lies_where_the_original_has_it(
    own_data: OwnData, tmp_path: Path, margin: bool
) -> None:
    own_data.state(("resize = 24\n\n[geometry.\"joints:pool\"]", "resize = 32\ncut = 4\n\n"
                    "[geometry.\"joints:pool\"]"))  # fmt: skip
    own_data.write()
    protocol, out = find_protocol("joints4"), tmp_path / "out"
    count = export(protocol, "test", out, twin=False, progress=QUIET, margin=margin)
    split = open_split(protocol, "test", twin=False, progress=QUIET)
    assert count == len(split)
    annotated = {
        name: np.array(numbers, float).reshape(4, 3)
        for name, _, *numbers in map(
            str.split, (own_data.root / "joints.txt").read_text().splitlines()
        )
    }
    rows = items(out)
    assert [row["key"] for row in rows] == split.keys
    assert split.points is not None
    for row, points in zip(rows, split.points, strict=True):
        back = np.array([float(row["ax"]), float(row["ay"])])
        shift = np.array([float(row["bx"]), float(row["by"])])
        on_file = points + (4 if margin else 0)
        truth = annotated[row["key"]]
        shown = truth[:, 2] == 1
        np.testing.assert_allclose((on_file * back + shift)[shown], truth[shown, :2], atol=1e-4)
        with Image.open(own_data.root / row["original"]) as picture:
            assert picture.size == (int(row["original_width"]), int(row["original_height"]))
        with Image.open(out / row["file"]) as picture:
            assert picture.size == (int(row["size"]),) * 2 == ((32, 32) if margin else (24, 24))
    assert not list(out.glob("*.npz"))


def test_what_is_written_are_the_prepared_pixels(harness: Path, tmp_path: Path) -> None:
    protocol = find_protocol("small_faces")
    for name, count in (("test", 16), ("train", 64), ("fit", 64)):
        out = tmp_path / name
        assert export(protocol, name, out, twin=True, progress=QUIET) == count
        split = open_split(protocol, name, twin=True, progress=QUIET)
        wanted = split.images().tensor(margin=False).permute(0, 2, 3, 1).numpy()
        found = np.stack([np.asarray(Image.open(out / row["file"])) for row in items(out)])
        np.testing.assert_array_equal(found, wanted)
        assert {row["ax"] for row in items(out)} == {""}
        assert sorted(p.suffix for p in out.iterdir()) == [".csv"] + [".png"] * count
        archive = tmp_path / f"{name}-npz"
        export(protocol, name, archive, twin=True, progress=QUIET, archive=True, margin=True)
        with np.load(archive / "images.npz") as arrays:
            np.testing.assert_array_equal(arrays["images"], split.pixels)
            assert arrays["keys"].tolist() == split.keys


def test_labels_leave_only_when_they_are_asked_for(harness: Path, tmp_path: Path) -> None:
    protocol = find_protocol("small_faces")
    for name in ("test", "train"):
        export(protocol, name, tmp_path / name, twin=True, progress=QUIET)
        assert not (tmp_path / name / "labels.npz").exists()
    export(protocol, "test", tmp_path / "told", twin=True, progress=QUIET, labels=True)
    split = open_split(protocol, "test", twin=True, progress=QUIET)
    with np.load(tmp_path / "told" / "labels.npz") as arrays:
        np.testing.assert_array_equal(arrays["points"], split.points)


def test_warped_views_are_written_with_the_keys_that_are_scored(
    harness: Path, tmp_path: Path
) -> None:
    path = tmp_path / "protocols" / "small_matching" / "1.toml"
    path.parent.mkdir()
    path.write_text(SMALL_MATCHING)
    protocol = find_protocol("small_matching")
    count = export(protocol, "views", tmp_path / "out", twin=True, progress=QUIET)
    rows = items(tmp_path / "out")
    assert count == len(rows) == len({row["key"] for row in rows})
    assert {row["original"] for row in rows} == {""}


def test_nothing_is_half_written_or_written_over(
    harness: Path, tmp_path: Path, bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    said = bench("data", "export", "small_faces", "--twin", "--out", str(out))
    assert said.code == 0, said.err
    assert "16 images of small_faces@1 test" in said.out
    before = {p: p.read_bytes() for p in out.iterdir()}
    again = bench("data", "export", "small_faces", "--twin", "--out", str(out))
    assert again.code == 3
    assert "is not empty" in again.err
    assert {p: p.read_bytes() for p in out.iterdir()} == before
    protocol = find_protocol("small_faces")
    with pytest.raises(UnknownName, match="split of small_faces@1 'tset'"):
        export(protocol, "tset", tmp_path / "other", twin=True, progress=QUIET)

    def full(*_: object) -> None:
        raise InvalidInput("full")

    monkeypatch.setattr("benchmark.runner.export._granted", full)
    with pytest.raises(InvalidInput, match="full"):
        export(protocol, "test", tmp_path / "half", twin=True, progress=QUIET)
    assert not [p for p in tmp_path.iterdir() if "half" in p.name]
