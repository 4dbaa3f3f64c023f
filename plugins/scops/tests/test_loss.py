"""SCOPS's losses on fixed tensors, against formulas written otherwise."""

from __future__ import annotations

import math

import pytest
import torch
from bench_scops.loss import (
    centre_equivariance,
    concentration,
    consistency,
    equivariance,
    inside,
    moments,
    orthonormality,
)

from benchmark.warps.thin_plate import ThinPlateSpline


def random(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(len(shape)))


def variance(image: list[list[float]], floor: float) -> tuple[float, float, float]:
    """Centre in x and the variances in x and y of one map, pixel by pixel."""
    side = len(image)
    places = [(2 * i + 1) / side - 1 for i in range(side)]
    weights = [
        (value + floor, places[j], places[i])
        for i, row in enumerate(image)
        for j, value in enumerate(row)
    ]
    mass = sum(w for w, _, _ in weights)
    x, y = (sum(w * p[axis] for w, *p in weights) / mass for axis in (0, 1))
    found = [
        sum(w * (p[axis] - c) ** 2 for w, *p in weights) / mass for axis, c in ((0, x), (1, y))
    ]
    return x, found[0], found[1]


@pytest.mark.parametrize("floor", [0.0, 1e-3, 0.5])
def test_moments_weigh_each_pixel_and_the_floor(floor: float) -> None:
    maps = random(2, 3, 5, 5)
    found = moments(maps, floor)
    for b in range(2):
        for k in range(3):
            x, along_x, along_y = variance(maps[b, k].tolist(), floor)
            assert float(found.centres[b, k, 0]) == pytest.approx(x, abs=1e-6)
            assert found.variances[b, k].tolist() == pytest.approx([along_x, along_y], rel=1e-5)


def test_moments_leave_out_what_is_beyond_the_picture() -> None:
    draw = torch.Generator().manual_seed(0)
    maps = torch.rand(2, 3, 8, 8, generator=draw)
    counted = (torch.rand(2, 1, 8, 8, generator=draw) > 0.5).float()
    elsewhere = torch.where(counted > 0, maps, torch.rand(2, 3, 8, 8, generator=draw))
    for one, other in zip(
        moments(maps, 0.001, counted), moments(elsewhere, 0.001, counted), strict=True
    ):
        torch.testing.assert_close(one, other)
    for one, other in zip(
        moments(maps, 0.001, counted), moments(maps * counted, 0.001), strict=True
    ):
        torch.testing.assert_close(one, other)
    assert not torch.allclose(moments(maps, 0.001)[0], moments(elsewhere, 0.001)[0])


def test_concentration_divides_by_the_batch_once_or_twice() -> None:
    variances = random(6, 4, 2)
    total = sum(sum(sum(part) for part in image) for image in variances.tolist())
    assert float(concentration(variances, "once")) == pytest.approx(total / 6, rel=1e-5)
    assert float(concentration(variances, "twice")) == pytest.approx(total / 36, rel=1e-5)


def test_equivariance_is_a_divergence_by_elements_or_by_pixels() -> None:
    wanted, found = random(2, 3, 4, 4) * 3, random(2, 3, 4, 4).flip(0) * 2
    total = 0.0
    for b in range(2):
        for i in range(4):
            for j in range(4):
                p, q = (
                    [math.exp(v) for v in logits[b, :, i, j].tolist()] for logits in (wanted, found)
                )
                p, q = ([v / sum(x) for v in x] for x in (p, q))
                total += sum(a * math.log(a / c) for a, c in zip(p, q, strict=True))
    pixels = total / (2 * 16)
    assert float(equivariance(wanted, found, "pixels", None)) == pytest.approx(pixels, rel=1e-5)
    by_torch = torch.nn.functional.kl_div(
        found.log_softmax(1), wanted.softmax(1), reduction="none"
    ).mean()
    found_mean = equivariance(wanted, found, "elements", None)
    assert float(found_mean) == pytest.approx(pixels / 3, rel=1e-5)
    assert float(found_mean) == pytest.approx(float(by_torch), rel=1e-5)


def test_equivariance_asks_nothing_of_what_is_wanted_nor_where_nothing_counts() -> None:
    wanted, found = (random(1, 2, 2, 2) * s for s in (1, 4))
    wanted.requires_grad_()
    found.requires_grad_()
    counted = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    equivariance(wanted, found, "pixels", counted).backward()
    assert wanted.grad is None
    assert found.grad is not None
    assert bool((found.grad[..., 0, 0] != 0).all())
    assert float(found.grad.abs().sum()) == pytest.approx(float(found.grad[..., 0, 0].abs().sum()))


def test_logits_warped_with_zeros_are_uniform_outside_which_may_be_left_out() -> None:
    warp = ThinPlateSpline.similarity([[1.0, 0.0]], [1.0], [0.0])  # half of the picture leaves
    logits = random(1, 3, 8, 8) * 5
    moved, counted = warp.warp(logits).softmax(1), inside(warp, 8)
    torch.testing.assert_close(moved[..., 5:], torch.full((1, 3, 8, 3), 1 / 3))
    assert counted[0, 0, :, :4].eq(1).all()
    assert counted[0, 0, :, 5:].eq(0).all()


def test_consistency_is_what_parts_leave_unexplained() -> None:
    parts, basis, features = random(2, 3, 4, 4), random(3, 5), random(2, 5, 4, 4)
    left = [
        float(features[b, c, i, j])
        - sum(float(parts[b, k, i, j]) * float(basis[k, c]) for k in range(3))
        for b in range(2)
        for c in range(5)
        for i in range(4)
        for j in range(4)
    ]
    mean = sum(x**2 for x in left) / len(left)
    assert float(consistency(parts, basis, features, "elements")) == pytest.approx(mean, rel=1e-4)
    assert float(consistency(parts, basis, features, "pixels")) == pytest.approx(5 * mean, rel=1e-4)


def test_orthonormality_counts_cosines_of_each_pair_twice() -> None:
    basis = random(3, 6) * 4
    rows = basis.tolist()
    cosines = [
        sum(a * b for a, b in zip(rows[k], rows[m], strict=True))
        / (math.hypot(*rows[k]) * math.hypot(*rows[m]))
        for k in range(3)
        for m in range(k)
    ]
    expected = 2 * sum(c**2 for c in cosines)
    assert float(orthonormality(basis)) == pytest.approx(expected, rel=1e-4)
    assert float(orthonormality(torch.eye(3, 6))) == pytest.approx(0.0, abs=1e-9)
    # a row of zeros is as far from length 1 as can be
    assert float(orthonormality(torch.zeros(2, 4))) == pytest.approx(2.0)


def test_centres_pull_on_both_sides() -> None:
    wanted, found = (random(2, 3, 2) + s for s in (0, 1))
    wanted.requires_grad_()
    found.requires_grad_()
    loss = centre_equivariance(wanted, found)
    assert float(loss.detach()) == pytest.approx(1.0)
    loss.backward()
    assert wanted.grad is not None
    torch.testing.assert_close(wanted.grad, -found.grad)
