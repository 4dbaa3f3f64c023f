"""Warps: the reference's numbers, and points that land where the picture of them lands."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.training.randomness import derived_seed
from benchmark.training.warp import (
    STRENGTHS,
    ThinPlateSpline,
    WarpChain,
    WarpStrength,
    draw_warps,
    warp_generator,
)

PRESETS = sorted(STRENGTHS)


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    folder = os.environ.get("BENCH_GOLDEN", "")
    path = Path(folder) / "tps_warp.npz"
    if not folder or not path.is_file():
        pytest.skip("BENCH_GOLDEN does not name a folder with tps_warp.npz")
    with np.load(path) as arrays:
        return dict(arrays)


def golden_warp(golden: dict[str, np.ndarray], dtype: torch.dtype) -> ThinPlateSpline:
    return ThinPlateSpline(
        torch.from_numpy(golden["in_weights"])[None].to(dtype),
        torch.from_numpy(golden["in_affine"])[None].to(dtype),
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 2e-5)])
def test_the_grid_is_the_references(golden, dtype, tolerance):
    height, width = int(golden["in_height"]), int(golden["in_width"])
    grid = golden_warp(golden, dtype).sampling_grid(height, width)[0]
    row, column = golden["in_positions_row_col"].T
    np.testing.assert_allclose(grid[row, column], golden["out_grid_xy"], rtol=0, atol=tolerance)
    came_from = golden_warp(golden, dtype).points_inverse(
        torch.from_numpy(np.stack([column, row], axis=1)), height, width
    )[0]
    scale = (max(height, width) - 1) / 2
    np.testing.assert_allclose(
        came_from, golden["out_grid_xy_pixels"], rtol=0, atol=tolerance * scale
    )


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-6), (torch.float32, 2e-5)])
def test_the_pixels_are_the_references(golden, align_corners, dtype, tolerance):
    image = torch.from_numpy(golden["in_image"])[None, None].to(dtype)
    warped = golden_warp(golden, dtype).warp(image, align_corners=align_corners)[0, 0]
    row, column = golden["in_positions_row_col"].T
    expected = golden[f"out_grid_sample_align_corners_{str(align_corners).lower()}"]
    np.testing.assert_allclose(warped[row, column], expected, rtol=0, atol=tolerance)


def test_nearest_pixels_are_the_references(golden):
    warp = golden_warp(golden, torch.float64)
    points = torch.from_numpy(golden["in_keypoints_xy"])
    height, width = int(golden["in_height"]), int(golden["in_width"])
    nearest = warp.nearest_pixels(points, height, width)[0]
    np.testing.assert_array_equal(nearest, golden["out_warped_keypoints_xy"])
    exact = warp.points_forward(points, height, width)
    close = (exact.points[0] - nearest).abs().amax(dim=-1)
    assert exact.valid.any()
    assert (close[exact.valid[0]] <= 1.0).all()


def dots(points: torch.Tensor, height: int, width: int, spread: float = 1.3) -> torch.Tensor:
    """(N, P, H, W): one Gaussian dot per channel at (N, P, 2) pixels."""
    y = torch.arange(height, dtype=torch.float64)[:, None]
    x = torch.arange(width, dtype=torch.float64)
    squared = (x - points[..., 0, None, None]) ** 2 + (y - points[..., 1, None, None]) ** 2
    return torch.exp(-squared / (2 * spread**2))


def centroids(images: torch.Tensor) -> torch.Tensor:
    """(N, P, 2) centre of mass of each channel's squares: the bright middle of a dot counts most."""
    images = images.square()
    height, width = images.shape[-2:]
    mass = images.sum(dim=(-1, -2))
    x = (images.sum(dim=-2) * torch.arange(width)).sum(dim=-1) / mass
    y = (images.sum(dim=-1) * torch.arange(height)).sum(dim=-1) / mass
    return torch.stack([x, y], dim=-1)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("align_corners", [True, False])
