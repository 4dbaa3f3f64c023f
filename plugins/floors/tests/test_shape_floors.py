"""Floor and ceiling of shape and pose, on a small twin of ShapeNet's cars, from command to record."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from tests_fixtures import ROOT, Call

from benchmark.contracts import Images, Incompatible, MethodInfo, ShapeAndPose
from benchmark.contracts.clouds import Clouds
from benchmark.registry.implementations import implementation
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import find_protocol
from benchmark.runner.plan import shown

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


@pytest.mark.parametrize("name", ["training-clouds", "training-cloud"])
def test_floors_that_are_told_clouds_say_so_and_show_those_of_training_models(
    small_cars: None, bench: Call, name: str
) -> None:
    made = record(bench, "--method", name, "--set", "points=300")
    assert made["method"]["supervision"] == "labels"
    plain = record(bench, "--method", "ellipsoid-cloud", "--set", "points=300")
    assert plain["data"]["fit"]["granted"] != made["data"]["fit"]["granted"]
    assert plain["data"]["test"] == made["data"]["test"]
    # no car is another, but two are cars
    assert 1 < values(made)["chamfer_unaligned"] < 20


def told(name: str, seed: int, points: int, *sizes: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """The cloud shown by a floor fitted on models with clouds of so many points, and these clouds."""
    clouds = [np.full((n, 3), i, np.float32) for i, n in enumerate(sizes)]
    for part in clouds:
        part[:, 1] = np.arange(len(part))
    ends = np.cumsum([0, *sizes])
    extent = np.array([[ends[i], n] for i, n in enumerate(sizes) for _ in range(2)])
    seen = Images(
        np.zeros((2 * len(sizes), 8, 8, 3), np.uint8), 8, "x",
        clouds=Clouds(np.concatenate(clouds), extent),
    )  # fmt: skip
    cls = implementation(plugins().method(name))
    method = cls(cls.Settings(points=points))
    method.fit(seen, SimpleNamespace(seed=seed))  # type: ignore[arg-type]
    cloud = method.predict(torch.zeros(1, 3, 8, 8)).points[0].numpy()  # type: ignore[attr-defined]
    return cloud, clouds


def test_a_mixture_has_as_many_points_of_each_model_and_none_twice(floors: Path) -> None:
    cloud, _ = told("training-clouds", 0, 90, 40, 400, 4000)
    assert [int((cloud[:, 0] == i).sum()) for i in range(3)] == [30, 30, 30]
    assert len(np.unique(cloud, axis=0)) == 90
    assert not np.array_equal(cloud, told("training-clouds", 1, 90, 40, 400, 4000)[0])


def test_one_model_is_drawn_from_the_seed_and_cloud_whole(floors: Path) -> None:
    models = set()
    for seed in range(12):
        cloud, clouds = told("training-cloud", seed, 100, 40, 50, 60)
        (model,) = set(cloud[:, 0].astype(int).tolist())
        assert set(cloud[:, 1].astype(int)) == set(range(len(clouds[model])))
        models.add(model)
    assert models == {0, 1, 2}


def test_methods_are_not_told_more_than_the_protocol_grants(small_cars: None) -> None:
    protocol = find_protocol("small_cars")
    spec = plugins().method("training-clouds")
    info = MethodInfo(gives=("shape_and_pose",), supervision="labels", told=("clouds",))
    assert shown(protocol, spec, info).data.grants == ("views", "silhouettes", "clouds")
    assert shown(protocol, spec, replace(info, told=())) == protocol
    for changed in (
        (replace(spec, role="method"), info),
        (spec, replace(info, supervision="none")),
    ):
        with pytest.raises(Incompatible, match="only floors and references"):
            shown(protocol, *changed)
    without = protocol.model_copy(
        update={"data": protocol.data.model_copy(update={"labels": ("quaternions",)})}
    )
    with pytest.raises(
        Incompatible, match="is to be told clouds, which small_cars@1 does not have"
    ):
        shown(without, spec, info)


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
