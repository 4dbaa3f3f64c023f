from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.alignment import (
    candidate,
    iterative_closest_point,
    reference_rotation,
    rigid_fit,
)
from benchmark.metrics.points import chamfer
from benchmark.metrics.pose import (
    align_poses,
    conjugate,
    mean_rotation,
    multiply,
    rotate,
    rotation_error_degrees,
    select_for_alignment,
    unit,
)

seeds = st.integers(0, 2**32 - 1)
ICP = {"reach": 0.2, "iterations": 30, "tolerance": 1e-6}


def shape(seed, points=400):
    """A lopsided body: three boxes of different sizes, no symmetry."""
    random = np.random.default_rng(seed)
    boxes = np.array([[0.4, 0.15, 0.2], [0.15, 0.2, 0.1], [0.1, 0.1, 0.3]])
    centres = np.array([[0, 0, 0], [0.25, 0.2, 0], [-0.2, 0, 0.25]])
    which = random.integers(0, 3, points)
    return random.uniform(-0.5, 0.5, (points, 3)) * boxes[which] + centres[which]


def turn(seed, degrees):
    axis = np.random.default_rng(seed).normal(size=3)
    half = np.radians(degrees) / 2
    return np.concatenate([[np.cos(half)], np.sin(half) * axis / np.linalg.norm(axis)])


def angle(first, second):
    return rotation_error_degrees(np.atleast_2d(first), np.atleast_2d(second))[0]


def anywhere(seed, count=None):
    q = unit(np.random.default_rng(seed).normal(size=(count or 1, 4)))
    return q if count else q[0]


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_a_rigid_fit_undoes_a_known_motion_and_is_scipys_on_noise(seed):
    random, q = np.random.default_rng(seed), anywhere(seed + 1)
    points, away = shape(seed, 30), random.normal(size=3)
    rotation, translation = rigid_fit(points, rotate(q, points) + away)
    assert angle(rotation, q) < 1e-6
    np.testing.assert_allclose(translation, away, atol=1e-9)
    noisy = rotate(q, points) + away + random.normal(scale=0.05, size=points.shape)
    rotation, _ = rigid_fit(points, noisy)
    scipys, _ = Rotation.align_vectors(noisy - noisy.mean(0), points - points.mean(0))
    assert angle(rotation, np.roll(scipys.as_quat(), 1)) < 1e-5


def test_a_mirror_image_is_never_matched_by_a_reflection():
    points = shape(0)
    rotation, translation = rigid_fit(points, points * [-1, 1, 1])
    left = np.linalg.norm(rotate(rotation, points) + translation - points * [-1, 1, 1], axis=1)
    assert left.max() > 0.05


@settings(deadline=None, max_examples=15)
@given(seeds, st.floats(0, 12))
def test_icp_finds_a_small_rotation_on_the_same_points(seed, degrees):
    cloud, small = shape(seed), turn(seed, degrees)
    found = iterative_closest_point(rotate(small, cloud), cloud, [1, 0, 0, 0], **ICP)
    assert angle(multiply(found.rotation, small), [1, 0, 0, 0]) < 0.5
    assert found.error < 0.01
    assert found.fraction == 1
    assert found.iterations <= 30


def test_icp_brings_two_samples_of_one_surface_nearer():
    cloud, other = shape(1, 2000), shape(2, 2000)
    start = multiply(turn(3, 10), anywhere(4))
    source = rotate(conjugate(anywhere(4)), other)
    found = iterative_closest_point(source, cloud, start, **ICP)
    assert angle(start, anywhere(4)) == pytest.approx(10)
    assert angle(found.rotation, anywhere(4)) < 2


@settings(deadline=None, max_examples=15)
@given(seeds)
def test_icp_in_turned_frames_is_the_same_turned(seed):
    cloud, source = shape(seed), rotate(turn(seed, 8), shape(seed + 1))
    plain = iterative_closest_point(source, cloud, [1, 0, 0, 0], **ICP)
    mine, theirs = anywhere(seed + 2), anywhere(seed + 3)
    turned = iterative_closest_point(
        rotate(mine, source), rotate(theirs, cloud), multiply(theirs, conjugate(mine)), **ICP
    )
    assert turned.error == pytest.approx(plain.error, abs=1e-7)
    expected = multiply(multiply(theirs, plain.rotation), conjugate(mine))
    assert angle(turned.rotation, expected) < 1e-4