def test_dots_are_found_where_points_are_said_to_land(preset, align_corners):
    # Bending makes a dot lopsided, which moves its centroid by an amount that shrinks as the image
    # grows around it; the exactness of the points does not depend on the size.
    height, width = 120, 150
    warps = draw_warps(6, warp_generator(3), preset)
    x, y = torch.meshgrid(
        torch.linspace(24, width - 25, 5), torch.linspace(24, height - 25, 4), indexing="xy"
    )
    points = (torch.stack([x, y], dim=-1).reshape(-1, 2)).double()
    landed = warps.points_forward(points, height, width, align_corners)
    images = dots(points.expand(6, -1, -1), height, width)
    warped = warps.warp(images, align_corners=align_corners)
    found = centroids(warped)
    # Near a fold a dot is smeared over many times its area: it has no middle to be found.
    stretch = warped.sum(dim=(-1, -2)) / images.sum(dim=(-1, -2))
    whole = landed.valid & (stretch > 0.5) & (stretch < 2.0)
    assert whole.sum() > 0.8 * landed.valid.sum()
    whole &= (landed.points - 5).amin(-1) > 0
    whole &= (landed.points[..., 0] < width - 6) & (landed.points[..., 1] < height - 6)
    assert whole.sum() > 60, "the test must see most of its 120 dots"
    distance = (found - landed.points).norm(dim=-1)[whole]
    assert distance.max() < 0.3
    assert distance.mean() < 0.06


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**31),
    preset=st.sampled_from(PRESETS),
    height=st.integers(8, 160),
    width=st.integers(8, 160),
    align_corners=st.booleans(),
)
def test_forward_undoes_inverse_to_a_ten_thousandth_of_a_pixel(
    seed, preset, height, width, align_corners
):
    generator = warp_generator(seed)
    warps = draw_warps(3, generator, preset)
    start = torch.from_numpy(generator.uniform(0, 1, (3, 12, 2)) * [width - 1, height - 1])
    source = warps.points_inverse(start, height, width, align_corners)
    landed = warps.points_forward(source, height, width, align_corners)
    # where a warp folds, a point has several true places, and any of them will do
    again = warps.points_inverse(landed.points, height, width, align_corners)
    assert ((again - source).norm(dim=-1)[landed.valid] < 1e-4).all()


@pytest.mark.parametrize("preset", sorted(STRENGTHS))
def test_these_strengths_hardly_ever_fold(preset):
    generator = warp_generator(0)
    warps = draw_warps(60, generator, preset)
    start = torch.from_numpy(generator.uniform(0, 95, (60, 12, 2)))
    landed = warps.points_forward(warps.points_inverse(start, 96, 96), 96, 96)
    same = (landed.points - start).norm(dim=-1) < 1e-4
    assert (same & landed.valid).double().mean() > 0.98


@settings(deadline=None, max_examples=10)
@given(height=st.integers(2, 40), width=st.integers(2, 40), controls=st.sampled_from([0, 1, 10]))
def test_the_identity_changes_nothing(height, width, controls):
    warps = ThinPlateSpline(
        torch.zeros(2, controls**2, 2), ThinPlateSpline.identity(2).affine, "imm"
    )
    images = torch.from_numpy(
        np.random.default_rng(0).uniform(-1, 1, (2, 3, height, width))
    ).float()
    np.testing.assert_allclose(warps.warp(images), images, rtol=0, atol=1e-5)
    corners = torch.tensor([[0, 0], [width - 1, height - 1]])
    landed = warps.points_forward(corners, height, width)
    assert landed.valid.all()
    np.testing.assert_allclose(landed.points[0], corners.double(), rtol=0, atol=1e-9)


def test_a_shift_has_the_numbers_of_the_docstring():
    warp = ThinPlateSpline.similarity([[6 / 63, 0]], [1], [0])
    landed = warp.points_forward(torch.tensor([[10.0, 5.0], [2.0, 5.0]]), 64, 64)
    np.testing.assert_allclose(landed.points[0, 0], [7.0, 5.0], rtol=0, atol=1e-9)
    assert landed.valid.tolist() == [[True, False]]


