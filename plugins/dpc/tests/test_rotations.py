"""Quaternions in torch are those of the metrics, and of the contract's cameras."""

from __future__ import annotations

import numpy as np
import torch
from bench_dpc.pictures import turned
from bench_dpc.projection import Cameras, seen
from bench_dpc.rotations import conjugate, matrices, multiply, unit, with_axes
from bench_dpc.training import granted

from benchmark.contracts.images import Cameras as Granted
from benchmark.contracts.images import Images
from benchmark.metrics import pose


def some(count: int = 5) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    return torch.randn(count, 4, generator=draw, dtype=torch.float64)


def test_products_and_matrices_are_those_of_the_metrics() -> None:
    one, other = some(10).chunk(2)
    np.testing.assert_allclose(multiply(one, other), pose.multiply(one.numpy(), other.numpy()))
    np.testing.assert_allclose(conjugate(one), pose.conjugate(one.numpy()))
    points = torch.randn(7, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for q in one:
        np.testing.assert_allclose(points @ matrices(q).T, pose.rotate(q.numpy(), points))


def test_axes_of_the_contract_show_points_in_the_same_pixels() -> None:
    """A camera granted with either axes sees what `Cameras.project` of the contract says."""
    rotation = unit(some(2)).float().numpy()
    points = torch.rand(6, 3, generator=torch.Generator().manual_seed(2)) - 0.5
    pixels = np.zeros((2, 64, 64, 3), np.uint8)
    for axes, away in (("forward_up_right", (2, 0.1, -0.2)), ("right_down_forward", (0.1, 0.2, 2))):
        translation = np.array([away, away], np.float32)
        camera = Granted(rotation, translation, np.array([80, 100], np.float32), axes)  # type: ignore[arg-type]
        cameras = granted(Images(pixels, 64, "x", cameras=camera))
        places = seen(points.expand(2, -1, -1), cameras)
        for row in range(2):
            at = 64 * places[row][:, [2, 1]] + 31.5
            np.testing.assert_allclose(at, camera.project(row, points.numpy(), 64), atol=1e-3)


def test_axes_are_swapped_back_by_swapping_again() -> None:
    q = unit(some())
    again = with_axes(with_axes(q, "right_down_forward"), "right_down_forward")
    torch.testing.assert_close((again * q).sum(-1).abs(), torch.ones(5).double())
    assert with_axes(q, "forward_up_right") is q


def test_a_turntable_turns_about_the_cameras_up() -> None:
    q, point = unit(some(1)), torch.tensor([[[0.1, 0.2, 0.3]]], dtype=torch.float64)
    places = [seen(point, Cameras.looking(turned(q, a), 1e9, 1e9)) for a in (0.0, np.pi)]
    torch.testing.assert_close(places[0][..., 1], places[1][..., 1])
    torch.testing.assert_close(places[0][..., [0, 2]], -places[1][..., [0, 2]])