def test_icp_stops_as_asked_and_says_how_far_it_got():
    cloud = shape(0)
    source = rotate(turn(0, 15), cloud)
    none, few, many = (
        iterative_closest_point(source, cloud, [1, 0, 0, 0], **{**ICP, "iterations": n})
        for n in (0, 3, 30)
    )
    assert (none.iterations, few.iterations) == (0, 3)
    assert angle(none.rotation, [1, 0, 0, 0]) == 0
    assert none.error > few.error > many.error
    loose = iterative_closest_point(source, cloud, [1, 0, 0, 0], **{**ICP, "tolerance": 10.0})
    assert loose.iterations == 1


def test_clouds_that_nowhere_meet_are_no_match_and_not_the_best_one():
    cloud = shape(0)
    found = iterative_closest_point(cloud + 5, cloud, [1, 0, 0, 0], **ICP)
    assert found.error == np.inf
    assert found.fraction == 0
    assert found.iterations == 0


def test_clouds_that_nowhere_meet_are_the_best_one_where_the_published_numbers_are_asked_for():
    cloud, start = shape(0), anywhere(1)
    unmet = iterative_closest_point(cloud + 5, cloud, start, **ICP, unmet="best")
    assert (unmet.error, unmet.fraction, unmet.iterations) == (0, 0, 0)
    assert angle(unmet.rotation, start) < 1e-6
    met = [
        iterative_closest_point(rotate(turn(i, 5), cloud), cloud, [1, 0, 0, 0], **ICP, unmet=rule)
        for i, rule in enumerate(("dropped", "best"))
    ]
    assert all(0 < m.error < 0.1 for m in met)
    rotations = [[m.rotation] for m in met] + [[unmet.rotation]]
    taken = reference_rotation(rotations, [[met[0].error], [met[1].error], [0.0]], 1, 1)
    left = reference_rotation(rotations, [[met[0].error], [met[1].error], [np.inf]], 1, 1)
    assert angle(taken, start) < 1e-6
    assert angle(left, start) > 10
    with pytest.raises(InvalidInput, match="no 'open3d'"):
        iterative_closest_point(cloud, cloud, start, **ICP, unmet="open3d")


@pytest.mark.parametrize("which", ["source", "target"])
@pytest.mark.parametrize(
    "cloud, said",
    [
        (np.zeros((9, 3)), "one line or in one place"),
        (np.outer(np.arange(9.0), [1, 2, 3]), "one line or in one place"),
        (np.eye(3)[:2], "one line or in one place"),
        (np.full((9, 3), np.nan), "NaN"),
        (np.zeros((0, 3)), "empty"),
        (np.zeros((9, 2)), "shape"),
    ],
)
def test_clouds_that_fix_no_rotation_are_refused(which, cloud, said):
    clouds = {"source": shape(0), "target": shape(1)} | {which: cloud}
    with pytest.raises(InvalidInput, match=said) as caught:
        iterative_closest_point(**clouds, start=[1, 0, 0, 0], **ICP)
    assert which in str(caught.value)


def test_a_cloud_that_is_one_point_but_for_rounding_fixes_no_rotation():
    noise = np.random.default_rng(0).uniform(-1, 1, (50, 3)) * 2.0**-25
    collapsed = (np.array([0.3, 0.4, -0.4]) + noise).astype(np.float32)
    assert np.ptp(collapsed) > 0
    for clouds in ((collapsed, shape(1)), (shape(1), collapsed)):
        with pytest.raises(InvalidInput, match="one line or in one place"):
            iterative_closest_point(*clouds, start=[1, 0, 0, 0], **ICP)


def test_a_flat_cloud_is_enough():
    flat = shape(0) * [1, 1, 0]
    found = iterative_closest_point(rotate(turn(0, 5), flat), flat, [1, 0, 0, 0], **ICP)
    assert angle(multiply(found.rotation, turn(0, 5)), [1, 0, 0, 0]) < 0.5


def test_points_on_a_line_leave_a_rigid_fit_open():
    line = np.outer(np.arange(5.0), [1, 2, 3])
    with pytest.raises(InvalidInput, match="leave the rotation open"):
        rigid_fit(line, line)


