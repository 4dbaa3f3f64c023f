"""Few annotated images and their copies; faces zoomed beyond what the probe has seen."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tests_support import SMALL_PROTOCOL

from benchmark.contracts.errors import BenchError, DataAltered, InvalidInput
from benchmark.contracts.images import Images
from benchmark.home import builtin_folder
from benchmark.interface.progress import Silent
from benchmark.registry.protocols import find_protocol
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import Plan, make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run
from benchmark.tasks import chosen as chosen_module
from benchmark.tasks.chosen import draw_chosen, read_chosen
from benchmark.tasks.landmark_limited import chosen_rows, copies_of
from benchmark.tasks.landmark_regression import targets
from benchmark.tasks.landmark_scale import zoomed_points, zooms
from benchmark.tasks.warped import warped_images, warped_points
from benchmark.warps.random_warps import FEW_LABELS
from benchmark.warps.thin_plate import ThinPlateSpline
from tools.drawn import write_chosen

QUIET = Silent()
LIMITED = ["mafl_limited", "aflw_m_limited", "aflw_m_limited_cl", "ytf5_limited"]


def done(protocol: str, method: str = "oracle", **given: object) -> tuple[Plan, Outcome]:
    request = Request(method=method, protocol=protocol, given=given, twin=True, device="cpu")
    plan = make_plan(request, QUIET)
    return plan, run(plan, QUIET)


def test_a_split_of_the_stated_size_has_the_stored_rows_and_another_draws() -> None:
    protocol = find_protocol("ytf5_limited")
    limited = protocol.limited
    assert limited is not None
    folder = builtin_folder() / "ytf5_limited"
    stored = read_chosen(folder / limited.chosen, limited.chosen_sha256)
    for count, copies in ((3_375, 1_000), (150, 32)):
        found = chosen_rows(protocol, range(count))  # its length is all that is asked of a split
        assert all(rows.max() < count for rows in found.values())
        assert (count == 3_375) == all(np.array_equal(found[k], stored[k]) for k in stored)
        rows, warps = copies_of(protocol, range(count), 5, 0, found[5, 0])
        assert len(rows) == len(warps) == copies
        assert np.bincount(rows).max() - copies / 5 < 1


@pytest.mark.parametrize("name", LIMITED)
def test_the_chosen_images_are_those_that_the_stated_rule_draws(name: str) -> None:
    limited = find_protocol(name).limited
    assert limited is not None
    stored = read_chosen(builtin_folder() / name / limited.chosen, limited.chosen_sha256)
    drawn = draw_chosen(limited.images, limited.numbers, limited.repeats, limited.seed)
    assert stored.keys() == drawn.keys()
    for (number, _), rows in drawn.items():
        assert len(set(rows.tolist())) == number
    assert all(np.array_equal(stored[key], drawn[key]) for key in drawn)
    assert not np.array_equal(stored[100, 0], stored[100, 1])


def test_a_file_of_chosen_images_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "1.chosen.csv"
    sha256 = write_chosen(path, draw_chosen(9, [2, 3], 2))
    assert read_chosen(path, sha256).keys() == {(2, 0), (2, 1), (3, 0), (3, 1)}
    path.write_text(path.read_text().replace("2,0,", "2,1,", 1))
    with pytest.raises(DataAltered, match="the protocol states"):
        read_chosen(path, sha256)
    with pytest.raises(DataAltered, match="is not there"):
        read_chosen(tmp_path / "none.csv", sha256)
    with pytest.raises(InvalidInput, match="10 images cannot be chosen from 9"):
        draw_chosen(9, [10], 1)
    assert doctest.testmod(chosen_module).failed == 0


def test_landmarks_go_where_the_copies_show_them() -> None:
    points = np.array([[[30.0, 12.0]], [[8.0, 25.0]]], np.float32)
    y, x = np.mgrid[:56, :56]
    pixels = np.stack(
        [255 * np.exp(-((x - p[0, 0] - 8) ** 2 + (y - p[0, 1] - 8) ** 2) / 8) for p in points]
    )
    images = Images(np.repeat(pixels[..., None], 3, axis=3).round().astype(np.uint8), 40, "dots")
    rows = np.array([0, 1, 1, 0, 1])
    warps = FEW_LABELS.draw(5, np.random.default_rng(3))
    copies = warped_images(images, rows, warps, lambda *_: None)
    moved = warped_points(images, points, rows, warps)
    light = copies.batch(slice(None))[:, 0].double()
    grid = torch.arange(40.0).double()
    mass = light.sum((1, 2))
    seen = torch.stack([light.sum(1) @ grid / mass, light.sum(2) @ grid / mass], dim=1)
    np.testing.assert_allclose(moved[:, 0], seen, atol=0.15)
    assert np.abs(moved - points[rows]).max() > 0.3
    still = warped_images(images, np.arange(2), ThinPlateSpline.identity(2), lambda *_: None)
    assert np.array_equal(still.pixels, images.pixels)


@pytest.fixture
def small(floors: Path, tmp_path: Path) -> Callable[..., str]:
    """The small protocol under another name and task, with other sections before its twin."""

    def write(name: str, task: str, sections: str) -> str:
        text = SMALL_PROTOCOL.replace("small_faces", name).replace("landmark_regression", task)
        start, end = text.index("[[metrics]]"), text.index("[twin]")
        path = tmp_path / "protocols" / name / "1.toml"
        path.parent.mkdir()
        stored = write_chosen(path.with_name("1.chosen.csv"), draw_chosen(9999, [2, 8], 3))
        path.write_text(text[:start] + sections.replace("SHA256", stored) + text[end:])
        return name

    return write


def metric(name: str, on: str) -> str:
    return (
        f'[[metrics]]\nid = "{name}"\nunit = "%"\nbetter = "lower"\nmeasure = "nme_iod"\n'
        f'on = "{on}"\n'
    )


FEW = """[limited]
numbers = [2, 8]
copies = 1000
sets = 2
images = 9999
twin_copies = 32
chosen = "1.chosen.csv"
chosen_sha256 = "SHA256"
"""


@pytest.mark.long
def test_few_labels_from_end_to_end(small: Callable[..., str]) -> None:
    name = small(
        "few", "landmark_limited", FEW + metric("nme_iod_2", "2") + metric("nme_iod_8", "8")
    )
    _, oracle = done(name)
    assert [v.metric for v in oracle.record.metrics] == ["nme_iod_2", "nme_iod_8"]
    assert oracle.record.metrics[1].value < 1e-4
    plan, floor = done(name, "mean-shape")
    two = floor.record.metrics[0]
    repeats = floor.record.probe["by_repeat"]["nme_iod_2"]
    assert two.value == pytest.approx(np.mean(repeats), abs=1e-4)
    assert floor.record.probe["population_std"]["nme_iod_2"] == pytest.approx(
        np.std(repeats), abs=1e-4
    )
    assert len(set(repeats)) == 3
    assert two.n == 16
    train = plan.splits["train"]
    for (number, repeat), rows in chosen_rows(plan.protocol, train).items():
        copied, warps = copies_of(plan.protocol, train, number, repeat, rows)
        assert len(copied) == len(warps) == 2 * 32
        assert set(copied.tolist()) == set(rows.tolist())
        # the sets show the same images under other warps
        assert np.array_equal(copied[:32], copied[32:])
        assert not torch.equal(warps.weights[:32], warps.weights[32:])
    _, maps = done(name, "pixels")
    assert maps.record.probe["name"] == "softargmax/dve"
    assert maps.record.metrics[0].value > 0


def test_a_limited_protocol_needs_a_metric_for_each_number(small: Callable[..., str]) -> None:
    name = small("few", "landmark_limited", FEW + metric("nme_iod_2", "2"))
    with pytest.raises(
        BenchError, match="one metric on each of 2, 8, in this order; they are on 2"
    ):
        done(name)


def test_faces_beyond_the_seen_sizes_from_end_to_end(small: Callable[..., str]) -> None:
    zoom = "[zoom]\nseen = [1.0, 1.2]\nunseen = [1.4, 1.5]\n"
    metrics = metric("nme_iod_unseen", "unseen") + metric("nme_iod_seen", "seen")
    plan, oracle = done(small("zoomed", "landmark_scale", zoom + metrics))
    assert [v.metric for v in oracle.record.metrics] == ["nme_iod_unseen", "nme_iod_seen"]
    assert all(v.value < 1e-4 and v.n == 16 for v in oracle.record.metrics)
    plain = targets(plan.splits["test"], plan.protocol)
    middle = (plan.protocol.size - 1) / 2
    for view, (low, high) in {"seen": (1.0, 1.2), "unseen": (1.4, 1.5)}.items():
        moved = zoomed_points(plan.splits["test"], plan.protocol, view)
        factor = (moved - middle) / (plain - middle)
        assert ((factor > low - 1e-3) & (factor < high + 1e-3)).all()
        spread = np.ptp(factor, axis=(1, 2))
        assert spread.max() < 1e-2
        assert len(zooms(plan.protocol, view, 16)) == 16
    wrong = small("wrong", "landmark_scale", zoom + metric("nme_iod", "far"))
    with pytest.raises(BenchError, match="on = 'far' must be 'seen' or 'unseen'"):
        done(wrong)
