"""LMDIS's losses on fixed tensors, against formulas written otherwise."""

from __future__ import annotations

import math

import pytest
import torch
from bench_lmdis.loss import concentration, equivariance, reconstruction, separation
from bench_lmdis.points import drawn, inside, spots

from benchmark.warps.thin_plate import ThinPlateSpline


def random(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(len(shape)))


def test_spots_are_weighted_moments_of_cells_that_tile_the_side() -> None:
    maps = random(2, 3, 5, 4)
    found = spots(maps)
    for b in range(2):
        for k in range(3):
            weights = [
                (float(maps[b, k, i, j]), (j + 0.5) / 4, (i + 0.5) / 5)
                for i in range(5)
                for j in range(4)
            ]
            mass = sum(w for w, _, _ in weights)
            for axis in (0, 1):
                mean = sum(w * p[axis] for w, *p in weights) / mass
                variance = sum(w * (p[axis] - mean) ** 2 for w, *p in weights) / mass
                assert float(found.points[b, k, axis]) == pytest.approx(mean, abs=1e-6)
                assert float(found.spread[b, k, axis]) == pytest.approx(math.sqrt(variance), 1e-5)


def test_a_single_cell_has_no_spread_and_finite_slopes() -> None:
    maps = torch.zeros(1, 1, 4, 4)
    maps[0, 0, 2, 1] = 1.0
    maps.requires_grad_()
    found = spots(maps)
    assert found.spread.tolist() == [[[0.0, 0.0]]]
    (slopes,) = torch.autograd.grad(found.spread.sum() + found.points.sum(), maps)
    assert torch.isfinite(slopes).all()


def test_concentration_is_e_to_the_entropy_of_a_round_gaussian() -> None:
    spread = random(3, 4, 2)
    gaussian = [
        [torch.distributions.Normal(0.0, float(s.mean())).entropy() * 2 for s in image]
        for image in spread
    ]
    expected = sum(math.exp(entropy) for image in gaussian for entropy in image) / 3
    assert float(concentration(spread)) == pytest.approx(expected, rel=1e-5)


def test_separation_counts_each_pair_twice_and_none_with_itself() -> None:
    points = random(3, 4, 2)
    expected = 0.0
    for image in points.tolist():
        for k, one in enumerate(image):
            expected += sum(
                math.exp(-(math.dist(one, other) ** 2) / (2 * 0.3**2))
                for m, other in enumerate(image)
                if m != k
            )
    assert float(separation(points, 0.3)) == pytest.approx(expected / 3, rel=1e-5)
    assert float(separation(points[:, :1], 0.3)) == 0.0


def test_points_that_follow_the_warp_cost_nothing() -> None:
    warp = ThinPlateSpline.similarity([[0.1, -0.2], [0.0, 0.1]], [1.2, 0.9], [15.0, -30.0])
    points = 0.3 + 0.4 * random(2, 5, 2).double()
    landed = warp.points_forward(points * 24 - 0.5, 24, 24)
    warped = (landed.points + 0.5) / 24
    assert float(equivariance(points, warped, warp, 24)) == pytest.approx(0.0, abs=1e-12)


def test_equivariance_is_a_square_distance_in_half_sides() -> None:
    points = torch.tensor([[[0.5, 0.5], [0.2, 0.4]]])
    warped = points + torch.tensor([0.25, 0.0])
    found = equivariance(points, warped, ThinPlateSpline.identity(), 16)
    assert float(found) == pytest.approx(2 * 0.5**2, rel=1e-6)


def test_equivariance_moves_points_and_warped_points() -> None:
    points, warped = (random(1, 2, 2).requires_grad_() for _ in range(2))
    warp = ThinPlateSpline.similarity([[0.2, 0.0]], [1.1], [10.0])
    equivariance(points, warped, warp, 16).backward()
    assert all(p.grad is not None and bool((p.grad != 0).all()) for p in (points, warped))


def test_reconstruction_is_a_gaussians_negative_logarithm_without_its_constant() -> None:
    rendered, images = random(2, 3, 4, 4), random(2, 3, 4, 4) * 0.5
    normal = torch.distributions.Normal(images, 1.0)
    constant = 0.5 * math.log(2 * math.pi) * 3 * 16
    expected = -normal.log_prob(rendered).sum((1, 2, 3)).mean() - constant
    assert float(reconstruction(rendered, images)) == pytest.approx(float(expected), rel=1e-4)


def test_pixels_belong_to_points_by_their_density_and_else_to_the_background() -> None:
    points = torch.tensor([[[0.25, 0.5], [0.75, 0.5]]])
    found = drawn(points, 4, 0.2)
    assert found.shape == (1, 3, 4, 4)
    torch.testing.assert_close(found.sum(1), torch.ones(1, 4, 4))
    x, y = 0.375, 0.625  # the pixel of row 2 and column 1
    claims = [1.0] + [
        math.exp(-((x - px) ** 2 + (y - 0.5) ** 2) / (2 * 0.04)) / (2 * math.pi * 0.04)
        for px in (0.25, 0.75)
    ]
    expected = torch.tensor(claims) / sum(claims)
    torch.testing.assert_close(found[0, :, 2, 1], expected)


@pytest.mark.parametrize(
    "scale, wanted", [(0, 0.10), (1, 0.026), (2, 0.0064), (3, 0.0016), (4, 0.0004)]
)
def test_released_claims_are_weak_beside_the_background(scale: int, wanted: float) -> None:
    """exp(·) / (2π σ⁴ h w) / (h w) against 1 / (h w), at the peak."""
    side, sigma = 80, 2 ** (scale / 2) / 8
    middle = torch.full((1, 1, 2), 40.5 / 80)
    background, point = drawn(middle, side, sigma, "released")[0, :, 40, 40].tolist()
    ratio = 1 / (2 * math.pi * sigma**4 * side**2) / side**2 * side**2
    assert point / background == pytest.approx(ratio, rel=1e-4)
    assert point / background == pytest.approx(wanted, rel=0.05)


def test_the_middle_square_has_its_own_sides() -> None:
    corner = torch.tensor([8 / 96, 88 / 96])
    torch.testing.assert_close(inside(corner, 96, 80), torch.tensor([0.0, 1.0]))
