"""Shape and pose against answers known beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.contracts import Ceiling, Method, ShapeAndPose
from benchmark.contracts.errors import DataAltered, InvalidInput, PluginBroken
from benchmark.datasets.prepared import PreparedSplit, load, store
from benchmark.metrics.aggregates import aggregate
from benchmark.metrics.points import chamfer
from benchmark.metrics.pose import conjugate, multiply, rotate, rotation_error_degrees, unit
from benchmark.protocols import Protocol
from benchmark.registry.protocols import find_protocol
from benchmark.tasks import shape_and_pose
from benchmark.tasks.base import Scores, Scoring, find_task
from benchmark.tasks.shape_and_pose import ShapeAndPoseTask, truth_of, view_rows

VIEWS, MODELS, SIZE, POINTS = 2, 4, 8, 120
ALIGNMENT = {
    "models": 4, "keep_models": 3, "keep_views": 1, "reach": 0.2, "iterations": 30,
    "tolerance": 1e-6,
}  # fmt: skip
IDENTITY = np.array([1.0, 0, 0, 0])


def quiet(stage: str, step: int, total: int, **values: float) -> None:
    pass


def protocol(**changes: Any) -> Protocol:
    known = find_protocol("shapenet_cars")
    assert known.shape is not None
    alignment = known.shape.alignment.model_copy(update=ALIGNMENT)
    shape = {"views": VIEWS, "alignment": alignment} | changes
    return known.model_copy(update={"shape": known.shape.model_copy(update=shape)})


def body(random: np.random.Generator, points: int) -> np.ndarray:
    """Two boxes of different sizes: no symmetry, within half a unit."""
    box = random.uniform(-0.5, 0.5, (points, 3)) * [0.5, 0.2, 0.8]
    far = random.random(points) < 0.3
    return np.where(far[:, None], box * 0.4 + [0.2, 0.3, 0.1], box)


def quaternions(seed: int, count: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(count, 4)))


def write_split(
    folder: Path, seed: int, models: int = MODELS, missing: tuple[int, ...] = ()
) -> PreparedSplit:
    """Images whose first pixel tells their number."""
    random = np.random.default_rng(seed)
    clouds = [body(random, POINTS + i) for i in range(models)]
    count = models * VIEWS
    pixels = np.zeros((count, SIZE, SIZE, 3), np.uint8)
    pixels[:, 0, 0, 0] = np.arange(count)
    store(
        folder,
        iter(pixels),
        pixels.shape,
        SIZE,
        points=lambda: None,
        labels=lambda: {"quaternions": quaternions(seed, count).astype(np.float32)},
        cloud=lambda i: None if i // VIEWS in missing else clouds[i // VIEWS],
        keys=[str(i) for i in range(count)],
        identities=[f"model {i // VIEWS}" for i in range(count)],
        about={},
    )
    return load(folder)


@pytest.fixture
def splits(tmp_path: Path) -> dict[str, PreparedSplit]:
    return {
        name: write_split(tmp_path / "splits" / name, seed)
        for seed, name in enumerate(("validation", "test"))
    }


class Knowing(Ceiling):
    """The truth, turned by a rotation of its own, with a fault per image where a test wants one."""

    gives = ("shape_and_pose",)

    def __init__(self, frame: np.ndarray = IDENTITY, shift: float = 0.0, poses=None) -> None:  # type: ignore[no-untyped-def]
        super().__init__(None)  # type: ignore[arg-type]
        self.frame, self.shift, self.poses, self.seen = frame, shift, poses, 0

    def predict_from_labels(self, images: torch.Tensor, labels: ShapeAndPose) -> ShapeAndPose:
        back = conjugate(self.frame)
        clouds = np.stack([rotate(back, c) for c in labels.points.numpy()]) + self.shift
        poses = labels.rotation.numpy()
        if self.poses is not None:
            poses = multiply(self.poses[self.seen % 100 : self.seen + len(poses)], poses)
        self.seen += len(poses)
        return ShapeAndPose(
            torch.from_numpy(clouds).float(), torch.from_numpy(multiply(poses, self.frame)).float()
        )


def scored(method: Method, splits: dict, how: Protocol, tmp_path: Path) -> Scores:
    task = find_task("shape_and_pose")
    assert isinstance(task, ShapeAndPoseTask)
    store_in = tmp_path / "store"
    task.predict(method, "shape_and_pose", splits, how, store_in, quiet)
    scoring = Scoring(how, "shape_and_pose", False, "test", "cpu", quiet)
    return task.score(store_in, splits, scoring)


def numbers(scores: Scores, how: Protocol) -> dict[str, float]:
    return {m.id: aggregate(scores.per_item[m.id], m.aggregate) for m in how.metrics}


def test_the_truth_scores_perfectly(splits, tmp_path: Path) -> None:
    found = numbers(scored(Knowing(), splits, protocol(), tmp_path), protocol())
    assert found == pytest.approx(
        {
            "chamfer": 0, "chamfer_precision": 0, "chamfer_coverage": 0, "pose_accuracy": 100,
            "pose_median": 0, "chamfer_unaligned": 0, "pose_accuracy_unaligned": 100,
            "pose_median_unaligned": 0,
        },
        abs=2e-4,
    )  # fmt: skip


def test_two_modes_half_a_turn_apart_are_two_heaps_of_pose_errors(splits, tmp_path: Path) -> None:
    half = np.array([[0.0, 0.0, 1.0, 0.0]])

    class Flipping(Knowing):
        """Every third test pose half a turn about the vertical away."""

        def predict_from_labels(self, images: torch.Tensor, labels: ShapeAndPose) -> ShapeAndPose:
            rotation = labels.rotation.numpy().copy()
            if self.seen:  # validation comes first
                rotation[::3] = multiply(rotation[::3], half)
            self.seen += len(rotation)
            return ShapeAndPose(labels.points, torch.from_numpy(rotation).float())

    scores = scored(Flipping(), splits, protocol(), tmp_path)
    errors = scores.probe["pose_errors"]
    assert errors["aligned"] == errors["unaligned"] == [5, *[0] * 16, 3]


@pytest.mark.parametrize("seed", range(3))
def test_a_frame_of_its_own_is_forgiven_once_aligned(splits, tmp_path: Path, seed: int) -> None:
    frame = quaternions(100 + seed, 1)[0]
    scores = scored(Knowing(frame), splits, protocol(), tmp_path)
    found = numbers(scores, protocol())
    assert found["chamfer"] < 1e-3
    assert found["pose_median"] < 1e-2
    assert found["pose_accuracy"] == 100
    angle = rotation_error_degrees(frame[None], IDENTITY[None])[0]
    assert scores.per_item["pose_median_unaligned"] == pytest.approx([angle] * 8, abs=1e-2)
    assert found["chamfer_unaligned"] > 1
    reference = np.array(scores.probe["reference"])
    assert rotation_error_degrees(reference[None], frame[None])[0] < 1e-2


def test_clouds_are_scored_by_model_over_all_their_views(splits, tmp_path: Path) -> None:
    class Second(Knowing):
        """Right in the first view of every model, moved in the second."""

        def predict_from_labels(self, images, labels):  # type: ignore[no-untyped-def]
            moved = labels.points + 0.1 * (torch.arange(len(images)) % 2)[:, None, None]
            return ShapeAndPose(moved, labels.rotation)

    test = splits["test"]
    scores = scored(Second(), splits, protocol(), tmp_path)
    assert {n: len(v) for n, v in scores.per_item.items() if n.startswith("chamfer")} == {
        n: MODELS for n in scores.per_item if n.startswith("chamfer")
    }
    moved = [chamfer(test.clouds[2 * i] + np.float32(0.1), test.clouds[2 * i]) for i in range(4)]
    half = [c.distance / 2 for c in moved]
    assert scores.per_item["chamfer_unaligned"] == pytest.approx(half, rel=1e-3)
    parts = scores.per_item["chamfer_precision"] + scores.per_item["chamfer_coverage"]
    assert scores.per_item["chamfer"] == pytest.approx(parts)
    first = scored(Second(), splits, protocol(clouds="first_view"), tmp_path / "first")
    assert first.per_item["chamfer_unaligned"] == pytest.approx(0, abs=1e-4)


def test_accuracy_is_strict_and_the_median_the_upper_one(splits, tmp_path: Path) -> None:
    """Eight poses turned by known angles on the test images, none on the validation images."""
    degrees = np.array([0, 0, 0, 0, 0, 0, 0, 0, 5, 10, 20, 29.9, 30.1, 50, 60, 170.0])
    half = np.radians(degrees) / 2
    turns = np.stack([np.cos(half), np.sin(half), 0 * half, 0 * half], axis=1)
    scores = scored(Knowing(poses=turns), splits, protocol(), tmp_path)
    assert scores.per_item["pose_median_unaligned"] == pytest.approx(degrees[8:], abs=1e-3)
    found = numbers(scores, protocol())
    assert found["pose_accuracy_unaligned"] == 50
    assert found["pose_median_unaligned"] == pytest.approx(30.1, abs=1e-3)
    assert found["pose_median"] == pytest.approx(30.1, abs=1e-2)
    loose = protocol(threshold=30.5)
    assert numbers(scored(Knowing(poses=turns), splits, loose, tmp_path / "b"), loose)[
        "pose_accuracy"
    ] == pytest.approx(62.5)


def test_a_model_without_a_cloud_counts_for_pose_alone(tmp_path: Path) -> None:
    splits = {
        "validation": write_split(tmp_path / "v", 0, missing=(1,)),
        "test": write_split(tmp_path / "t", 1, missing=(2,)),
    }
    scores = scored(Knowing(), splits, protocol(), tmp_path)
    assert len(scores.per_item["chamfer"]) == MODELS - 1
    assert len(scores.per_item["pose_median"]) == MODELS * VIEWS
    assert scores.probe["candidates"] == (MODELS - 1) * VIEWS
    assert scores.notes == [
        "1 test models have no true cloud and are left out of the Chamfer distance"
    ]
    assert max(scores.predictions["drawn"]) < MODELS * VIEWS
    assert not {4, 5} & set(scores.predictions["drawn"].tolist())


class Collapsed(Method):
    """One point, many times."""

    gives = ("shape_and_pose",)

    def fit(self, images, context):  # type: ignore[no-untyped-def]
        pass

    def predict(self, images: torch.Tensor) -> ShapeAndPose:
        still = torch.tensor([[1.0, 0, 0, 0]]).expand(len(images), -1)
        return ShapeAndPose(torch.zeros(len(images), 9, 3), still)


def test_collapsed_clouds_can_not_be_aligned_and_the_error_says_why(splits, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"can't be aligned .*0 of 4 models") as caught:
        scored(Collapsed(None), splits, protocol(), tmp_path)  # type: ignore[arg-type]
    assert "collapsed" in caught.value.cure


def test_nan_is_refused_where_it_is_made(splits, tmp_path: Path) -> None:
    class Broken(Collapsed):
        def predict(self, images: torch.Tensor) -> ShapeAndPose:
            good = super().predict(images)
            return ShapeAndPose(good.points / 0, good.rotation)

    with pytest.raises(PluginBroken, match=r"Broken\.predict: ShapeAndPose\.points has NaN"):
        scored(Broken(None), splits, protocol(), tmp_path)  # type: ignore[arg-type]


def test_clouds_of_changing_length_are_refused(splits, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shape_and_pose, "BATCH", 3)

    class Growing(Collapsed):
        def predict(self, images: torch.Tensor) -> ShapeAndPose:
            self.count = getattr(self, "count", 5) + 1
            good = super().predict(images)
            return ShapeAndPose(good.points[:, :1].expand(-1, self.count, -1), good.rotation)

    with pytest.raises(
        PluginBroken, match=r"clouds of shape \(7, 3\) after clouds of shape \(6, 3\)"
    ):
        scored(Growing(None), splits, protocol(), tmp_path)  # type: ignore[arg-type]


def test_views_must_follow_each_other(splits) -> None:
    assert view_rows(splits["test"], VIEWS).tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    with pytest.raises(DataAltered, match="are not 4 views of one model after another"):
        view_rows(splits["test"], 4)
    with pytest.raises(DataAltered, match="are not 3 views"):
        view_rows(splits["test"], 3)
    with pytest.raises(DataAltered, match="are not 1 views"):
        view_rows(splits["test"], 1)


def test_ceilings_see_every_true_point_when_there_are_few_and_true_ones_only(
    splits, monkeypatch
) -> None:
    cloud = splits["test"].clouds[0]
    for count in (POINTS - 50, POINTS, 3 * POINTS):
        monkeypatch.setattr(shape_and_pose, "SHOWN_POINTS", count)
        shown = truth_of(splits["test"], slice(0, 2), 0).points[0].numpy()
        assert shown.shape == (count, 3)
        score = chamfer(shown, cloud)
        assert score.precision == 0
        assert (score.coverage == 0) == (count >= POINTS)
        distinct = len(np.unique(shown, axis=0))
        assert distinct == min(count, POINTS)


def test_ceilings_without_labels_and_other_kinds_are_refused(splits, tmp_path: Path) -> None:
    class Other(Collapsed):
        def predict(self, images: torch.Tensor):  # type: ignore[no-untyped-def]
            from benchmark.contracts import Landmarks

            return Landmarks(torch.zeros(len(images), 1, 2))

    with pytest.raises(PluginBroken, match="gave Landmarks, expected ShapeAndPose"):
        scored(Other(None), splits, protocol(), tmp_path)  # type: ignore[arg-type]


def test_only_the_models_of_the_alignment_are_predicted(splits, tmp_path: Path) -> None:
    alignment = protocol().shape.alignment.model_copy(update={"models": 3, "keep_models": 2})  # type: ignore[union-attr]
    scores = scored(Knowing(), splits, protocol(alignment=alignment), tmp_path)
    assert len(np.load(tmp_path / "store" / "validation" / "rotation.npy")) == 6
    assert scores.probe["candidates"] == 6
    assert scores.predictions["drawn_points"].dtype == np.float16


def test_a_twin_is_aligned_by_its_own_rule_and_predicted_as_far_as_that_goes(splits) -> None:
    known = protocol()
    own = known.shape.alignment.model_copy(update={"models": 2})  # type: ignore[union-attr]
    twin = known.twin.model_copy(update={"alignment": own})  # type: ignore[union-attr]
    known = known.model_copy(update={"twin": twin})
    for is_twin, models in ((True, 2), (False, known.shape.alignment.models)):  # type: ignore[union-attr]
        scored_as = known.scored(twin=is_twin)
        assert scored_as.shape.alignment.models == models  # type: ignore[union-attr]
        (validation, _) = ShapeAndPoseTask().image_sets(splits, scored_as)
        assert len(validation) == min(models * VIEWS, len(splits["validation"]))
