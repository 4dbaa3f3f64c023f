"""ShapeNet in the layout of differentiable point clouds: lists, views, cameras, clouds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat
from scipy.spatial.transform import Rotation

from benchmark.contracts.errors import BenchError, DataAltered, DataMissing, InvalidInput
from benchmark.contracts.images import Images
from benchmark.datasets import opening, preparing
from benchmark.datasets.prepared import load
from benchmark.datasets.preparing import open_split
from benchmark.datasets.readers.cameras import looking_at_origin
from benchmark.datasets.readers.shapenet import CLASSES, COUNTS, PARTS, VIEWS, ShapeNet
from benchmark.datasets.specs import SHAPENET
from benchmark.metrics.camera import camera_rotation
from benchmark.metrics.pose import rotation_error_degrees
from benchmark.registry.protocols import find_protocol
from benchmark.twins.scene import quaternion

CARS = CLASSES["cars"]


class Small(ShapeNet):
    models: ClassVar = {"cars": (3, 2, 2), "chairs": (1, 1, 1), "planes": (1, 1, 1)}


def write_model(root: Path, model: str, seed: int, views: int = VIEWS, points: int = 40) -> None:
    random = np.random.default_rng(seed)
    folder = root / "renders" / CARS / model
    folder.mkdir(parents=True)
    for i in range(views):
        pixels = np.zeros((24, 24, 4), np.uint8)
        pixels[6:18, 4:20] = (*random.integers(0, 200, 3), 255)
        pixels[6, 4:20, 3] = 128
        Image.fromarray(pixels, "RGBA").save(folder / f"render_{i}.png")
        savemat(folder / f"camera_{i}.mat", {"pos": 2 * unit(random.normal(size=3))[None]})
    truth = root / "gt" / "downsampled" / CARS
    truth.mkdir(parents=True, exist_ok=True)
    if points:
        savemat(truth / f"{model}.mat", {"points": random.uniform(-0.5, 0.5, (points, 3))})


def unit(vector):
    return vector / np.linalg.norm(vector)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Seven cars, lists with Windows line ends and without the last one."""
    root = tmp_path / "shapenet"
    (root / "splits").mkdir(parents=True)
    names = [f"{i:04x}car" for i in range(7)]
    for i, name in enumerate(names):
        write_model(root, name, i, points=30 + i)
    for word, part in (("train", names[:3]), ("val", names[3:5]), ("test", names[5:])):
        (root / "splits" / f"{CARS}_{word}.txt").write_bytes("\r\n".join(part).encode())
    return root


@pytest.fixture
def prepared(tree: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(ShapeNet, "models", Small.models)
    monkeypatch.setenv("BENCH_DATA", str(tree.parent))
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "home"))
    protocol = find_protocol("shapenet_cars")

    def opened(split: str, labels=protocol.data.labels):
        geometry = protocol.geometry["shapenet"]
        return open_split("shapenet", split, geometry, protocol_folder=tree, labels=labels)

    return opened


def test_views_follow_each_other_and_no_model_is_in_two_splits(tree: Path) -> None:
    reader = Small(tree)
    found = {part: reader.samples(f"cars/{part}") for part in PARTS}
    assert {part: len(samples) for part, samples in found.items()} == {
        "train": 15, "validation": 10, "test": 10,
    }  # fmt: skip
    for samples in found.values():
        shown = [s.identity for s in samples]
        assert all(len(set(shown[i : i + 5])) == 1 for i in range(0, len(shown), 5))
        assert len({s.key for s in samples}) == len(samples)
    models = [{s.identity for s in samples} for samples in found.values()]
    assert len(set.union(*models)) == 7


def test_views_are_sorted_as_strings_and_the_first_five_count(tree: Path) -> None:
    folder = tree / "renders" / CARS / "0000car"
    for i in (10, 11):
        for name in (f"render_{i}.png", f"camera_{i}.mat"):
            (folder / name).write_bytes((folder / name.replace(str(i), "0")).read_bytes())
    keys = [s.key.rpartition("/")[2] for s in Small(tree).samples("cars/train")[:5]]
    assert keys == ["0", "1", "10", "11", "2"]


def test_cameras_are_those_of_the_reference(golden_camera) -> None:
    for position, matrix, wxyz in golden_camera:
        found = looking_at_origin(position)
        np.testing.assert_allclose(found, matrix, atol=1e-9)
        assert abs(quaternion(found) @ wxyz) == pytest.approx(1, abs=1e-12)


