"""`bench predict`: a fitted method on pictures of one's own, in the pixels of each picture."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests_fake_methods import Grid
from tests_fixtures import Call, Said

from benchmark.contracts import Landmarks
from benchmark.home import builtin_folder, home, leaderboards
from benchmark.protocols.files import _read_cached

SPOTS = {
    "wide.png": ((120, 60), (70.0, 25.0)),
    "deep/tall.jpg": ((64, 100), (30.0, 55.0)),
    "grey.png": ((50, 50), (20.0, 31.0)),
    "clear.webp": ((90, 80), (50.0, 42.0)),
    "turned.jpg": ((120, 60), (70.0, 25.0)),
}
"""Pictures with a spot of light each: width and height as one sees them, and where the spot is."""


def spotted(size: tuple[int, int], spot: tuple[float, float]) -> Image.Image:
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    light = 255 * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / (2 * 3.0**2))
    return Image.fromarray(np.repeat(light.round().astype(np.uint8)[..., None], 3, 2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Wide, tall, grey, transparent, and one that its EXIF orientation turns by a quarter."""
    root = tmp_path / "mine"
    (root / "deep").mkdir(parents=True)
    for name, (size, spot) in SPOTS.items():
        picture = spotted(size, spot)
        if name == "turned.jpg":
            exif = Image.Exif()
            exif[0x0112] = 6  # to be seen upright it must be turned clockwise
            picture.rotate(90, expand=True).save(root / name, exif=exif, quality=95)
        elif name == "grey.png":
            picture.convert("L").save(root / name)
        elif name == "clear.webp":
            picture.putalpha(200)
            picture.save(root / name, lossless=True)
        else:
            picture.save(root / name, quality=95)
    (root / "notes.txt").write_text("no picture")
    (root / ".hidden.png").write_bytes(b"")
    return root


def brightest(self: Any, images: torch.Tensor) -> Landmarks:
    """The middle of the light, as the first of two points."""
    light = (images.mean(1) + 1).double().square()
    rows, columns = torch.meshgrid(*[torch.arange(images.shape[-1]).double()] * 2, indexing="ij")
    x, y = ((light * at).sum((1, 2)) / light.sum((1, 2)) for at in (columns, rows))
    points = torch.stack([x, y], 1).float()[:, None].repeat(1, 2, 1)
    points[:, 1] = 0
    return Landmarks(points, torch.full((len(images), 2), 0.5))


@pytest.fixture
def grid(run: Call) -> str:
    """A run of the fake that gives points."""
    return str(run("grid", "--json").json["run_id"])


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as found:
        return dict(found)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("rule", ["centre", "pad", "stretch"])
def test_points_are_in_the_pixels_of_each_picture(
    bench: Call, grid: str, folder: Path, tmp_path: Path, monkeypatch: Any, rule: str
) -> None:
    monkeypatch.setattr(Grid, "predict", brightest)
    out = tmp_path / "out"
    said = bench("predict", grid, "--images", str(folder), "--out", str(out), "--fit", rule)
    assert said.code == 0, said.err
    points, rows = arrays(out / "points.npz"), table(out / "points.csv")
    assert set(points) == set(SPOTS)
    about = json.loads((out / "about.json").read_text())
    assert (about["run"], about["view"], about["size"], about["kind"]) == (
        grid,
        rule,
        32,
        "landmarks",
    )
    for name, (size, spot) in SPOTS.items():
        assert about["pictures"][name]["width_height"] == list(size)
        assert points[name].dtype == np.float32
        np.testing.assert_allclose(points[name][0], spot, atol=0.75)
        mine = [row for row in rows if row["file"] == name]
        assert [row["landmark"] for row in mine] == ["0", "1"]
        assert {row["confidence"] for row in mine} == {"0.5000"}
        found = [[float(row["x"]), float(row["y"])] for row in mine]
        np.testing.assert_allclose(found, points[name], atol=6e-4)
    # (0, 0) of the view, of half a pixel less than its window's corner
    left, top, width, height = about["pictures"]["wide.png"]["left_top_width_height"]
    corner = [left + width / 64 - 0.5, top + height / 64 - 0.5]
    np.testing.assert_allclose(points["wide.png"][1], corner, atol=1e-5)
    assert arrays(out / "confidence.npz")["grey.png"].tolist() == [0.5, 0.5]
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.size == (5 * 196, 208)


