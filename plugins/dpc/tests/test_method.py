"""Differentiable point clouds as a method: what it gives, keeps, needs and refuses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_dpc
import numpy as np
import pytest
import torch
from bench_dpc.method import Dpc
from bench_dpc.networks import EXTENTS, Found, Networks, in_ball
from bench_dpc.projection import Cameras as Views
from bench_dpc.projection import seen
from bench_dpc.settings import DpcSettings
from bench_dpc.training import Training
from pydantic import ValidationError

from benchmark.contracts import MethodSpec
from benchmark.contracts.errors import Incompatible, InvalidInput
from benchmark.contracts.images import Cameras, Images, to_signed
from benchmark.metrics.camera import camera_rotation
from benchmark.metrics.pose import align_poses, mean_rotation, rotate, rotation_error_degrees
from benchmark.metrics.pose import conjugate as inverse
from benchmark.metrics.pose import multiply as product

TINY: dict[str, Any] = {
    "size": 16, "width": 4, "code": 16, "points": 60, "grid": 16, "cells": "centres", "taps": 7,
    "sigma": (1.5, 0.5), "keep": (0.3, 1.0), "objects": 2, "views": 3, "steps": 6,
    "learning_rate": 1e-3,
}  # fmt: skip
Make = Callable[..., Any]


def settings(**more: Any) -> DpcSettings:
    return DpcSettings(**TINY | more)


def spec() -> MethodSpec:
    found: list[MethodSpec] = []
    bench_dpc.bench_methods(found.append)
    return found[0]


def bars(objects: int = 4, views: int = 4, size: int = 32, cameras: bool = False) -> Images:
    """Bars of different lengths, seen from around, on white, with their silhouettes."""
    draw = np.random.Generator(np.random.PCG64(0))
    azimuth = draw.uniform(0, 2 * np.pi, objects * views)
    position = np.stack([-2 * np.cos(azimuth), -2 * np.sin(azimuth), 0.5 + 0 * azimuth], 1)
    rotation = camera_rotation(position).astype(np.float32)
    count = objects * views
    known = Cameras(
        rotation,
        np.tile(np.array([2, 0, 0], np.float32), (count, 1)),
        np.full(count, 1.875 * size, np.float32),
        "forward_up_right",
    )
    silhouettes = np.zeros((count, size, size), np.uint8)
    for row in range(count):
        half = [0.35 - 0.05 * (row // views), 0.1, 0.12]
        points = draw.uniform(-1, 1, (4000, 3)) * half
        x, y = np.rint(known.project(row, points, size)).astype(int).clip(0, size - 1).T
        silhouettes[row, y, x] = 255
    pixels = np.repeat(255 - silhouettes[..., None] // 2, 3, 3)
    return Images(
        pixels, size, "x", known if cameras else None, np.arange(count) // views, silhouettes
    )


def test_registration_is_whole_and_light() -> None:
    assert spec().problems() == []
    code = "import bench_dpc, sys; assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("preset", ["paper", "released", "small", "demo"])
def test_presets_are_settings(preset: str) -> None:
    DpcSettings(**spec().presets[preset])
    DpcSettings(**spec().presets[preset], poses="known")


def test_released_and_papers_batches_are_what_their_sources_say() -> None:
    released, paper = (DpcSettings(**spec().presets[name]) for name in ("released", "paper"))
    assert released == DpcSettings()
    assert (released.objects, released.views, released.keep) == (8, 4, (0.07, 1.0))
    assert (paper.objects, paper.views, paper.pairs) == (4, 4, "each")


@pytest.mark.parametrize(
    "wrong", [{"size": 24}, {"taps": 4}, {"sigma": (1.0, 0.0)}, {"keep": (0.0, 1.0)},
              {"views": 1, "pairs": "each"}, {"candidates": 0}],
)  # fmt: skip
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_networks_have_the_layers_that_are_published() -> None:
    """Convolutions of 16, 32, 32, … 256 channels, three shared or own layers of 1024."""
    net = Networks(128, 16, 1024, 500, 4)
    convolutions = [m for m in net.encoder if isinstance(m, torch.nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == [16, 32, 32, 64, 64, 128, 128, 256, 256]
    assert [c.stride[0] for c in convolutions] == [2, 2, 1, 2, 1, 2, 1, 2, 1]
    assert net.encoder[-4].in_features == 4096
    with torch.no_grad():
        found = net(torch.zeros(2, 3, 128, 128), slice(0, 1))
    assert found.points.shape == (1, 500, 3)
    assert found.candidates.shape == (2, 4, 4)
    assert found.student.shape == (2, 4)
    assert float(net.points.weight.detach().std()) == pytest.approx(0.025 * 0.88, rel=0.01)
    wide = convolutions[-1].weight.detach()
    assert float(wide.std()) == pytest.approx((2 / wide[0].numel()) ** 0.5, rel=0.01)


def test_a_ball_is_in_the_frame_of_every_view_and_a_cube_is_not() -> None:
    """Where a point is in the frame the projection gives it a gradient, wherever the camera stands."""
    assert torch.allclose(
        in_ball(torch.tensor([3.0, 4, 0])), torch.tensor([0.299973, 0.399964, 0]), atol=1e-6
    )
    free = torch.randn(1, 2000, 3, generator=torch.manual_seed(0)) * 20  # as far out as it goes
    free[0, 0] = 0
    rotations = torch.nn.functional.normalize(torch.randn(64, 4, generator=torch.manual_seed(1)))
    cameras = Views.looking(rotations, 1.875, 2.0)
    shown = {}
    for name, where in EXTENTS.items():
        points = where(free).expand(64, -1, -1)
        shown[name] = float((seen(points, cameras)[..., 1:].abs() < 0.5).all(-1).float().mean())
    assert shown["ball"] == 1
    assert shown["cube"] < 0.5
    free.requires_grad_()
    in_ball(free).sum().backward()
    assert torch.isfinite(free.grad).all()


def test_prediction_sees_what_the_fit_saw(tmp_path: Path, make_context: Make) -> None:
    """Shrunk by the same rule: the pixels of a batch are those that `predict` makes of the image."""
    images = bars()
    method = Dpc(settings())
    method.initialise(images, make_context(tmp_path))
    training = Training(method.network, images, make_context(tmp_path), settings())
    rows = np.array([3, 7])
    seen = to_signed(training.pixels[rows])
    assert torch.equal(method.seen(to_signed(images.batch(rows))), seen)


def test_what_is_fitted_is_saved_loaded_and_a_milestone(tmp_path: Path, make_context: Make) -> None:
    images, context = bars(), make_context(tmp_path / "run")
    method = Dpc(settings())
    method.fit(images, context)
    shown = to_signed(images.batch(slice(0, 3)))
    with torch.inference_mode():
        found = method.predict(shown)
    assert found.points.shape == (3, 60, 3)
    assert float(found.points.abs().max()) <= 0.5
    last = Dpc(settings())
    last.load(dict(context.seen.milestones)[6 * 6], "cpu")
    with torch.inference_mode():
        assert torch.equal(last.predict(shown).points, found.points)
        assert torch.equal(last.predict(shown).rotation, found.rotation)
    assert context.seen.samples[-1][2].shape == (4, 3, 16, 16)


@pytest.mark.parametrize("change", [{}, {"pairs": "each"}, {"poses": "known"}])
def test_killed_and_resumed_is_bit_identical(
    change: dict[str, Any], tmp_path: Path, make_context: Make
) -> None:
    images, choice = bars(cameras=True), settings(**change)
    straight = Dpc(choice)
    straight.fit(images, make_context(tmp_path / "straight"))
    for kill in (True, True, False):
        # checkpoints may be due where the loop logs: at milestones, for one
        context = make_context(tmp_path / "killed", every=1, kill_after=1 if kill else 0)
        resumed = Dpc(choice)
        if kill:
            with pytest.raises(KeyboardInterrupt):
                resumed.fit(images, context)
        else:
            resumed.fit(images, context)
    expected, found = straight.network.state_dict(), resumed.network.state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize("poses", ["unknown", "known"])
def test_the_losses_fall(poses: str, tmp_path: Path, make_context: Make) -> None:
    context = make_context(tmp_path / "run")
    choice = settings(poses=poses, steps=100, objects=4, learning_rate=3e-3, sigma=(1.0, 0.5))
    Dpc(choice).fit(bars(cameras=True), context)
    rows = [r for r in context.seen.log if "projection" in r]
    assert rows[-1]["projection"] < 0.6 * rows[0]["projection"]
    assert rows[-1]["student"] < 0.7 * rows[0]["student"]


def test_without_poses_only_the_best_candidates_branch_learns_from_the_projection(
    tmp_path: Path, make_context: Make
) -> None:
    """One picture: of four branches one has gradients; the other three have none, or zeros."""
    choice = settings(objects=1, views=1, weight_decay=0.0)
    method = Dpc(choice)
    method.initialise(bars(), make_context(tmp_path))
    net = method.network.requires_grad_(True)
    net.points.bias.data.uniform_(-0.5, 0.5)  # at first most points share voxels that are full
    Training(net, bars(), make_context(tmp_path), choice).update(0)
    moved = [
        any(p.grad is not None and bool(p.grad.any()) for p in branch.parameters())
        for branch in net.candidates
    ]
    assert sum(moved) == 1


def test_poses_are_those_of_the_contract(tmp_path: Path, make_context: Make) -> None:
    """A known answer through the scoring: true poses in a frame that is turned leave no error."""
    frame = np.array([0.5, -0.1, 0.7, 0.3]) / np.linalg.norm([0.5, -0.1, 0.7, 0.3])
    target = camera_rotation(np.random.default_rng(0).normal(size=(6, 3)))
    own = product(target, inverse(frame))

    class Known(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> Found:
            count = len(images)
            points = torch.tensor(rotate(frame, cloud), dtype=torch.float32)
            student = 3 * torch.tensor(own[:count], dtype=torch.float32)
            return Found(points.expand(count, -1, -1), torch.ones(count), student[:, None], student)

    cloud = np.random.default_rng(1).uniform(-0.3, 0.3, (40, 3))
    method = Dpc(settings())
    method.initialise(bars(), make_context(tmp_path))
    method._network = Known()  # type: ignore[assignment]
    found = method.predict(torch.zeros(6, 3, 16, 16))
    rotation = found.rotation.numpy().astype(np.float64)
    common = mean_rotation(product(inverse(target), rotation))
    assert rotation_error_degrees(align_poses(rotation, common), target).max() < 1e-3
    np.testing.assert_allclose(rotate(common, found.points[0].numpy()), cloud, atol=1e-5)


@pytest.mark.parametrize(
    "kept, what",
    [({"silhouettes"}, "views of one object"), ({"objects"}, "silhouettes are needed")],
)
def test_what_a_protocol_does_not_grant_is_named(
    kept: set[str], what: str, tmp_path: Path, make_context: Make
) -> None:
    images = bars()
    granted = {name: getattr(images, name) for name in kept}
    poorer = Images(images.pixels, images.size, "x", **granted)
    with pytest.raises(Incompatible, match=what):
        Dpc(settings()).fit(poorer, make_context(tmp_path))


def test_known_poses_need_cameras_and_views_enough_images(
    tmp_path: Path, make_context: Make
) -> None:
    with pytest.raises(Incompatible, match="cameras are needed"):
        Dpc(settings(poses="known")).fit(bars(), make_context(tmp_path / "a"))
    with pytest.raises(InvalidInput, match="4 images, 5 different"):
        Dpc(settings(views=5)).fit(bars(), make_context(tmp_path / "b"))
    with pytest.raises(Incompatible, match="power of two"):
        Dpc(settings(size=None)).fit(bars(size=24), make_context(tmp_path / "c"))


def test_pictures_are_pictures(tmp_path: Path, make_context: Make) -> None:
    method = Dpc(settings())
    method.initialise(bars(), make_context(tmp_path))
    with torch.inference_mode():
        found = method.pictures(to_signed(bars().batch(slice(0, 2))))
    assert len(found) == 9
    for pictures in found.values():
        assert pictures.shape[:2] == (2, 3)
        assert float(pictures.abs().max()) <= 1
