"""What runs show: parts, matches, zooms, turning clouds; and pictures from what lies beside a record."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.boards.pictures import KNOWN, pictures_of
from benchmark.home import home
from benchmark.interface.progress import Silent
from benchmark.pictures.clouds import TILE, turned
from benchmark.pictures.drawing import DRAWN, draw_pictures
from benchmark.pictures.parts import DARKNESS, STRENGTH, tinted
from benchmark.pictures.predictions import points_drawn
from benchmark.pictures.sheet import GUESS, TRUTH, contact_sheet
from benchmark.pictures.shown import ItemScores, from_best_to_worst
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import Plan, make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run

QUIET = Silent()


def done(method: str, protocol: str = "small_faces") -> tuple[Plan, Outcome]:
    plan = make_plan(Request(method, protocol, twin=True, device="cpu"), QUIET)
    return plan, run(plan, QUIET)


def drawn(plan: Plan, outcome: Outcome) -> dict[str, np.ndarray]:
    """The pictures of a run by name."""
    folder = draw_pictures(plan, outcome)
    assert folder is not None
    found = {}
    for path in folder.iterdir():
        with Image.open(path) as image:
            found[path.stem] = np.asarray(image).astype(int)
    return found


def count(picture: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((picture == colour).all(-1).sum())


def test_a_sheet_has_its_pictures_in_rows_under_their_captions() -> None:
    cells = [Image.new("RGB", (20, 10), (i, 0, 0)) for i in range(1, 4)]
    plain = np.asarray(contact_sheet(cells, columns=2, gap=0)).astype(int)
    assert plain.shape == (20, 40, 3)
    assert plain[::10, ::20, 0].tolist() == [[1, 2], [3, 24]]
    named = np.asarray(contact_sheet(cells, ["7.5"], columns=2)).astype(int)
    assert named.shape == (2 * (10 + 4 + 12), 2 * (20 + 4), 3)
    assert (named[14:24, 2:22] == (1, 0, 0)).all()
    assert (named[26 + 14 : 26 + 24, 2:22] == (3, 0, 0)).all()
    assert named[:14, :24].max() > 200
    assert named[26 : 26 + 14].max() == 24


def test_every_picture_has_its_words() -> None:
    assert KNOWN.keys() == DRAWN.keys()


def test_parts_are_drawn_where_the_fit_is(harness: Path) -> None:
    plan, outcome = done("halves")
    pictures = drawn(plan, outcome)
    assert pictures.keys() == {"predictions", "points", "parts"}
    assert [p.name for p in pictures_of(outcome.record, plan.folder)] == [
        "predictions",
        "points",
        "parts",
    ]
    # halves finds a left and a right part: red and cyan, one to each side of a tile
    tile = pictures["parts"][2 : 2 + 64, 2 : 2 + 64]
    red, cyan = tile[..., 0] > tile[..., 1] + 40, tile[..., 1] > tile[..., 0] + 40
    assert red.any() or cyan.any()
    shutil.rmtree(plan.folder / "pictures")
    shutil.rmtree(plan.fit_folder)
    assert drawn(plan, outcome).keys() == {"predictions"}


def test_tints_of_parts() -> None:
    images, labels = np.full((1, 2, 2, 3), 100, np.uint8), np.array([[[0, 1], [2, 2]]])
    (picture,) = tinted(images, labels, 2)
    pixels = np.asarray(picture).astype(float)
    assert pixels.shape == (4, 4, 3)
    assert pixels[0, 0].tolist() == [round(100 * DARKNESS)] * 3
    red = [(1 - STRENGTH) * 100 + STRENGTH * part for part in (255, 51, 51)]
    assert pixels[0, 3] == pytest.approx(red, abs=1)
    assert pixels[3, 0, 0] < pixels[3, 0, 1] == pixels[3, 0, 2]
    assert (pixels[2:] == pixels[3, 0]).all()


def test_a_run_found_by_its_record_is_drawn_from_what_lies_beside_it(harness: Path) -> None:
    plan, outcome = done("grid")
    before = drawn(plan, outcome)
    shutil.rmtree(home() / "runs")
    found = run(plan, QUIET)
    assert found.found
    np.testing.assert_array_equal(drawn(plan, found)["predictions"], before["predictions"])


@pytest.fixture
def matching(harness: Path, tmp_path: Path) -> str:
    from tests_support import SMALL_MATCHING

    path = tmp_path / "protocols" / "small_matching" / "1.toml"
    path.parent.mkdir()
    path.write_text(SMALL_MATCHING)
    return "small_matching"


def test_matches_lead_from_one_view_to_the_other(matching: str) -> None:
    plan, outcome = done("pixels", matching)
    with np.load(plan.folder / f"{plan.run_id}.predictions.npz") as arrays:
        found = arrays["matches"]
    assert found.shape == (16, 5, 2)
    pictures = drawn(plan, outcome)
    assert pictures.keys() == {"matches"}
    size = 2 * plan.splits["test"].size
    assert pictures["matches"].shape == (2 * (size + 16), 4 * (2 * size + 4), 3)
    assert count(pictures["matches"], GUESS) + count(pictures["matches"], TRUTH) > 100
    assert count(pictures["matches"], (255, 255, 255)) > 100


def test_a_cloud_turns_about_the_vertical() -> None:
    rod = np.stack([np.linspace(-0.4, 0.4, 50), np.zeros(50), np.zeros(50)], axis=1)
    pole = rod[:, [1, 0, 2]]

    def extent(cloud: np.ndarray, angle: float) -> tuple[int, int]:
        """Width and height in pixels of what is drawn."""
        pixels = np.asarray(turned(cloud, angle, (255, 255, 255))).max(-1) > 40
        down, right = np.nonzero(pixels)
        return int(np.ptp(right)), int(np.ptp(down))

    assert extent(rod, 0)[0] > 0.6 * TILE
    assert extent(rod, np.pi / 2)[0] < 4
    assert extent(pole, 0) == extent(pole, np.pi / 2)
    assert extent(pole, 0)[1] > 0.6 * TILE
    top = np.array([[0.0, 0.4, 0.0]])
    assert np.nonzero(np.asarray(turned(top, 0, (255, 255, 255))).max(-1) > 40)[0].max() < TILE / 2


def test_zoomed_test_images_are_drawn_as_the_method_saw_them(harness: Path, tmp_path: Path) -> None:
    from tests_support import SMALL_PROTOCOL

    text = SMALL_PROTOCOL.replace("small_faces", "small_zoom")
    text = text.replace('task = "landmark_regression"', 'task = "landmark_scale"')
    start, end = text.index("[[metrics]]"), text.index("[twin]")
    zoom = """[zoom]
