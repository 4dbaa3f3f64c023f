"""Outlines of clouds under their predicted poses, from end to end on a tiny twin of cars."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.contracts import ShapeAndPose
from benchmark.contracts.errors import DataAltered
from benchmark.home import builtin_folder
from benchmark.interface.progress import Silent
from benchmark.metrics.pose import conjugate, multiply, rotate, unit
from benchmark.pages.run_page import write_page
from benchmark.pictures.drawing import draw_pictures
from benchmark.pictures.outlines import disagreement
from benchmark.pictures.sheet import GUESS, INK, TRUTH
from benchmark.protocols import CloudOutline, Foreground, Protocol
from benchmark.registry.protocols import find_protocol
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import Plan, make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run
from benchmark.tasks.base import Scoring, find_task
from benchmark.tasks.faults import faults
from benchmark.tasks.foreground import cloud_foreground, true_masks
from benchmark.verification.verify import verify_record

QUIET = Silent()
VIEWS, MODELS = 2, 3


@pytest.fixture
def tiny(floors: Path, tmp_path: Path) -> str:
    """cc0_cars_outlines with a twin of two views of three test models."""
    text = (builtin_folder() / "cc0_cars_outlines" / "1.toml").read_text("utf-8")
    text = text.replace('"cc0_cars_outlines"\nversion', '"tiny_outlines"\nversion')
    counts = {"fit": 8, "train": 20, "test": VIEWS * MODELS, "people": 15, "views": VIEWS}
    for key, count in counts.items():
        text, times = re.subn(rf"^{key} = \d+$", f"{key} = {count}", text, flags=re.M)
        assert times == 1
    path = tmp_path / "protocols" / "tiny_outlines" / "1.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return "tiny_outlines"


def done(method: str, protocol: str, **given) -> tuple[Plan, Outcome]:
    plan = make_plan(Request(method, protocol, twin=True, device="cpu", given=given), QUIET)
    return plan, run(plan, QUIET)


def values(outcome: Outcome) -> dict[str, float]:
    return {v.metric: v.value for v in outcome.record.metrics}


def test_true_clouds_under_true_poses_have_the_outlines_of_the_pictures(tiny: str) -> None:
    """The ray caster's masks and the projection of its clouds are made by different code."""
    plan, best = done("oracle", tiny)
    assert best.record.method.used == "shape_and_pose"
    assert best.record.probe["name"] == "foreground/closed_points"
    assert 0 < values(best)["mask_disagreement"] < 5
    assert [v.groups for v in best.record.metrics][:2] == [MODELS, MODELS]
    _, ellipsoid = done("ellipsoid-cloud", tiny)
    assert values(ellipsoid)["mask_disagreement"] > 20
    truth, _ = true_masks(plan.splits["test"], plan.protocol)
    _, full = done("full-frame", tiny)
    share = truth.mean((1, 2))
    assert full.record.method.used == "parts"
    assert values(full)["mask_disagreement"] == pytest.approx(100 * (1 / share - 1).mean())
    states = {c.name: c.state for c in verify_record(best.path, data=True)}
    assert states["score mask_disagreement"] == "ok"


def test_its_page_has_the_curve_and_its_pictures_the_outlines(tiny: str) -> None:
    plan, outcome = done("ellipsoid-cloud", tiny)
    folder = draw_pictures(plan, outcome)
    assert folder is not None
    assert (folder / "outlines.png").exists()
    page = write_page(outcome.record, plan.folder).read_text()
    assert "Share of images below each disagreement" in page
    assert "pictures/outlines.png" in page


def test_views_that_are_no_models_are_refused(tiny: str) -> None:
    plan, _ = done("full-frame", tiny)
    protocol = changed(plan.protocol, views=4)
    how = Scoring(protocol, "shape_and_pose", True, "test", "cpu", lambda *_, **__: None)
    with pytest.raises(DataAltered, match="6 images are not 4 views of one model after another"):
        find_task("mask_disagreement").require(plan.splits, how)