def test_a_quarter_turn_is_rot90():
    image = torch.arange(25.0).reshape(1, 1, 5, 5)
    warp = ThinPlateSpline.similarity([[0, 0]], [1], [90])
    warped = warp.warp(image)
    # x reads y and y reads -x: reading turns one way, the picture the other.
    np.testing.assert_allclose(warped, torch.rot90(image, -1, dims=(2, 3)), rtol=0, atol=1e-4)
    landed = warp.points_forward(torch.tensor([[4.0, 0.0]]), 5, 5).points[0, 0]
    assert warped[0, 0, round(float(landed[1])), round(float(landed[0]))] == pytest.approx(
        float(image[0, 0, 0, 4]), abs=1e-4
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_a_batch_is_each_alone(preset):
    warps = draw_warps(4, warp_generator(1), preset)
    images = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, (4, 3, 32, 40))).float()
    points = torch.tensor([[5.0, 6.0], [30.0, 20.0]])
    together, landed = warps.warp(images), warps.points_forward(points, 32, 40)
    for i in range(4):
        alone = warps[i : i + 1]
        np.testing.assert_allclose(together[i], alone.warp(images[i : i + 1])[0], rtol=0, atol=1e-5)
        np.testing.assert_allclose(
            landed.points[i], alone.points_forward(points, 32, 40).points[0], rtol=0, atol=1e-8
        )


