from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.pose import (
    align_poses,
    conjugate,
    mean_rotation,
    multiply,
    pose_accuracy,
    rotate,
    rotation_error_degrees,
    unit,
    upper_median,
)

seeds = st.integers(0, 2**32 - 1)


def quaternions(seed, count=9):
    return np.random.default_rng(seed).normal(size=(count, 4))


def scipy(q):
    return Rotation.from_quat(np.roll(q, -1, axis=-1))


def assert_same_rotation(actual, expected, atol=1e-9):
    sign = np.sign((actual * expected).sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(actual * sign, expected, atol=atol)


def test_pose_scores_equal_the_reference(golden):
    item = golden("pose_accuracy")
    aligned = align_poses(item["in_prediction_wxyz"], item["in_reference_rotation_wxyz"])
    assert_same_rotation(aligned, item["out_aligned_prediction_wxyz"])
    errors = rotation_error_degrees(aligned, item["in_gt_wxyz"])
    np.testing.assert_allclose(errors, item["out_angle_error_degrees"], atol=3e-6)
    assert pose_accuracy(errors) == item["out_accuracy_30"]
    assert upper_median(errors) == pytest.approx(item["out_median_degrees"], abs=1e-6)


def test_means_equal_the_reference(golden):
    item = golden("alignment")
    mean = mean_rotation(item["in_quaternions_wxyz"])
    np.testing.assert_allclose(mean, item["out_markley_average_wxyz"], atol=1e-9)
    pred, target = item["in_prediction_wxyz"], item["in_gt_wxyz"]
    recovered = mean_rotation(multiply(conjugate(unit(target)), unit(pred)))
    np.testing.assert_allclose(recovered, item["out_recovered_rotation_wxyz"], atol=1e-9)
    before = rotation_error_degrees(pred, target).mean()
    assert before == pytest.approx(item["out_mean_angle_error_before_degrees"], rel=1e-6)
    assert rotation_error_degrees(align_poses(pred, recovered), target).max() < 1e-5


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_errors_are_the_angles_scipy_gives(seed):
    pred, target = quaternions(seed), quaternions(seed + 1)
    expected = np.degrees((scipy(target).inv() * scipy(pred)).magnitude())
    np.testing.assert_allclose(rotation_error_degrees(pred, target), expected, atol=1e-9)


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_errors_keep_under_sign_length_order_and_common_rotation(seed):
    pred, target, extra = quaternions(seed), quaternions(seed + 1), quaternions(seed + 2, 2)
    errors = rotation_error_degrees(pred, target)
    assert ((errors >= 0) & (errors <= 180)).all()
    np.testing.assert_allclose(rotation_error_degrees(-3 * pred, target), errors, atol=1e-9)
    np.testing.assert_allclose(rotation_error_degrees(target, pred), errors, atol=1e-9)
    for moved in (
        (multiply(extra[:1], q) for q in (pred, target)),
        (multiply(q, extra[1:]) for q in (pred, target)),
    ):
        np.testing.assert_allclose(rotation_error_degrees(*moved), errors, atol=1e-9)
    assert (rotation_error_degrees(pred, 7 * pred) < 1e-6).all()


@settings(deadline=None, max_examples=25)
@given(seeds, st.floats(1e-9, 180))
def test_a_constructed_angle_is_found_also_when_tiny(seed, angle):
    rng = np.random.default_rng(seed)
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    half = np.radians(angle) / 2
    step = np.r_[np.cos(half), np.sin(half) * axis][None]
    target = unit(quaternions(seed, 1))
    found = rotation_error_degrees(multiply(target, step), target)[0]
    assert found == pytest.approx(angle, rel=1e-6, abs=1e-13)


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_rotate_turns_points_as_scipy_does_and_composes(seed):
    first, second = quaternions(seed, 2)
    points = np.random.default_rng(seed).normal(size=(6, 3))
    np.testing.assert_allclose(rotate(first, points), scipy(first).apply(points), atol=1e-12)
    np.testing.assert_allclose(
        rotate(multiply(first, second), points), rotate(first, rotate(second, points)), atol=1e-12
    )


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_the_mean_follows_rotation_and_ignores_sign_and_order(seed):
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=(1, 4))
    near = multiply(centre, np.r_[1, 0, 0, 0] + rng.normal(0, 0.2, (8, 4)))
    mean = mean_rotation(near)
    assert mean[0] >= 0
    assert np.linalg.norm(mean) == pytest.approx(1)
    signs = rng.choice([-1.0, 1.0], (8, 1))
    assert_same_rotation(mean_rotation((near * signs)[rng.permutation(8)]), mean)
    turn = unit(rng.normal(size=(1, 4)))
    assert_same_rotation(mean_rotation(multiply(turn, near)), multiply(turn, mean[None])[0])
    np.testing.assert_allclose(scipy(mean).as_matrix(), scipy(near).mean().as_matrix(), atol=1e-9)


def test_a_global_rotation_is_recovered():
    target, turn = unit(quaternions(0, 20)), unit(quaternions(1, 1))
    pred = multiply(target, turn)
    reference = mean_rotation(multiply(conjugate(target), pred))
    errors = rotation_error_degrees(align_poses(pred, reference), target)
    assert errors.max() < 1e-5
    assert pose_accuracy(errors) == 1.0


def test_thirty_degrees_is_not_below_thirty():
    assert pose_accuracy([30.0]) == 0.0
    assert pose_accuracy([30.0], threshold=30.1) == 1.0
    assert upper_median([5.0]) == 5.0
    assert upper_median([2.0, 1.0]) == 2.0


def test_tensors_equal_arrays():
    pred, target = quaternions(0), quaternions(1)
    np.testing.assert_array_equal(
        rotation_error_degrees(torch.tensor(pred), torch.tensor(target)),
        rotation_error_degrees(pred, target),
    )


def test_bad_input_is_refused():
    good = quaternions(0)
    zero = good.copy()
    zero[3] = 0
    with pytest.raises(InvalidInput, match="length zero at index 3"):
        rotation_error_degrees(zero, good)
    with pytest.raises(InvalidInput, match=r"pred: expected shape \(N, 4\), got \(9, 3\)"):
        rotation_error_degrees(good[:, :3], good)
    with pytest.raises(InvalidInput, match=r"target: .*N is 9 in pred, 1 here"):
        rotation_error_degrees(good, good[:1])
    with pytest.raises(InvalidInput, match="no single mean"):
        mean_rotation([[1, 0, 0, 0], [0, 1, 0, 0]])
    with pytest.raises(InvalidInput, match=r"errors: .*empty"):
        upper_median([])
    with pytest.raises(InvalidInput, match=r"errors: .*1 NaN"):
        pose_accuracy([1.0, np.nan])