def changed(protocol: Protocol, **fields) -> Protocol:
    rule = protocol.section(Foreground)
    assert rule.clouds is not None
    clouds = rule.clouds.model_copy(update=fields)
    return protocol.model_copy(update={"foreground": rule.model_copy(update={"clouds": clouds})})


@pytest.fixture
def rule() -> CloudOutline:
    found = find_protocol("cc0_cars_outlines").section(Foreground).clouds
    assert found is not None
    return found


def test_the_frame_that_a_method_predicts_in_does_not_matter(rule: CloudOutline) -> None:
    random = np.random.default_rng(0)
    clouds = random.uniform(-1, 1, (3, 4000, 3)) * [0.15, 0.1, 0.4]
    poses, frame = unit(random.normal(size=(3, 4))), unit(random.normal(size=(1, 4)))[0]
    turned = np.stack([rotate(conjugate(frame), cloud) for cloud in clouds])
    own = cloud_foreground(prediction(clouds, poses), rule, 64)
    other = cloud_foreground(prediction(turned, multiply(poses, frame)), rule, 64)
    assert own.shape == (3, 64, 64)
    assert 0.03 < own.float().mean() < 0.4
    # a point that rounding moves over the border of a cell
    assert (own != other).float().mean() < 2e-3


def test_axes_are_those_that_the_protocol_names(rule: CloudOutline) -> None:
    """A point above and to the right of the middle, in either order of the axes."""
    still, any_cell = np.array([[1.0, 0, 0, 0]]), rule.model_copy(update={"threshold": 0.0})
    turned = any_cell.model_copy(update={"camera_axes": "right_down_forward"})
    seen = cloud_foreground(prediction(np.array([[[0.0, 0.11, 0.21]]]), still), any_cell, 64)
    other = cloud_foreground(prediction(np.array([[[0.21, -0.11, 0.0]]]), still), turned, 64)
    ((_, row, column),) = seen.nonzero().tolist()
    assert (row, column) == (int(64 * (0.5 - 0.103125)), int(64 * (0.5 + 0.196875)))
    assert torch.equal(seen, other)


def prediction(clouds: np.ndarray, poses: np.ndarray) -> ShapeAndPose:
    return ShapeAndPose(torch.from_numpy(clouds).float(), torch.from_numpy(poses).float())


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"grid": 100}, "foreground.clouds.grid: 100 is no multiple of the 64 pixels"),
        ({"views": 3}, "2560 images are not 3 views each"),
    ],
)
def test_a_rule_that_fits_no_picture_is_a_fault(fields, said: str) -> None:
    protocol = find_protocol("cc0_cars_outlines")
    assert faults(protocol) == []
    assert any(said in fault for fault in faults(changed(protocol, **fields)))


def test_a_rule_of_clouds_and_the_kind_go_together() -> None:
    protocol = find_protocol("cc0_cars_outlines")
    parts = protocol.model_copy(update={"needs": ("parts",)})
    assert any("[foreground.clouds] is not read" in fault for fault in faults(parts))
    bare = Foreground(parts="argmax")
    without = protocol.model_copy(update={"foreground": bare})
    assert any("[foreground.clouds] is lacking" in fault for fault in faults(without))


def test_disagreement_is_red_where_too_much_and_green_where_too_little() -> None:
    mask, truth = np.zeros((2, 12, 12), np.bool_)
    mask[2:9, 2:9], truth[2:9, 4:11] = True, True
    grey = np.full((12, 12, 3), 100, np.uint8)
    drawn = np.asarray(disagreement(grey, mask, truth, np.ones_like(mask)))
    at = lambda row, column: tuple(int(v) for v in drawn[3 * row + 1, 3 * column + 1])  # noqa: E731
    mixed = lambda colour: tuple(round(40 + 0.6 * v) for v in colour)  # noqa: E731
    assert at(5, 3) == mixed(GUESS)
    assert at(5, 10) == mixed(TRUTH)
    assert at(5, 6) == at(0, 0) == (100, 100, 100)
    assert tuple(drawn[6, 15]) == INK
    nowhere = np.zeros_like(mask)
    assert tuple(np.asarray(disagreement(grey, mask, truth, nowhere))[16, 10]) == (100, 100, 100)