def test_one_warp_serves_many_images():
    warp = draw_warps(1, warp_generator(2), "dve-second")
    images = torch.rand(3, 1, 20, 20, generator=torch.Generator().manual_seed(0))
    together = warp.warp(images)
    np.testing.assert_allclose(together[2], warp.warp(images[2:])[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("align_corners", [True, False])
def test_a_chain_is_one_warp_after_the_other(align_corners):
    height, width = 48, 64
    generator = warp_generator(5)
    first = draw_warps(3, generator, "dve-first")
    second = draw_warps(3, generator, "dve-second")
    chain = WarpChain(first, second)
    points = torch.tensor([[20.0, 20.0], [40.0, 25.0], [31.5, 30.25]])
    between = first.points_forward(points, height, width, align_corners)
    after = second.points_forward(between.points, height, width, align_corners)
    landed = chain.points_forward(points, height, width, align_corners)
    np.testing.assert_allclose(landed.points, after.points, rtol=0, atol=1e-8)
    back = chain.points_inverse(landed.points, height, width, align_corners)
    np.testing.assert_allclose(back, points.double().expand(3, -1, -1), rtol=0, atol=1e-4)
    # Dots survive both ways of warping at the same place; reading once keeps them sharper.
    images = dots(points.double().expand(3, -1, -1), height, width)
    once = chain.warp(images, align_corners=align_corners)
    twice = second.warp(
        first.warp(images, align_corners=align_corners), align_corners=align_corners
    )
    seen = landed.valid & ((landed.points - 6).amin(-1) > 0)
    seen &= (landed.points[..., 0] < width - 7) & (landed.points[..., 1] < height - 7)
    assert seen.sum() >= 6
    assert (centroids(once) - landed.points).norm(dim=-1)[seen].max() < 0.3
    assert (centroids(twice) - landed.points).norm(dim=-1)[seen].max() < 0.3
    assert once.amax() > twice.amax()


def test_a_folding_warp_marks_points_it_cannot_follow():
    # A strong bend mirrors parts of the image: what lies there has no upright place.
    fold = WarpStrength(0.15, 0.3, 0.0, 0.0, 0.0).draw(4, warp_generator(0))
    points = torch.from_numpy(np.random.default_rng(0).uniform(8, 40, (30, 2)))
    landed = fold.points_forward(points, 48, 48)
    assert 0 < landed.valid.sum() < landed.valid.numel()
    again = fold.points_inverse(landed.points, 48, 48)
    distance = (again - points).norm(dim=-1)
    assert (distance[landed.valid] < 1e-4).all()


def test_gradients_flow_through_the_images():
    warps = draw_warps(2, warp_generator(0), "imm-source")
    images = torch.rand(2, 3, 16, 16, requires_grad=True)
    weight = torch.rand(2, 3, 16, 16)
    (warps.warp(images) * weight).sum().backward()
    assert images.grad is not None
    # Warping is linear in the image: the gradient gives the value back.
    value = (warps.warp(images.detach()) * weight).sum()
    np.testing.assert_allclose((images.grad * images.detach()).sum(), value, rtol=1e-4, atol=1e-4)


def test_half_precision_images_are_warped_at_full_precision():
    warps = draw_warps(2, warp_generator(0), "dve-second")
    images = torch.rand(2, 3, 32, 32).bfloat16()
    warped = warps.warp(images)
    assert warped.dtype == torch.bfloat16
    np.testing.assert_allclose(
        warped.float(), warps.warp(images.float()).bfloat16().float(), rtol=0
    )


def test_draws_are_pinned():
    # These are numbers of PCG64 alone: no version of PyTorch, device or worker may move them.
    warps = draw_warps(2, warp_generator(0), "dve-second")
    pinned = np.random.Generator(np.random.PCG64(derived_seed(0, "warp", 0)))
    expected = pinned.standard_normal((2, 604))
    assert expected[0, :2].tolist() == [3.1254965516290776, 1.1749433019796165]
    kept, some, coin = expected[:, :600].reshape(2, 3, 100, 2).transpose(1, 0, 2, 3)
    weights = np.where(coin > 0, 0.01 * some, 0.001 * kept)
    np.testing.assert_array_equal(warps.weights, weights)
    np.testing.assert_allclose(warps.affine[:, 0], 0.1 * expected[:, 600:602], rtol=1e-15)
    determinant = torch.linalg.det(warps.affine[:, 1:])
    np.testing.assert_allclose(determinant, (1 + 0.1 * expected[:, 602]) ** 2, rtol=1e-12)


def test_a_few_drawn_alone_are_the_first_of_many():
    few = draw_warps(2, warp_generator(9, step=4), "imm-target")
    many = draw_warps(5, warp_generator(9, step=4), "imm-target")
    assert torch.equal(few.weights, many.weights[:2])
    assert torch.equal(few.affine, many.affine[:2])
    other = draw_warps(2, warp_generator(9, step=5), "imm-target")
    assert not torch.equal(few.weights, other.weights)


def test_strengths_are_what_they_say():
    warps = draw_warps(400, warp_generator(0), "dve-second")
    angle = torch.rad2deg(torch.atan2(-warps.affine[:, 1, 1], warps.affine[:, 1, 0]))
    scale = torch.linalg.det(warps.affine[:, 1:]).sqrt()
    assert float(angle.std()) == pytest.approx(5.0, rel=0.15)
    assert float(scale.std()) == pytest.approx(0.1, rel=0.15)
    assert float(warps.affine[:, 0].std()) == pytest.approx(0.1, rel=0.1)
    mixture = np.sqrt((0.001**2 + 0.01**2) / 2)  # replaced in half of the weights
    assert float(warps.weights.std()) == pytest.approx(mixture, rel=0.03)
    added = draw_warps(400, warp_generator(0), "imm-source").weights
    assert float(added.std()) == pytest.approx(np.sqrt(0.001**2 + 0.01**2 / 2), rel=0.03)
    few_labels = draw_warps(400, warp_generator(0), "dve-few-labels").weights
    assert float((few_labels == 0).float().mean()) == pytest.approx(0.5, abs=0.01)


def test_wrong_input_is_refused_with_what_came():
    warps = draw_warps(2, warp_generator(0), "dve-first")
    with pytest.raises(InvalidInput, match="uint8"):
        warps.warp(torch.zeros(2, 3, 8, 8, dtype=torch.uint8))
    with pytest.raises(InvalidInput, match="2 warps do not fit 3 images"):
        warps.warp(torch.zeros(3, 3, 8, 8))
    with pytest.raises(InvalidInput, match="NaN"):
        warps.points_forward(torch.full((1, 2), torch.nan), 8, 8)
    with pytest.raises(InvalidInput, match=r"\(N, P, 2\)"):
        warps.points_inverse(torch.zeros(4, 3), 8, 8)
    with pytest.raises(InvalidInput, match="K a square"):
        ThinPlateSpline(torch.zeros(1, 99, 2), torch.zeros(1, 3, 2))
    with pytest.raises(InvalidInput, match="2 × 2 pixels"):
        warps.sampling_grid(1, 8)
    with pytest.raises(InvalidInput, match="at least one"):
        draw_warps(0, warp_generator(0), "dve-first")
    with pytest.raises(UnknownName, match="dve-frist") as caught:
        draw_warps(1, warp_generator(0), "dve-frist")
    assert "dve-first" in caught.value.cure
