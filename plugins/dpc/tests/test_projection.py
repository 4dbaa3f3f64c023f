"""The soft projection beside plain formulas, a camera of the metrics, and its gradients."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from bench_dpc.projection import (
    Cameras,
    Cells,
    blur_matrix,
    blurred,
    occupancy,
    seen,
    silhouettes,
    splat,
    terminations,
)
from bench_dpc.rotations import unit
from torch import Tensor
from torch.nn import functional

from benchmark.metrics.camera import camera_rotation, project
from benchmark.metrics.pose import rotate


def cloud(count: int = 2, points: int = 12, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Points well inside the cube and rotations, float64."""
    draw = torch.Generator().manual_seed(seed)
    places = torch.rand(count, points, 3, generator=draw, dtype=torch.float64) * 0.4 - 0.2
    return places, torch.randn(count, 4, generator=draw, dtype=torch.float64)


def test_points_appear_where_the_camera_of_the_metrics_shows_them() -> None:
    points, _ = cloud(3)
    rotation = camera_rotation([[-2.0, 0, 0], [1.0, 1.0, 0.5], [0.3, -2.0, -0.4]])
    places = seen(points, Cameras.looking(torch.tensor(rotation), 1.875, 2.0))
    for one in range(3):
        turned = rotate(rotation[one], points[one])
        at = project(turned, 1.875, 2.0)
        np.testing.assert_allclose(places[one, :, 0], turned[:, 0], atol=1e-12)
        np.testing.assert_allclose(places[one, :, 2], at[:, 0], atol=1e-12)
        np.testing.assert_allclose(-places[one, :, 1], at[:, 1], atol=1e-12)


def test_a_point_fills_the_pixel_that_shows_it() -> None:
    """Up is the first row, and right the last column: 32 pixels, voxels where pixels are."""
    points = torch.tensor([[[0.0, 0.2, -0.1]]], dtype=torch.float64)
    cameras = Cameras.looking(torch.tensor([[1.0, 0, 0, 0]], dtype=torch.float64), 1.875, 2.0)
    mask = silhouettes(splat(seen(points, cameras), 32))[0]
    x, y = (project(points[0].numpy())[0] * [32, -32]) + 15.5
    weight = mask - mask.min()
    at = torch.arange(32, dtype=torch.float64)
    assert float((weight.sum(0) * at).sum() / weight.sum()) == pytest.approx(x, abs=0.2)
    assert float((weight.sum(1) * at).sum() / weight.sum()) == pytest.approx(y, abs=0.2)
    assert y < 15.5 - 5
    assert x < 15.5 - 2


@pytest.mark.parametrize("cells", ["corners", "centres"])
def test_splat_is_the_tent_of_each_voxel(cells: Cells) -> None:
    """Voxel by voxel: the product of 1 - |distance|, where that is not below zero."""
    side = 5
    draw = torch.Generator().manual_seed(1)
    places = torch.rand(2, 9, 3, generator=draw, dtype=torch.float64) * 1.2 - 0.6
    at = (places + 0.5) * (side - 1) if cells == "corners" else (places + 0.5) * side - 0.5
    expected = torch.zeros(2, side, side, side, dtype=torch.float64)
    for one, point in product(range(2), range(9)):
        if (places[one, point].abs() > 0.5).any():
            continue
        for voxel in product(range(side), repeat=3):
            away = (at[one, point] - torch.tensor(voxel)).abs()
            expected[one][voxel] += (1 - away).clamp(min=0).prod()
    assert (places.abs() > 0.5).any()
    torch.testing.assert_close(splat(places, side, cells), expected)


def test_splat_keeps_the_number_of_points() -> None:
    places, _ = cloud()
    torch.testing.assert_close(splat(places, 8).sum((1, 2, 3)), torch.full((2,), 12.0).double())


@pytest.mark.parametrize("sigma", [0.2, 1.0, 3.0])
def test_banded_blur_is_the_dense_convolution(sigma: float) -> None:
    draw = torch.Generator().manual_seed(2)
    voxels = torch.rand(2, 7, 7, 7, generator=draw, dtype=torch.float64)
    taps = torch.arange(-3.0, 4.0, dtype=torch.float64)
    band = (-0.5 * (taps / sigma) ** 2).exp()
    band /= band.sum()
    kernel = torch.einsum("i,j,k->ijk", band, band, band)[None, None]
    dense = functional.conv3d(voxels[:, None], kernel, padding=3)[:, 0]
    torch.testing.assert_close(blurred(voxels, blur_matrix(7, sigma, 7, voxels)), dense)


