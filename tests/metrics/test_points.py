from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.points import chamfer, nearest_distances
from benchmark.metrics.pose import rotate

seeds = st.integers(0, 2**32 - 1)


def cloud(seed, points=50):
    return np.random.default_rng(seed).normal(size=(points, 3))


def test_chamfer_equals_the_reference(golden):
    item = golden("chamfer")
    scores = []
    for i in range(2):
        pred, target = item[f"in_prediction_{i}"], item[f"in_target_{i}"]
        score = chamfer(pred, target)
        assert score.precision == pytest.approx(item[f"out_precision_{i}"], rel=1e-9)
        assert score.coverage == pytest.approx(item[f"out_coverage_{i}"], rel=1e-9)
        assert score.distance == pytest.approx(item[f"out_chamfer_{i}"], rel=1e-9)
        squared = sum(
            1000 * (nearest_distances(a, b) ** 2).mean()
            for a, b in [(pred, target), (target, pred)]
        )
        assert squared == pytest.approx(item[f"out_squared_chamfer_x1000_{i}"], rel=1e-9)
        scores.append(score)
    precision, coverage = np.mean(scores, axis=0)
    assert precision == pytest.approx(item["out_precision_mean"], rel=1e-9)
    assert coverage == pytest.approx(item["out_coverage_mean"], rel=1e-9)


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_nearest_distances_are_those_of_all_pairs(seed):
    points, other = cloud(seed), cloud(seed + 1, 33)
    pairs = np.linalg.norm(points[:, None] - other, axis=2)
    np.testing.assert_allclose(nearest_distances(points, other), pairs.min(axis=1), rtol=1e-12)


def test_a_cloud_on_itself_is_at_zero_and_a_shift_moves_by_its_length():
    grid = np.stack(np.meshgrid(*[np.arange(5.0)] * 3), axis=-1).reshape(-1, 3)
    assert chamfer(grid, grid) == (0.0, 0.0)
    score = chamfer(grid, grid + [0.3, 0, 0])
    assert score == pytest.approx((30.0, 30.0))
    assert score.distance == pytest.approx(60.0)


@settings(deadline=None, max_examples=25)
@given(seeds, st.floats(0.01, 100))
def test_chamfer_under_swap_order_rotation_and_scale(seed, factor):
    pred, target = cloud(seed), cloud(seed + 1, 33)
    precision, coverage = chamfer(pred, target)
    assert chamfer(target, pred) == (coverage, precision)
    rng = np.random.default_rng(seed)
    assert chamfer(rng.permutation(pred), rng.permutation(target)) == pytest.approx(
        (precision, coverage)
    )
    turn = rng.normal(size=4)
    moved = chamfer(*(factor * rotate(turn, c) + 3 for c in (pred, target)))
    assert moved == pytest.approx((factor * precision, factor * coverage), rel=1e-9)


def test_a_far_offset_costs_no_digits():
    pred, target = cloud(0), cloud(1)
    offset = 2.0**30
    there = chamfer(pred * 2**10 // 1 + offset, target * 2**10 // 1 + offset)
    assert there == chamfer(pred * 2**10 // 1, target * 2**10 // 1)


def test_more_points_can_only_come_nearer():
    points, other = cloud(0), cloud(1, 33)
    more = np.concatenate([other, cloud(2)])
    assert (nearest_distances(points, more) <= nearest_distances(points, other)).all()


def test_tensors_equal_arrays():
    pred, target = cloud(0).astype(np.float32), cloud(1).astype(np.float32)
    assert chamfer(torch.tensor(pred), torch.tensor(target)) == chamfer(pred, target)


@pytest.mark.parametrize(
    "pred, target, message",
    [
        (np.zeros((4, 2)), np.zeros((4, 3)), r"pred: expected shape \(P, 3\), got \(4, 2\)"),
        (np.zeros((4, 3)), np.zeros((0, 3)), "target: .*empty"),
        (np.full((4, 3), np.nan), np.zeros((4, 3)), "pred: .*12 NaN"),
    ],
)
def test_bad_input_is_refused(pred, target, message):
    with pytest.raises(InvalidInput, match=message):
        chamfer(pred, target)


@pytest.mark.parametrize("size", [1e160, 1e-160])
def test_coordinates_whose_squares_are_infinite_or_zero_are_refused(size):
    for pred, target, name in [
        (cloud(0) * size, cloud(1), "pred"),
        (cloud(0), cloud(1) * size, "target"),
    ]:
        with pytest.raises(InvalidInput, match=rf"{name}: expected numbers that can be squared"):
            chamfer(pred, target)
    assert chamfer(cloud(0) * 0, cloud(1) * 0) == (0, 0)
    near, far = chamfer(cloud(0) * 2.0**-100, cloud(1) * 2.0**-100), chamfer(cloud(0), cloud(1))
    assert near == pytest.approx((far[0] * 2.0**-100, far[1] * 2.0**-100), rel=1e-15)