def test_alignment_of_the_reference(golden):
    item = golden("alignment")
    pred, target = item["in_prediction_wxyz"], item["in_gt_wxyz"]
    recovered = mean_rotation(candidate(pred, target))
    np.testing.assert_allclose(recovered, item["out_recovered_rotation_wxyz"], atol=1e-9)
    assert angle(recovered, item["in_true_global_rotation_wxyz"]) < 1e-5
    moved = rotate(recovered, item["in_predicted_cloud"])
    assert chamfer(moved, item["in_shape"]).distance < 1e-9
    before = chamfer(item["in_predicted_cloud"], item["in_shape"]).distance
    assert before == pytest.approx(item["out_chamfer_before"], rel=1e-9)


def test_the_views_chosen_by_the_reference(golden):
    item = golden("alignment")
    rotations, errors = item["in_selection_rotations_wxyz"], item["in_selection_rmse"]
    models, views = select_for_alignment(errors, 15, 2)
    assert models.tolist() == item["out_selection_models"].tolist()
    assert views.tolist() == item["out_selection_views"].tolist()
    # the reference drops the rotations that its formula could not give; ours gives all, so here they
    # are left out by hand
    picked = rotations[models[:, None], views].reshape(-1, 4)
    whole = picked[~np.isnan(picked).any(1)]
    assert len(whole) == item["out_selection_used"]
    np.testing.assert_allclose(mean_rotation(whole), item["out_selection_average_wxyz"], atol=1e-7)
    filled = np.where(np.isnan(rotations), item["out_selection_average_wxyz"], rotations)
    ours = reference_rotation(filled, errors, 15, 2)
    assert angle(ours, item["out_selection_average_wxyz"]) < 1


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_a_common_rotation_is_recovered_and_leaves_no_error(seed):
    common, target = anywhere(seed), anywhere(seed + 1, 20)
    pred = multiply(target, common)  # q_pred p_pred = q_true p_true where p_true = common p_pred
    found = reference_rotation(candidate(pred, target).reshape(4, 5, 4), np.ones((4, 5)), 3, 2)
    assert angle(found, common) < 1e-5
    assert rotation_error_degrees(align_poses(pred, found), target).max() < 1e-5
    cloud = shape(seed, 50)
    back = rotate(found, rotate(conjugate(common), cloud))
    np.testing.assert_allclose(back, cloud, atol=1e-9)


def test_ties_keep_the_order_of_models_and_views():
    a, b, c = turn(0, 10), turn(0, 40), turn(0, 90)
    rotations = [[a, b], [b, c], [c, c]]
    assert angle(reference_rotation(rotations, np.ones((3, 2)), 1, 1), a) < 1e-6
    assert angle(reference_rotation(rotations, [[2, 1], [1, 1], [1, 1]], 1, 1), b) < 1e-6


def test_what_is_no_candidate_is_never_averaged():
    good, bad = turn(0, 10), turn(5, 170)
    rotations = [[good, bad], [bad, bad], [good, good]]
    errors = [[0.5, np.inf], [np.inf, np.inf], [0.1, 0.2]]
    assert angle(reference_rotation(rotations, errors, 2, 1), good) < 1e-6
    assert angle(reference_rotation(rotations, errors, 1, 2), good) < 1e-6
    with pytest.raises(InvalidInput, match="1 of 3 models have 2 candidates, 2 are needed"):
        reference_rotation(rotations, errors, 2, 2)
    with pytest.raises(InvalidInput, match="NaN"):
        reference_rotation(rotations, np.full((3, 2), np.nan), 2, 1)
    with pytest.raises(InvalidInput, match="rotations"):
        reference_rotation(rotations[:2], errors, 2, 1)


def test_consensus_leaves_out_a_second_heap_of_candidates():
    """Eleven candidates near one frame, nine a quarter turn away: the mean is neither."""
    common, round_ = anywhere(3), np.sqrt([0.5, 0, 0.5, 0])
    near = np.stack([multiply(common, turn(i % 3, 4)) for i in range(20)])
    near[11:] = multiply(near[11:], np.broadcast_to(round_, (9, 4)))
    rotations, errors = near.reshape(4, 5, 4), np.full((4, 5), 0.1)
    mean = reference_rotation(rotations, errors, 4, 5)
    found = reference_rotation(rotations, errors, 4, 5, 30.0)
    assert angle(mean, common) > 10
    assert angle(found, common) < 4
    np.testing.assert_allclose(found, mean_rotation(near[:11]), atol=1e-12)
    # all agree within half a turn: nothing is left out
    np.testing.assert_allclose(reference_rotation(rotations, errors, 4, 5, 180.0), mean, atol=1e-12)
