"""Pictures of discovered points on a run's page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests_fake_methods import Grid
from tests_fixtures import Call

from benchmark.home import home
from benchmark.records.reading import read_record
from benchmark.runner.point_pictures import HEAD, SIDE, colours, sheet

ROW, COLUMN = SIDE + 4 + HEAD, SIDE + 4


def pictures(said: Any) -> Path:
    return Path(said.json["page"]).parent / "pictures"


def test_rows_have_the_pictures_and_dots_where_the_points_are() -> None:
    images = np.zeros((2, 48, 48, 3), np.uint8)
    points = np.array([[[10.0, 20.0]], [[30.0, 5.0]]])
    drawn = np.asarray(sheet([("here", images, points), ("other", images[:, ::2, ::2], None)]))
    assert drawn.shape == (2 * ROW, 2 * COLUMN, 3)
    (colour,) = colours(1)
    found = np.argwhere((drawn == colour).all(-1))
    for column, (x, y) in enumerate(points[:, 0]):
        own = found[found[:, 1] // COLUMN == column]
        middle = own.mean(0) - (HEAD, 2 + column * COLUMN)
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


def test_what_a_method_shows_of_its_own_is_below(
    harness: Path, run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Grid, "pictures", lambda self, images: {"upside down": images.flip(2)})
    with Image.open(pictures(run("grid", "--json")) / "points.png") as drawn:
        assert drawn.size == (8 * COLUMN, 2 * ROW)
        pixels = np.asarray(drawn)
    upright, turned = pixels[HEAD : HEAD + SIDE], pixels[ROW + HEAD : ROW + HEAD + SIDE]
    same = (np.abs(upright[::-1].astype(int) - turned) < 3).all(-1).mean()
    assert same > 0.9  # all but the dots


def test_milestones_are_rows(harness: Path, run: Call) -> None:
    first = read_record(Path(run("grid", "--json").json["record"]))
    for seen in ("64", "0"):
        (home() / "fits" / first.fit_id / "milestones" / seen).mkdir(parents=True)
    found = pictures(run("grid", "--json")) / "points_by_step.png"
    with Image.open(found) as drawn:
        assert drawn.size == (8 * COLUMN, 2 * ROW)


def test_descriptors_have_no_points(harness: Path, run: Call) -> None:
    assert not (pictures(run("pixels", "--json")) / "points.png").exists()