def test_it_says_what_is_given_and_json_is_all_that_is_printed(
    bench: Call, grid: str, folder: Path, monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("predict", grid[:6], "--images", str(folder))
    said = bench(*words)
    assert "not the protocol's landmarks" in said.out
    assert said.out.startswith("grid on 5 pictures: landmarks")
    found = bench(*words, "--json")
    assert (found.code, found.err) == (0, "")
    assert found.json["run"] == grid
    assert found.json["pictures"] == 5
    assert found.json["left_out"] == {}
    assert found.json["folder"] == str(tmp_path / f"predictions-{grid}")
    assert found.json["files"] == ["about.json", "points.csv", "points.npz", "sheet.png"]
    by_fit = bench("predict", found.json["fit"], "--images", str(folder), "--json")
    assert by_fit.json["run"] == grid


def test_the_same_pictures_give_the_same_whatever_else_is_there(
    bench: Call, grid: str, folder: Path, tmp_path: Path
) -> None:
    def points(name: str) -> dict[str, np.ndarray]:
        bench("predict", grid, "--images", str(folder), "--out", str(tmp_path / name))
        return arrays(tmp_path / name / "points.npz")

    first = points("first")
    for number in range(70):  # more than a batch
        shutil.copyfile(folder / "grey.png", folder / f"copy{number:02}.png")
    second = points("second")
    assert len(second) == 75
    for name, array in first.items():
        np.testing.assert_array_equal(second[name], array)


def test_descriptors_are_given_as_such(
    bench: Call, run: Call, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_id = run("pixels", "--json").json["run_id"]
    said = bench("predict", run_id, "--images", str(folder), "--out", str(out), "--json")
    assert "not landmarks" in said.json["meaning"]
    assert said.json["files"] == ["about.json", "maps.npz", "sheet.png"]
    maps = arrays(out / "maps.npz")
    assert {m.shape for m in maps.values()} == {(3, 8, 8)}
    about = json.loads((out / "about.json").read_text())
    assert (about["stride"], about["offset"]) == (4.0, 1.5)
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.size == (4 * (2 * 192 + 4), 2 * 208)


@pytest.fixture
def cars(floors: Path, tmp_path: Path) -> str:
    """A protocol of masks on a tiny twin."""
    text = (builtin_folder() / "stanford_cars_masks" / "1.toml").read_text("utf-8")
    text = text.replace('id = "stanford_cars_masks"\nversion', 'id = "few_cars"\nversion')
    text = text.replace("resize = 128", "resize = 64").replace("people = 60", "people = 10")
    text = text.replace("fit = 400\ntrain = 100\ntest = 100", "fit = 8\ntrain = 8\ntest = 8")
    path = tmp_path / "protocols" / "few_cars" / "1.toml"
    path.parent.mkdir()
    path.write_text(text)
    _read_cached.cache_clear()
    return "few_cars"


def fitted(bench: Call, method: str, protocol: str) -> str:
    said = bench("run", "-m", method, "-p", protocol, "--twin", "--device", "cpu", "--json")
    assert said.code == 0, said.err
    return str(said.json["run_id"])


def test_masks_have_the_size_of_their_picture(
    bench: Call, cars: str, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    disc = fitted(bench, "centre-disc", cars)
    said = bench("predict", disc, "--images", str(folder), "--out", str(out), "--json")
    assert said.json["kind"] == "parts"
    masks, parts = arrays(out / "masks.npz"), arrays(out / "parts.npz")
    for name, (size, _) in SPOTS.items():
        mask = masks[name]
        assert mask.shape == parts[name].shape == size[::-1]
        assert set(np.unique(mask)) <= {0, 1, 255}
        seen = mask != 255
        assert seen.sum() == min(size) ** 2  # the middle square
        np.testing.assert_array_equal(mask[seen], parts[name][seen] > 0)
        # a disc of radius 0.4 sides in the middle of the picture
        rows, columns = np.nonzero(mask == 1)
        assert [columns.mean(), rows.mean()] == pytest.approx([(s - 1) / 2 for s in size], abs=1)
        assert (mask == 1).sum() == pytest.approx(np.pi * (0.4 * min(size)) ** 2, rel=0.05)
        with Image.open(out / "masks" / f"{name}.png") as picture:
            assert np.array_equal(np.asarray(picture) == 255, mask == 1)
            assert np.array_equal(np.asarray(picture) == 128, mask == 255)
        with Image.open(out / "parts" / f"{name}.png") as picture:
            assert picture.mode == "P"
            np.testing.assert_array_equal(np.asarray(picture), parts[name])


def test_translations_are_pictures(bench: Call, cars: str, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    negative = fitted(bench, "negative", cars)
    bench("predict", negative, "--images", str(folder), "--out", str(out), "--fit", "pad")
    images, alpha = arrays(out / "images.npz"), arrays(out / "alpha.npz")
    assert images["wide.png"].shape == (64, 64, 3)
    assert (images["wide.png"][:10] == 255).all()  # the negative of the black above
    assert (alpha["wide.png"] == 1).all()
    masks = arrays(out / "masks.npz")
    assert masks["deep/tall.jpg"].shape == (100, 64)
    assert (masks["deep/tall.jpg"] == 1).all()
    with Image.open(out / "images" / "deep" / "tall.jpg.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), images["deep/tall.jpg"])


def test_shapes_come_with_their_rotation(
    bench: Call, floors: Path, folder: Path, tmp_path: Path
) -> None:
    text = (builtin_folder() / "shapenet_cars" / "1.toml").read_text("utf-8")
    text = text.replace('id = "shapenet_cars"\nversion', 'id = "few_shapes"\nversion')
    text = text.replace("fit = 65\ntrain = 80\ntest = 20\npeople = 20\ncloud = 1000",
                        "fit = 40\ntrain = 40\ntest = 10\npeople = 10\ncloud = 100")  # fmt: skip
    text = text.replace("models = 3\nkeep_models = 2", "models = 1\nkeep_models = 1")
    path = tmp_path / "protocols" / "few_shapes" / "1.toml"
    path.parent.mkdir()
    path.write_text(text.replace("resize = 128", "resize = 32"))
    _read_cached.cache_clear()
    out = tmp_path / "out"
    ellipsoid = fitted(bench, "ellipsoid-cloud", "few_shapes")
    said = bench("predict", ellipsoid, "--images", str(folder), "--out", str(out), "--json")
    assert said.json["files"] == [
        "about.json",
        "points.npz",
        "rotation.csv",
        "rotation.npz",
        "sheet.png",
    ]
    assert "not applied" in said.json["meaning"]
    assert arrays(out / "points.npz")["grey.png"].shape[1:] == (3,)
    turned = arrays(out / "rotation.npz")
    assert np.linalg.norm(turned["grey.png"]) == pytest.approx(1)
    rows = table(out / "rotation.csv")
    assert [row["file"] for row in rows] == sorted(SPOTS)
    for row in rows:
        written = [float(row[axis]) for axis in "wxyz"]
        np.testing.assert_allclose(written, turned[row["file"]], atol=1e-6)


# --- refused, with nothing left behind -----------------------------------------------------------


def refused(said: Said, code: int, *words: str) -> None:
    assert said.code == code, (said.out, said.err)
    for word in words:
        assert re.search(word, said.err), said.err


def test_unknown_runs_and_fits_that_are_gone(
    bench: Call, grid: str, folder: Path, tmp_path: Path
) -> None:
    words = ("--images", str(folder), "--out", str(tmp_path / "out"))
    refused(bench("predict", "nothing", *words), 2, "there is no fitted run 'nothing'")
    shutil.rmtree(home() / "runs")  # known by its record alone, the fit is enough
    assert bench("predict", grid, *words).code == 0
    shutil.rmtree(tmp_path / "out")
    shutil.rmtree(home() / "fits")
    refused(
        bench("predict", grid, *words), 4, "is not on this machine",
        "bench run --method grid --protocol small_faces@1 --twin --seed 0",
    )  # fmt: skip
    shutil.rmtree(leaderboards())
    refused(bench("predict", grid, *words), 2, "there is no fitted run")
    assert not (tmp_path / "out").exists()


def test_ceilings_and_generators_and_other_versions(
    bench: Call, cars: str, run: Call, grid: str, folder: Path, monkeypatch: Any
) -> None:
    words = ("--images", str(folder))
    oracle = fitted(bench, "oracle", cars)
    refused(bench("predict", oracle, *words), 2, "oracle is a ceiling")
    from dataclasses import replace

    from benchmark.registry.plugins import plugins

    spec = plugins().methods["grid"]
    monkeypatch.setitem(plugins().methods, "grid", replace(spec, version=2))
    refused(bench("predict", grid, *words), 2, "fitted by version 1 of grid, here is 2")


def test_folders_without_pictures(bench: Call, grid: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    refused(bench("predict", grid, "--images", str(empty)), 4, "is no folder")
    empty.mkdir()
    (empty / "a.txt").touch()
    out = tmp_path / "out"
    said = bench("predict", grid, "--images", str(empty), "--out", str(out))
    refused(said, 4, "there are no pictures in", r"\.jpg")
    assert not out.exists()
    assert not list(tmp_path.glob(".out*"))


def test_what_can_not_be_read_is_named_and_left_out_only_if_asked(
    bench: Call, grid: str, folder: Path, tmp_path: Path
) -> None:
    (folder / "torn.jpg").write_bytes((folder / "turned.jpg").read_bytes()[:200])
    (folder / "deep" / "text.png").write_text("no picture")
    Image.fromarray(np.zeros((8, 8), np.uint16)).save(folder / "deep.png")
    out = tmp_path / "out"
    words = ("predict", grid, "--images", str(folder), "--out", str(out))
    said = bench(*words)
    refused(said, 5, "3 of 8 pictures can't be read", r"torn\.jpg", r"deep/text\.png",
            r"deep\.png has values of more than 8 bits", "--skip-broken")  # fmt: skip
    assert not out.exists()
    found = bench(*words, "--skip-broken", "--json").json
    assert found["pictures"] == 5
    assert set(found["left_out"]) == {"torn.jpg", "deep/text.png", "deep.png"}
    assert set(json.loads((out / "about.json").read_text())["left_out"]) == set(found["left_out"])
    for name in SPOTS:
        (folder / name).unlink()
    refused(bench(*words, "--skip-broken"), 5, "3 of 3 pictures can't be read")
    assert set(arrays(out / "points.npz")) == set(SPOTS)  # what was there stays


def test_no_other_folder_is_overwritten(
    bench: Call, grid: str, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    words = ("predict", grid, "--images", str(folder), "--out")
    assert bench(*words, str(out)).code == 0
    assert bench(*words, str(out)).code == 0  # its own may be
    other = tmp_path / "letters"
    other.mkdir()
    (other / "dear.txt").write_text("you")
    refused(bench(*words, str(other)), 3, "is there already, and holds other things")
    assert (other / "dear.txt").read_text() == "you"
    (out / "note.txt").write_text("mine")
    refused(bench(*words, str(out)), 3, "is there already, and holds other things")
    assert (out / "note.txt").read_text() == "mine"
    (out / "note.txt").unlink()
    before = (out / "points.npz").read_bytes()
    refused(bench(*words, str(out), "--fit", "pad"), 3, "by --fit pad")
    assert (out / "points.npz").read_bytes() == before
    refused(bench(*words, str(folder / "out")), 3, "among the pictures")
    refused(
        bench("predict", grid, "--images", str(folder), "--device", "tpu"), 2, "none of auto, cpu"
    )
