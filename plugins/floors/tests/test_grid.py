"""The image grid, and the oracle where points are matched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from bench_floors.image_grid import ImageGrid
from tests_support import SMALL_PROTOCOL

from benchmark.contracts.errors import Incompatible
from benchmark.interface.progress import Silent
from benchmark.metrics.matching import match_descriptors
from benchmark.probes.part_centres import landmarks_of
from benchmark.protocols import LandmarkRule
from benchmark.records.model import Record
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run
from benchmark.tasks.collect import predict_batch

QUIET = Silent()
IMAGES = torch.zeros(3, 3, 32, 32)


def grid(**settings):  # type: ignore[no-untyped-def]
    return ImageGrid(ImageGrid.Settings(**settings)).predict(IMAGES)


def recorded(protocol: str, method: str, **given: object) -> Record:
    request = Request(method=method, protocol=protocol, given=given, twin=True, device="cpu")
    return run(make_plan(request, QUIET), QUIET).record


@pytest.mark.parametrize("count", [1, 2, 4, 5, 8, 10])
def test_points_are_apart_inside_and_in_balance(count: int) -> None:
    points = grid(points=count).points
    assert points.shape == (3, count, 2)
    assert (points[0] == points[2]).all()
    assert ((points > -0.5) & (points < 31.5)).all()
    assert torch.pdist(points[0]).numel() == 0 or torch.pdist(points[0]).min() > 32 / (count + 1)
    assert points[0, :, 0].mean().item() == pytest.approx(15.5)
    assert points[0, :, 1].mean().item() == pytest.approx(15.5, abs=3)  # rows differ by one point


@pytest.mark.parametrize("count", [4, 8])
def test_parts_are_the_cells_around_the_points(count: int) -> None:
    parts, points = grid(points=count, kind="parts"), grid(points=count).points
    assert (parts.probabilities.sum(1) == 1).all()
    assert (parts.probabilities[:, 0] == 0).all()
    if count == 4:
        torch.testing.assert_close(landmarks_of(parts).points, points)
    nearest = torch.cdist(torch.tensor([[3.0, 28.0]]), points[0]).argmin()
    assert parts.probabilities[0, :, 28, 3].argmax() == nearest + 1


@pytest.mark.parametrize("rule", ["dve", "paper"])
def test_positions_match_with_themselves(rule: str) -> None:
    maps = grid(kind="descriptors", cells=16).maps.half()
    asked = np.array([[0.0, 0.0], [30.0, 4.0], [16.0, 22.0]])
    found = match_descriptors(maps[0], maps[1], asked, rule, (32, 32))
    assert np.abs(found - asked).max() <= 1


@pytest.fixture
def regression(floors: Path, tmp_path: Path) -> str:
    return written(
        tmp_path, "at_most_four", SMALL_PROTOCOL.replace("count = 5", "count = 5\nmost = 4")
    )


@pytest.fixture
def matching(floors: Path, tmp_path: Path) -> str:
    text = SMALL_PROTOCOL.replace("landmark_regression", "landmark_matching")
    text = text.replace('needs = ["descriptors", "landmarks"]', 'needs = ["descriptors"]')
    start, end = text.index("[probes.descriptors]"), text.index("[twin]")
    pairs = '[pairs]\nlayout = "dve"\nrule = "dve"\ncount = 500\ndigest = ""\nunit = "pixels"\n'
    pairs += 'points = "nearest_pixel"\npixels = [70.0, 32.0]\n'
    for metric in ("match_different", "match_same"):
        pairs += f'[[metrics]]\nid = "{metric}"\nunit = "px"\nbetter = "lower"\n'
    return written(tmp_path, "matching_pixels", text[:start] + pairs + text[end:])


def written(folder: Path, name: str, text: str) -> str:
    path = folder / "protocols" / name / "1.toml"
    path.parent.mkdir()
    path.write_text(text.replace("small_faces", name))
    return name


def test_more_points_than_the_protocol_scores_are_refused_but_not_of_ceilings(
    regression: str,
) -> None:
    floor = recorded(regression, "mean-shape").headline.value
    assert recorded(regression, "image-grid").headline.value == pytest.approx(floor)
    assert recorded(regression, "image-grid", kind="parts").headline.value == pytest.approx(floor)
    assert recorded(regression, "oracle").headline.value < 1e-9
    with pytest.raises(Incompatible, match=r"gives 5 points, protocol .* scores at most 4"):
        recorded(regression, "image-grid", points=5)


def test_more_points_are_refused_too_where_nothing_told_of_them() -> None:
    method = ImageGrid(ImageGrid.Settings(points=5))
    pixels = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    assert len(predict_batch(method, "landmarks", pixels, None, LandmarkRule(count=5, most=5))) == 2
    with pytest.raises(Incompatible, match="gives 5 points, this protocol scores at most 4"):
        predict_batch(method, "landmarks", pixels, None, LandmarkRule(count=5, most=4))


def test_the_oracle_matches_up_to_the_grid_and_positions_do_not(matching: str) -> None:
    oracle = recorded(matching, "oracle", kind="descriptors", shape="bump", cells=16)
    floor = recorded(matching, "image-grid", kind="descriptors", cells=16)
    for best, trivial in zip(oracle.metrics, floor.metrics, strict=True):
        # a match lies on every second pixel: 0.6 px of 32, in pixels of 70
        assert best.value < 3 < trivial.value
        assert best.n == trivial.n == 8  # half of the twin's 16 images