@pytest.fixture
def golden_camera():
    folder = os.environ.get("BENCH_GOLDEN")
    if not folder or not (Path(folder) / "camera_quaternion.npz").exists():
        pytest.skip("golden values are found through BENCH_GOLDEN, which is unset or empty")
    with np.load(Path(folder) / "camera_quaternion.npz") as item:
        names = ("in_camera_position", "out_rotation_matrix", "out_quaternion_wxyz")
        return list(zip(*(item[name] for name in names), strict=True))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_two_ways_to_the_same_camera(seed: int) -> None:
    position = np.random.default_rng(seed).normal(size=3)
    matrix = looking_at_origin(position)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1)
    other = camera_rotation(position[None])
    assert rotation_error_degrees(quaternion(matrix)[None], other)[0] < 1e-5
    # the camera itself lies straight behind what it looks at
    world_to_obj = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    seen = matrix @ world_to_obj @ position
    np.testing.assert_allclose(seen, [-np.linalg.norm(position), 0, 0], atol=1e-9)


@pytest.mark.parametrize("position", [[0, 0, 2.0], [0, 0, 0], [np.nan, 1, 1], [1, 2]])
def test_cameras_without_an_upright_are_refused(position) -> None:
    with pytest.raises(InvalidInput):
        looking_at_origin(np.array(position, float))


def test_a_prepared_split_has_views_poses_silhouettes_and_each_cloud_once(prepared) -> None:
    split = prepared("cars/test")
    assert split.pixels.shape == (10, 128, 128, 3)
    assert split.labels["silhouettes"].shape == (10, 128, 128)
    assert split.labels["quaternions"].shape == (10, 4)
    assert split.clouds is not None
    assert [len(split.clouds[i]) for i in range(10)] == [35] * 5 + [36] * 5
    assert len(split.clouds.points) == 35 + 36
    split.verify()
    assert load(split.folder).labels_digest == split.labels_digest
    norms = np.linalg.norm(split.labels["quaternions"], axis=1)
    np.testing.assert_allclose(norms, 1, atol=1e-6)


def test_renders_are_laid_on_white_before_they_are_resized(prepared) -> None:
    split = prepared("cars/test")
    assert (split.pixels[:, 0, 0] == 255).all()
    assert (split.labels["silhouettes"][:, 0, 0] == 0).all()
    assert (split.labels["silhouettes"][:, 64, 64] == 255).all()
    inside = split.pixels[:, 64, 64].astype(int)
    # the upper rim is half covered: between its colour and white
    rim = split.pixels[:, 34, 64].astype(int)
    assert (rim > inside).all()
    assert (rim <= 255).all()
    half = split.labels["silhouettes"][:, 34, 64].astype(int)
    assert ((half > 90) & (half < 170)).all()


def test_what_is_granted_is_seen_and_nothing_else(prepared) -> None:
    split = prepared("cars/train", ("quaternions", "translations", "focals", "silhouettes"))
    assert split.clouds is None
    plain = split.images()
    assert (plain.cameras, plain.objects, plain.silhouettes) == (None, None, None)
    assert plain.digest == split.pixels_digest
    granted = split.images(("views", "silhouettes"))
    assert granted.objects.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert granted.silhouettes.shape == (15, 128, 128)
    assert granted.cameras is None
    cameras = split.images(("cameras",), "forward_up_right").cameras
    assert cameras is not None
    assert cameras.axes == "forward_up_right"
    assert cameras.focal.tolist() == [1.875 * 128] * 15
    np.testing.assert_allclose(cameras.translation, np.tile([2, 0, 0], (15, 1)), atol=1e-6)
    digests = {split.images(g).digest for g in ((), ("views",), ("silhouettes",), ("cameras",))}
    assert len(digests) == 4


def test_granted_arrays_of_another_shape_are_refused() -> None:
    pixels = np.zeros((2, 8, 8, 3), np.uint8)
    with pytest.raises(InvalidInput, match="objects must be"):
        Images(pixels, 8, "x", objects=np.zeros(3, int))
    with pytest.raises(InvalidInput, match="silhouettes must be uint8"):
        Images(pixels, 8, "x", silhouettes=np.zeros((2, 8, 8)))


def test_other_clouds_give_another_digest(prepared, tree: Path, tmp_path, monkeypatch) -> None:
    first = prepared("cars/test").labels_digest
    points = np.random.default_rng(9).uniform(-0.5, 0.5, (35, 3))
    savemat(tree / "gt" / "downsampled" / CARS / "0005car.mat", {"points": points})
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "another"))
    again = prepared("cars/test")
    assert again.labels_digest != first
    np.testing.assert_allclose(again.clouds[0], points.astype(np.float32))


def test_a_model_without_a_cloud_is_one_too_many_of_four(tree: Path) -> None:
    reader = Small(tree)
    (tree / "gt" / "downsampled" / CARS / "0006car.mat").unlink()
    with pytest.raises(DataMissing, match=r"lacks the clouds of 1 of 4 .* 0006car.mat"):
        reader.cloud(reader.samples("cars/test")[0])


