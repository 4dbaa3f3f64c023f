"""Pictures of discovered points on a run's page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests_fake_methods import Grid, Halves, Pixels
from tests_fixtures import Call

from benchmark.colours import colours
from benchmark.home import builtin_folder, home
from benchmark.pictures.points import dotted
from benchmark.pictures.sheet import GAP, HEAD, SIDE, pictures_of_arrays, rows_sheet
from benchmark.records.reading import read_record

ROW, COLUMN, TOP = SIDE + GAP + HEAD, SIDE + GAP, HEAD + GAP // 2


def pictures(said: Any) -> Path:
    return Path(said.json["page"]).parent / "pictures"


def test_rows_have_the_pictures_and_dots_where_the_points_are() -> None:
    images = np.zeros((2, 48, 48, 3), np.uint8)
    points = np.array([[[10.0, 20.0]], [[30.0, 5.0]]])
    drawn = np.asarray(
        rows_sheet(
            [
                ("here", dotted(images, points)),
                ("other", pictures_of_arrays(images[:, ::2, ::2])),
            ]
        )
    )
    assert drawn.shape == (2 * ROW, 2 * COLUMN, 3)
    (colour,) = colours(1)
    found = np.argwhere((drawn == colour).all(-1))
    for column, (x, y) in enumerate(points[:, 0]):
        own = found[found[:, 1] // COLUMN == column]
        middle = own.mean(0) - (TOP, 2 + column * COLUMN)
        assert middle == pytest.approx([(y + 0.5) * 4 - 0.5, (x + 0.5) * 4 - 0.5], abs=0.5)
    assert (found[:, 0] < ROW).all()


@pytest.mark.parametrize("count", [1, 5, 10, 30])
def test_colours_differ(count: int) -> None:
    assert len(set(colours(count))) == count


def test_a_method_of_landmarks_shows_its_points(harness: Path, run: Call) -> None:
    said = run("grid", "--json")
    with Image.open(pictures(said) / "points.png") as drawn:
        assert drawn.size == (8 * COLUMN, ROW)
    assert not (pictures(said) / "points_by_step.png").exists()
    assert 'src="pictures/points.png"' in Path(said.json["page"]).read_text()


@pytest.mark.parametrize("name", ["grid", "halves", "pixels"])
def test_a_method_of_any_kind_shows_pictures_of_its_own(
    harness: Path, run: Call, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    kind = {"grid": Grid, "halves": Halves, "pixels": Pixels}[name]
    monkeypatch.setattr(kind, "pictures", lambda self, images: {"upside down": images.flip(2)})
    said = run(name, "--json")
    with Image.open(pictures(said) / "own.png") as drawn:
        assert drawn.size == (8 * COLUMN, 2 * ROW)
        pixels = np.asarray(drawn)
    upright, turned = pixels[TOP : TOP + SIDE], pixels[ROW + TOP : ROW + TOP + SIDE]
    columns = np.arange(8 * COLUMN) % COLUMN
    inside = (columns >= 2) & (columns < 2 + SIDE)
    np.testing.assert_array_equal(upright[::-1, inside], turned[:, inside])
    assert 'src="pictures/own.png"' in Path(said.json["page"]).read_text()


@pytest.mark.parametrize(
    "shown, said",
    [
        (
            lambda images: {"one": images[:1]},
            r"Grid.pictures gave \(1, 3, 32, 32\) for 'one', not \(8",
        ),
        (lambda images: {"grey": images[:, :1]}, r"Grid.pictures gave \(8, 1, 32, 32\) for 'grey'"),
        (lambda images: {"dark": images / 0}, "Grid.pictures gave NaN or infinity for 'dark'"),
        (lambda images: 1 / 0, "Grid.pictures failed"),
    ],
)
def test_what_is_no_picture_of_each_image_is_the_methods_error(
    harness: Path, run: Call, monkeypatch: pytest.MonkeyPatch, shown: Any, said: str
) -> None:
    monkeypatch.setattr(Grid, "pictures", lambda self, images: shown(images))
    ended = run("grid", "--json")
    assert ended.code != 0
    assert re.search(said, ended.err)
    assert not list((home() / "runs").glob("*/pictures/own.png"))


def test_a_translation_is_drawn_with_its_alpha(harness: Path, tmp_path: Path, bench: Call) -> None:
    text = (builtin_folder() / "stanford_cars_masks" / "1.toml").read_text("utf-8")
    text = text.replace('id = "stanford_cars_masks"\nversion', 'id = "few_cars"\nversion')
    text = text.replace("resize = 128", "resize = 64").replace("people = 60", "people = 10")
    text = text.replace("fit = 400\ntrain = 100\ntest = 100", "fit = 8\ntrain = 8\ntest = 8")
    path = tmp_path / "protocols" / "few_cars" / "1.toml"
    path.parent.mkdir()
    path.write_text(text)
    said = bench("run", "-m", "negative", "-p", "few_cars", "--twin", "--device", "cpu", "--json")
    with Image.open(pictures(said) / "translations.png") as drawn:
        assert drawn.size == (8 * COLUMN, 3 * ROW)
        pixels = np.asarray(drawn).astype(int)
    tiles = [pixels[TOP + r * ROW : TOP + r * ROW + SIDE, 2 : 2 + SIDE] for r in range(3)]
    assert np.abs(255 - tiles[0] - tiles[1]).max() <= 3  # the negative, but for rounding
    assert (tiles[2] == 255).all()  # all is repainted


def test_milestones_are_rows(harness: Path, run: Call) -> None:
    first = read_record(Path(run("grid", "--json").json["record"]))
    for seen in ("64", "0"):
        (home() / "fits" / first.fit_id / "milestones" / seen).mkdir(parents=True)
    found = pictures(run("grid", "--json")) / "points_by_step.png"
    with Image.open(found) as drawn:
        assert drawn.size == (8 * COLUMN, 2 * ROW)


def test_descriptors_have_no_points(harness: Path, run: Call) -> None:
    assert not (pictures(run("pixels", "--json")) / "points.png").exists()
