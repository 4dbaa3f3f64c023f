"""Twins of rendered models: views of one model together, models apart, labels that fit each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from benchmark.contracts.errors import Incompatible
from benchmark.datasets.opening import images_seen, open_split
from benchmark.datasets.prepared import PreparedSplit
from benchmark.metrics.camera import project
from benchmark.metrics.pose import rotate
from benchmark.protocols import Protocol
from benchmark.registry.protocols import find_protocol

VIEWS = 5


def small(**changes) -> Protocol:
    protocol = find_protocol("shapenet_cars")
    assert protocol.twin is not None
    twin = {"people": 10, "fit": 35, "train": 40, "test": 10, "cloud": 200} | changes
    geometry = protocol.geometry["shapenet"].model_copy(update={"resize": 48})
    labels = (*protocol.data.labels, "translations")
    return protocol.model_copy(
        update={
            "twin": protocol.twin.model_copy(update=twin),
            "geometry": {"shapenet": geometry},
            "data": protocol.data.model_copy(update={"labels": labels}),
        }
    )


def opened(role: str, protocol: Protocol) -> PreparedSplit:
    return open_split(protocol, role, twin=True, progress=lambda *a, **k: None)


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_HOME", str(tmp_path_factory.mktemp("home")))
        yield {role: opened(role, small()) for role in ("fit", "validation", "test")}


def test_models_are_disjoint_and_their_views_together(splits) -> None:
    models = {role: list(dict.fromkeys(s.identities)) for role, s in splits.items()}
    assert {role: len(m) for role, m in models.items()} == {"fit": 7, "validation": 1, "test": 2}
    for role, split in splits.items():
        assert split.identities == [m for m in models[role] for _ in range(VIEWS)]
        assert split.pixels.shape == (VIEWS * len(models[role]), 48, 48, 3)
    everybody = [m for part in models.values() for m in part]
    assert len(set(everybody)) == len(everybody) == 10


def test_the_counts_of_the_protocols_are_what_comes_out() -> None:
    for name in ("cars", "chairs", "planes"):
        twin = find_protocol(f"shapenet_{name}").twin
        assert twin is not None
        test = twin.people // 5
        validation = (twin.people - test) // 5
        assert (twin.test, twin.train) == (VIEWS * test, VIEWS * (twin.people - test))
        assert twin.fit == twin.train - VIEWS * validation
        assert twin.alignment is not None
        assert twin.alignment.models == validation


def test_the_twin_of_the_free_cars_has_a_hundred_models_to_learn_from() -> None:
    protocol = find_protocol("cc0_cars")
    twin, shape = protocol.twin, protocol.shape
    assert twin is not None
    assert shape is not None
    test = twin.people // 5
    validation = (twin.people - test) // 5
    assert (twin.test, twin.train) == (shape.views * test, shape.views * (twin.people - test))
    assert twin.fit == twin.train - shape.views * validation == 103 * shape.views
    assert twin.alignment is not None
    assert twin.alignment.models <= validation


def test_one_cloud_per_model_and_another_camera_for_each_view(splits) -> None:
    split = splits["test"]
    assert len(split.clouds.points) == 2 * 200
    assert np.array_equal(split.clouds[0], split.clouds[4])
    assert not np.array_equal(split.clouds[0], split.clouds[5])
    assert len(np.unique(split.labels["quaternions"].round(5), axis=0)) == 10
    assert not np.allclose(split.labels["quaternions"][0], splits["fit"].labels["quaternions"][0])
    extent = split.clouds[0].max(0) - split.clouds[0].min(0)
    assert np.linalg.norm(extent) == pytest.approx(1, abs=0.05)
    assert extent[2] == extent.max()  # as ShapeNet has its cars: long along z
    np.testing.assert_allclose(split.labels["translations"], np.tile([2, 0, 0], (10, 1)), atol=1e-6)


def test_a_cloud_seen_from_its_camera_fills_the_silhouette(splits) -> None:
    for split in (splits["test"], splits["validation"]):
        for i in range(len(split)):
            seen = project(rotate(split.labels["quaternions"][i], split.clouds[i]))
            pixels = ((seen * [1, -1] + 0.5) * 48 - 0.5).round().astype(int)
            assert ((pixels >= 0) & (pixels < 48)).all()
            inside = split.labels["silhouettes"][i][pixels[:, 1], pixels[:, 0]] == 255
            assert inside.mean() > 0.85
            rows, columns = np.nonzero(split.labels["silhouettes"][i])
            assert abs(columns.mean() - pixels[:, 0].mean()) < 3
            assert abs(rows.mean() - pixels[:, 1].mean()) < 3


def test_outside_the_silhouette_is_white(splits) -> None:
    split = splits["test"]
    corners = split.pixels[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners >= 250).all()
    assert (split.labels["silhouettes"] > 0).mean() > 0.02


def test_digests_hold_and_a_part_keeps_its_clouds(splits) -> None:
    for split in splits.values():
        split.verify()
    assert splits["fit"].images(("views",)).objects.tolist() == [
        i for i in range(7) for _ in range(VIEWS)
    ]


def test_other_axes_are_the_same_cameras(splits, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("BENCH_HOME", str(tmp_path))
    protocol = small(people=5, fit=20, train=20, test=5, cloud=50)
    assert protocol.shape is not None
    shape = protocol.shape.model_copy(update={"camera_axes": "right_down_forward"})
    one = opened("test", protocol)
    other = opened("test", protocol.model_copy(update={"shape": shape}))
    for i in range(5):
        forward, up, right = rotate(one.labels["quaternions"][i], one.clouds[i]).T
        turned = rotate(other.labels["quaternions"][i], other.clouds[i])
        np.testing.assert_allclose(turned, np.stack([right, -up, forward], 1), atol=1e-5)
    np.testing.assert_allclose(other.labels["translations"][0], [0, 0, 2], atol=1e-6)


def test_more_views_than_models_have_are_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("BENCH_HOME", str(tmp_path))
    with pytest.raises(Incompatible, match="asks for 15 pictures in 'test'; 5 views of each of 2"):
        opened("test", small(test=15))
    with pytest.raises(Incompatible, match="asks for 9 pictures"):
        opened("test", small(test=9))


@pytest.mark.parametrize("axes", ["forward_up_right", "right_down_forward"])
def test_granted_cameras_project_the_cloud_onto_the_silhouette(
    axes: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("BENCH_HOME", str(tmp_path))
    protocol = find_protocol("shapenet_cars_cameras")
    few = {"people": 5, "fit": 15, "train": 20, "test": 5, "cloud": 2000}
    assert protocol.twin is not None
    assert protocol.shape is not None
    protocol = protocol.model_copy(
        update={
            "twin": protocol.twin.model_copy(update=few),
            "shape": protocol.shape.model_copy(update={"camera_axes": axes}),
        }
    )
    split = opened("fit", protocol)
    images = images_seen(protocol, {"fit": split})
    cameras, side = images.cameras, images.size
    assert cameras is not None
    assert (cameras.axes, side, len(cameras)) == (axes, 128, 20)
    np.testing.assert_array_equal(cameras.focal, np.full(20, 240, np.float32))
    assert images.silhouettes is not None
    assert split.clouds is not None
    for row, silhouette in enumerate(images.silhouettes):
        at = cameras.project(row, split.clouds[row], side)
        columns, rows = at.round().astype(int).T
        assert binary_dilation(silhouette == 255)[rows, columns].all()  # to a pixel at its edge
        lit = np.argwhere(silhouette)[:, ::-1]  # both boxes are the same, to a pixel and a half
        assert np.abs(at.min(0) - lit.min(0)).max() < 1.5
        assert np.abs(at.max(0) - lit.max(0)).max() < 1.5


def test_no_camera_is_granted_that_a_protocol_does_not_name(splits) -> None:
    images = images_seen(small(), {"fit": splits["fit"]})
    assert images.cameras is None
    assert images.objects is not None