def test_one_missing_cloud_of_many_is_an_empty_one(prepared, tree: Path, monkeypatch) -> None:
    monkeypatch.setattr("benchmark.datasets.readers.shapenet.CLOUD_LACKS", 2)
    (tree / "gt" / "downsampled" / CARS / "0006car.mat").unlink()
    split = prepared("cars/test")
    assert [len(split.clouds[i]) for i in (0, 4, 5, 9)] == [35, 35, 0, 0]
    split.verify()


@pytest.mark.parametrize(
    "points, said",
    [
        (np.full((5, 3), np.nan), "NaN or infinity"),
        (np.zeros((5, 2)), r"expected points \(P, 3\)"),
        (np.zeros((0, 3)), r"expected points \(P, 3\)"),
        (np.full((5, 3), 40.0), "points reach 40"),
    ],
)
def test_clouds_that_are_none_are_refused(tree: Path, points, said: str) -> None:
    savemat(tree / "gt" / "downsampled" / CARS / "0005car.mat", {"points": points})
    reader = Small(tree)
    with pytest.raises(DataAltered, match=said):
        reader.cloud(reader.samples("cars/test")[0])


def leak(root: Path) -> None:
    (root / "splits" / f"{CARS}_train.txt").write_text("0000car 0001car 0005car")


def shorten(root: Path) -> None:
    (root / "splits" / f"{CARS}_test.txt").write_text("0005car")


def repeat(root: Path) -> None:
    (root / "splits" / f"{CARS}_test.txt").write_text("0005car\n0005car\n")


def take_view(root: Path) -> None:
    (root / "renders" / CARS / "0005car" / "render_3.png").unlink()


def take_camera(root: Path) -> None:
    (root / "renders" / CARS / "0005car" / "camera_3.mat").unlink()


def break_camera(root: Path) -> None:
    (root / "renders" / CARS / "0005car" / "camera_3.mat").write_bytes(
        b"MATLAB 7.3 of another kind"
    )


def raise_camera(root: Path) -> None:
    savemat(root / "renders" / CARS / "0005car" / "camera_3.mat", {"pos": [[0.0, 0.0, 2.0]]})


@pytest.mark.parametrize(
    "damage, said",
    [
        (leak, "0005car is in two of the lists"),
        (shorten, "expected 2 models, found 1"),
        (repeat, "names a model twice"),
        (take_view, "0005car holds 4 of the 5 views"),
        (take_camera, "camera_3.mat, and it is not there"),
        (break_camera, "can't be read as a MATLAB file"),
        (raise_camera, "camera_3.mat: a camera straight above"),
    ],
)
def test_damage_is_named(tree: Path, damage, said: str) -> None:
    damage(tree)
    with pytest.raises(BenchError, match=said):
        Small(tree).samples("cars/test")


def test_the_published_lists_of_cars() -> None:
    lists = Path(os.environ.get("BENCH_DATA", "")) / "lists" / "ShapeNet"
    if not os.environ.get("BENCH_DATA") or not lists.is_dir():
        pytest.skip("the lists are found through BENCH_DATA, which is unset or has none")
    found = {
        part: (lists / f"{CARS}_{word}.txt").read_text("utf-8").split()
        for part, word in PARTS.items()
    }
    assert tuple(map(len, found.values())) == COUNTS["cars"] == (5_247, 750, 1_500)
    everything = [m for models in found.values() for m in models]
    assert len(set(everything)) == len(everything) == 7_497


def test_the_description_counts_views() -> None:
    assert set(SHAPENET.expected) == set(ShapeNet.splits)
    for name, counts in COUNTS.items():
        for part, count in zip(PARTS, counts, strict=True):
            assert SHAPENET.expected[f"{name}/{part}"] == VIEWS * count


def test_scipy_agrees_on_the_order_of_quaternions() -> None:
    matrix = looking_at_origin(np.array([1.0, -0.7, 0.4]))
    scipys = np.roll(Rotation.from_matrix(matrix).as_quat(), 1)
    assert abs(quaternion(matrix) @ scipys) == pytest.approx(1)


@pytest.mark.parametrize(
    "role, kept",
    [
        ("fit", ["silhouettes"]),
        ("test", ["quaternions", "silhouettes", "clouds"]),
        # the models that a validation run finds its rotation on
        ("development", ["quaternions", "silhouettes", "clouds"]),
    ],
)
def test_what_is_aligned_on_carries_its_truth(
    role: str, kept: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}
    monkeypatch.setattr(preparing, "open_split", lambda *_, labels, **__: asked.update(l=labels))
    opening.open_split(find_protocol("shapenet_cars@1"), role, twin=False, progress=print)
    assert asked["l"] == kept