def test_the_whole_projection_is_the_formula_voxel_by_voxel() -> None:
    """Occupancy and silhouette of a tiny case with nothing but loops."""
    side, sigma = 4, 0.8
    points, rotation = cloud(1, 3)
    scale = torch.tensor([0.7], dtype=torch.float64)
    cameras = Cameras.looking(rotation, 1.875, 2.0)
    found = occupancy(points, scale, cameras, side=side, sigma=sigma, taps=3)
    held = splat(seen(points, cameras), side)[0].clamp(max=1)
    total = sum(np.exp(-0.5 * (t / sigma) ** 2) for t in (-1, 0, 1))
    expected = torch.zeros(side, side, side, dtype=torch.float64)
    for voxel in product(range(side), repeat=3):
        for step in product((-1, 0, 1), repeat=3):
            other = tuple(v + s for v, s in zip(voxel, step, strict=True))
            if min(other) >= 0 and max(other) < side:
                near = np.exp(-0.5 * sum(s * s for s in step) / sigma**2) / total**3
                expected[voxel] += near * held[other]
    expected = (0.7 * expected).clamp(0, 1)
    torch.testing.assert_close(found[0], expected)
    escaped = torch.ones(side, side, dtype=torch.float64)
    for depth in range(side):
        escaped *= 1 - expected[depth].clamp(1e-5, 1 - 1e-5)
    torch.testing.assert_close(silhouettes(found)[0], 1 - escaped)


def test_rays_end_once() -> None:
    draw = torch.Generator().manual_seed(3)
    voxels = torch.rand(2, 6, 5, 5, generator=draw, dtype=torch.float64)
    voxels[0, 2, 1, 1], voxels[0, :, 2, 2] = 1.0, 0.0
    ends = terminations(voxels)
    assert ends.shape == (2, 7, 5, 5)
    torch.testing.assert_close(ends.sum(1), torch.ones(2, 5, 5).double())
    torch.testing.assert_close(1 - ends[:, -1], silhouettes(voxels))
    clipped = voxels.clamp(1e-5, 1 - 1e-5)
    third = clipped[:, 2] * (1 - clipped[:, 0]) * (1 - clipped[:, 1])
    torch.testing.assert_close(ends[:, 2], third)
    assert float(ends[0, 3:, 1, 1].sum()) < 2e-5
    assert float(ends[0, -1, 2, 2]) > 0.9999


def test_gradients_are_those_of_differences() -> None:
    points, rotation = cloud(1, 4, seed=4)
    scale = torch.tensor([0.6], dtype=torch.float64)

    def drawn(points: Tensor, scale: Tensor, rotation: Tensor) -> Tensor:
        cameras = Cameras.looking(rotation, 1.875, 2.0)
        return silhouettes(occupancy(points, scale, cameras, side=6, sigma=1.0, taps=5))

    given = [tensor.requires_grad_() for tensor in (points, scale, rotation)]
    assert torch.autograd.gradcheck(drawn, given, eps=1e-7, atol=1e-5)


def test_points_outside_the_frame_count_nothing_and_get_no_gradient() -> None:
    points = torch.tensor([[[0.0, 0.49, 0.0], [0.0, 0.1, 0.0], [-3.0, 0.0, 0.0]]]).requires_grad_()
    cameras = Cameras.looking(torch.tensor([[1.0, 0, 0, 0]]), 2.5, 2.0)
    voxels = splat(seen(points, cameras), 8)
    assert float(voxels.detach().sum()) == pytest.approx(1)
    (voxels * torch.arange(8)[:, None]).sum().backward()
    assert points.grad is not None
    moved = points.grad[0].abs().sum(1)
    assert moved.isfinite().all()
    assert moved[0] == moved[2] == 0
    assert moved[1] > 0


def test_length_of_a_quaternion_does_not_count() -> None:
    points, rotation = cloud()
    one = seen(points, Cameras.looking(rotation, 1.875, 2.0))
    other = seen(points, Cameras.looking(7 * unit(-rotation), 1.875, 2.0))
    torch.testing.assert_close(one, other)
