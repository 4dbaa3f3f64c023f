"""Floor and ceiling of shape and pose, on a small twin of ShapeNet's cars, from command to record."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmark.registry.implementations import implementation
from PIL import Image
from tests_fixtures import ROOT, Call

from benchmark.contracts import ShapeAndPose
from benchmark.registry.plugins import plugins

CARS = (ROOT / "protocols" / "shapenet_cars" / "1.toml").read_text("utf-8")
SMALLER = (
    ('id = "shapenet_cars"', 'id = "small_cars"'),
    ("resize = 128", "resize = 32"),
    (
        "fit = 65\ntrain = 80\ntest = 20\npeople = 20",
        "fit = 35\ntrain = 40\ntest = 10\npeople = 10",
    ),
    ("cloud = 1000", "cloud = 100"),
    ("models = 3\nkeep_models = 2", "models = 1\nkeep_models = 1"),
)


@pytest.fixture
def small_cars(floors: Path, tmp_path: Path) -> None:
    text = CARS
    for old, new in SMALLER:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = tmp_path / "protocols" / "small_cars" / "1.toml"
    path.parent.mkdir()
    path.write_text(text)


def record(bench: Call, *words: str) -> dict:
    said = bench("run", "--protocol", "small_cars", "--twin", "--device", "cpu", "--json", *words)
    assert said.code == 0, said.err
    return {**json.loads(Path(said.json["record"]).read_text()), "page": said.json["page"]}


def values(made: dict) -> dict[str, float]:
    return {m["metric"]: m["value"] for m in made["metrics"]}


def test_oracle_and_ellipsoid_bound_every_metric(small_cars: None, bench: Call) -> None:
    best = record(bench, "--method", "oracle")
    floor = record(bench, "--method", "ellipsoid-cloud", "--set", "points=500")
    assert best["method"]["supervision"] == "labels"
    assert floor["method"]["supervision"] == "none"
    assert best["probe"]["name"] == "align/icp"
    one, other = values(best), values(floor)
    for metric in best["metrics"]:
        name = metric["metric"]
        ideal = 100 if metric["unit"] == "%" else 0
        assert one[name] == pytest.approx(ideal, abs=1e-3)
        assert abs(other[name] - ideal) > 1
    assert {m["metric"]: m["n"] for m in best["metrics"]} == {
        name: 2 if name.startswith("chamfer") else 10 for name in one
    }
    picture = Path(floor["page"]).parent / "pictures" / "clouds.png"
    with Image.open(picture) as image:
        colours = np.asarray(image).reshape(-1, 3)
    for colour in ((80, 220, 100), (255, 70, 70), (255, 255, 255)):
        assert (colours == colour).all(1).sum() > 50


def test_a_run_on_validation_aligns_and_scores_on_other_models(
    small_cars: None, bench: Call
) -> None:
    made = record(bench, "--method", "oracle", "--on", "validation")
    assert values(made)["chamfer"] == pytest.approx(0, abs=1e-3)
    splits = {name: part["split"] for name, part in made["data"].items()}
    assert splits == {
        "fit": "twin:development",
        "validation": "twin:development",
        "test": "twin:validation",
    }


def test_rotations_come_from_the_image_and_the_seed_not_the_batch(floors: Path) -> None:
    cls = implementation(plugins().method("ellipsoid-cloud"))

    def predicted(seed: int, images: torch.Tensor) -> ShapeAndPose:
        method = cls(cls.Settings(points=50))
        method.seed = seed
        return method.predict(images)  # type: ignore[return-value]

    images = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    whole = predicted(0, images)
    parts = [predicted(0, images[i : i + 2]) for i in (0, 2, 4)]
    assert torch.equal(whole.rotation, torch.cat([p.rotation for p in parts]))
    assert torch.equal(whole.points[:2], parts[2].points)
    assert len(torch.unique(whole.rotation, dim=0)) == 6
    assert not torch.equal(whole.rotation, predicted(1, images).rotation)


def test_the_ellipsoid_has_the_axes_it_was_given(floors: Path) -> None:
    cls = implementation(plugins().method("ellipsoid-cloud"))
    method = cls(cls.Settings(points=4000, half_axes=(0.1, 0.2, 0.3)))
    method.seed = 0
    points = method.predict(torch.zeros(1, 3, 8, 8)).points[0].numpy()  # type: ignore[attr-defined]
    np.testing.assert_allclose((points / [0.1, 0.2, 0.3]) ** 2 @ np.ones(3), 1, atol=1e-5)
    np.testing.assert_allclose(np.abs(points).max(0), [0.1, 0.2, 0.3], rtol=0.01)
    np.testing.assert_allclose(points.mean(0), 0, atol=0.01)