seed = 1
seen = [1.0, 1.5]
unseen = [1.5, 2.0]

[[metrics]]
id = "nme_iod_seen"
measure = "nme_iod"
on = "seen"
unit = "%"
better = "lower"

[[metrics]]
id = "nme_iod_unseen"
measure = "nme_iod"
on = "unseen"
unit = "%"
better = "lower"

"""
    path = tmp_path / "protocols" / "small_zoom" / "1.toml"
    path.parent.mkdir()
    path.write_text(text[:start] + zoom + text[end:])
    plan, outcome = done("grid", "small_zoom")
    pictures = drawn(plan, outcome)
    assert pictures.keys() == {"predictions", "points"}
    assert count(pictures["predictions"], TRUTH) > 100


JOINTS = {
    "sum_of_means": ("keypoint_l2_sum", "px"),
    "ratio_of_sums": ("keypoint_l2_edge", "%"),
}


@pytest.mark.parametrize("aggregate", JOINTS)
def test_joints_that_are_hidden_at_times_are_drawn_too(
    harness: Path, tmp_path: Path, aggregate: str
) -> None:
    """Errors of joints stand in columns, with gaps: each image still has its place, and its picture."""
    from tests_support import SMALL_PROTOCOL

    metric, unit = JOINTS[aggregate]
    text = SMALL_PROTOCOL.replace("small_faces", "small_joints")
    text = text.replace('id = "nme_iod"\nunit = "%"', f'id = "{metric}"\nunit = "{unit}"')
    text = text.replace('"lower"\n', f'"lower"\naggregate = "{aggregate}"\n')
    path = tmp_path / "protocols" / "small_joints" / "1.toml"
    path.parent.mkdir()
    path.write_text(text)
    plan, outcome = done("grid", "small_joints")
    with np.load(plan.folder / outcome.record.headline.per_item) as arrays:
        errors = arrays[metric]
    assert errors.ndim == 2
    pictures = drawn(plan, outcome)
    assert pictures.keys() == {"predictions", "points"}
    assert count(pictures["predictions"], TRUTH) > 100
    assert count(pictures["predictions"], GUESS) > 100
    (first, *_) = pictures_of(outcome.record, plan.folder)
    assert f"The number is the image's {metric}" in first.words


def test_points_that_nobody_annotated_are_not_drawn() -> None:
    truth = np.array([[[5.0, 5.0], [15.0, 5.0], [np.nan, np.nan]]])
    points = np.array([[[5.0, 15.0], [15.0, 15.0], [10.0, 10.0]]])
    picture = Image.new("RGB", (40, 40))
    points_drawn(truth, points, 20, np.array([[True, False, False]]))(picture, 0)
    pixels = np.asarray(picture)
    rings, dots = ((pixels == colour).all(-1) for colour in (TRUTH, GUESS))
    assert rings.any()
    assert dots.any()
    assert not rings[:, 20:].any()
    assert not dots[:, 20:].any()


def test_items_without_a_score_have_no_place_in_the_order() -> None:
    scores = np.array([3.0, np.nan, 1.0, 2.0])
    assert from_best_to_worst(ItemScores(scores, "lower")).tolist() == [2, 3, 0]
    assert from_best_to_worst(ItemScores(scores, "higher")).tolist() == [0, 3, 2]
