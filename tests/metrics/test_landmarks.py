from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.aggregates import ratio_of_sums, sum_of_means
from benchmark.metrics.landmarks import (
    correct_keypoints,
    inter_ocular_distance,
    joint_errors,
    keypoint_l1_sum,
    keypoint_l1_terms,
    keypoint_l2_sum,
    normalised_mean_error,
    normalised_point_errors,
    visible_distances,
    visible_errors,
)

seeds = st.integers(0, 2**32 - 1)


def faces(seed, images=7, points=5):
    rng = np.random.default_rng(seed)
    target = rng.normal(50, 20, (images, points, 2))
    return target + rng.normal(0, 3, target.shape), target


@pytest.mark.parametrize("name", ["nme_5pt", "nme_68pt"])
def test_nme_equals_the_reference(golden, name):
    item = golden(name)
    pred, target = item["in_prediction"], item["in_target"]
    scale = inter_ocular_distance(target, tuple(item["in_eye_indices"].tolist()))
    errors = normalised_mean_error(pred, target, scale)
    np.testing.assert_allclose(errors, item["out_nme_percent_per_image"], rtol=1e-9)
    assert errors.mean() == pytest.approx(item["out_nme_percent"], rel=1e-9)
    assert np.median(errors) == pytest.approx(item["out_median_percent"], rel=1e-9)
    assert (errors > 10).mean() == pytest.approx(item["out_failure_rate_at_10_percent"], rel=1e-9)
    ratio_of_means = 100 * (errors * scale).mean() / (100 * scale.mean())
    assert ratio_of_means == pytest.approx(item["out_ratio_of_means_percent"], rel=1e-9)


def linear(train_x, train_y, test_x):
    design = np.c_[train_x, np.ones(len(train_x))]
    return np.c_[test_x, np.ones(len(test_x))] @ np.linalg.lstsq(design, train_y, rcond=None)[0]


def regress_visible(train_x, train_y, test_x):
    """One regression per coordinate on the rows that have it, as the Taichi protocol asks."""
    columns = train_y.reshape(len(train_y), -1)
    fits = [linear(train_x[rows := column != -1], column[rows], test_x) for column in columns.T]
    return np.stack(fits, axis=1).reshape(len(test_x), *train_y.shape[1:])


def test_taichi_sums_equal_the_reference(golden):
    item = golden("taichi_mae_synthetic")
    train_x = item["in_train_centres"].reshape(240, -1)
    test_x = item["in_test_centres"].reshape(70, -1)
    target = item["in_test_labels"]
    pred = regress_visible(train_x, item["in_train_labels"], test_x)
    visible = target[..., 0] != -1
    terms = keypoint_l1_terms(pred, target, visible)
    np.testing.assert_allclose(terms, item["out_mae_each"], rtol=1e-7)
    l1 = keypoint_l1_sum(pred, target, visible)
    assert l1.mean() == pytest.approx(item["out_mae_sum"], rel=1e-7)
    l2 = keypoint_l2_sum(pred, target, visible)
    assert l2.mean() == pytest.approx(item["out_l2_sum"], rel=1e-7)


def taichi_labels(data_folder, part):
    with np.load(data_folder / f"taichi_points/landmarks/taichi_{part}_gt.npz") as table:
        return table["value"][np.argsort(table["file_name"])]


def test_taichi_sums_on_the_real_labels(golden, data_folder):
    item = golden("taichi_mae_real_labels")
    train, test = taichi_labels(data_folder, "train"), taichi_labels(data_folder, "test")
    train_x = item["in_train_part_centres_xy"].reshape(5000, -1).astype(np.float64)
    test_x = item["in_test_part_centres_xy"].reshape(300, -1).astype(np.float64)
    pred = regress_visible(train_x, train, test_x)
    visible = test[..., 0] != -1
    terms = keypoint_l1_terms(pred, test, visible)
    np.testing.assert_allclose(terms, item["out_mae_36"], rtol=1e-7)
    assert terms.sum() == pytest.approx(item["out_mae_sum36"], rel=1e-7)
    l2 = keypoint_l2_sum(pred, test, visible)
    assert l2.mean() == pytest.approx(item["out_l2_sum18"], rel=1e-7)

    constant = np.nanmean(np.where(train == -1, np.nan, train), axis=0)
    constant = np.broadcast_to(constant, test.shape)
    floor = keypoint_l1_sum(constant, test, visible).mean()
    assert floor == pytest.approx(item["out_constant_predictor_mae_sum36"], rel=1e-7)
    assert keypoint_l2_sum(constant, test, visible).mean() == pytest.approx(558.6275, abs=5e-5)


def test_linear_fit_on_real_mafl_landmarks_gives_the_known_error(data_folder):
    with np.load(data_folder / "mafl_points/mafl_gt_and_pred10.npz") as table:
        x = {s: table[f"{s}_pred10_px"].reshape(-1, 20).astype(float) for s in ("train", "test")}
        y = {s: table[f"{s}_landmarks"].reshape(-1, 10).astype(float) for s in ("train", "test")}
    target = y["test"].reshape(-1, 5, 2)
    pred = linear(x["train"], y["train"], x["test"]).reshape(-1, 5, 2)
    errors = normalised_mean_error(pred, target, inter_ocular_distance(target))
    assert errors.mean() == pytest.approx(3.4969, abs=5e-5)
    mean_face = np.broadcast_to(y["train"].mean(axis=0).reshape(5, 2), target.shape)
    errors = normalised_mean_error(mean_face, target, inter_ocular_distance(target))
    assert errors.mean() == pytest.approx(8.8943, abs=5e-5)


def test_a_perfect_prediction_has_no_error():
    _, target = faces(0)
    scale = inter_ocular_distance(target)
    assert (normalised_mean_error(target, target, scale) == 0).all()


@settings(deadline=None, max_examples=25)
@given(seeds, st.floats(0.01, 100), st.floats(0, 6.3), st.floats(-500, 500))
def test_nme_does_not_change_under_a_common_similarity(seed, factor, angle, shift):
    pred, target = faces(seed)
    turn = factor * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    expected = normalised_mean_error(pred, target, inter_ocular_distance(target))
    pred, target = pred @ turn + shift, target @ turn + shift
    moved = normalised_mean_error(pred, target, inter_ocular_distance(target))
    np.testing.assert_allclose(moved, expected, rtol=1e-7)


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_images_are_scored_apart_and_landmarks_in_any_order(seed):
    pred, target = faces(seed)
    rng = np.random.default_rng(seed)
    scale = inter_ocular_distance(target)
    images, points = rng.permutation(7), rng.permutation(5)
    errors = normalised_mean_error(pred, target, scale)
    shuffled = normalised_mean_error(pred[images], target[images], scale[images])
    np.testing.assert_array_equal(shuffled, errors[images])
    reordered = normalised_mean_error(pred[:, points], target[:, points], scale)
    np.testing.assert_allclose(reordered, errors, rtol=1e-12)


def test_point_errors_average_to_the_image_error():
    pred, target = faces(3)
    scale = inter_ocular_distance(target)
    per_point = normalised_point_errors(pred, target, scale)
    assert per_point.shape == (7, 5)
    np.testing.assert_allclose(per_point.mean(axis=1), normalised_mean_error(pred, target, scale))


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_the_mean_over_images_is_the_sum_of_the_terms(seed):
    pred, target = faces(seed, images=9, points=4)
    visible = np.random.default_rng(seed).random((9, 4)) < 0.6
    visible[0] = True
    l1 = keypoint_l1_sum(pred, target, visible)
    assert l1.mean() == pytest.approx(keypoint_l1_terms(pred, target, visible).sum(), rel=1e-12)
    loop = sum(
        np.abs(pred[visible[:, k], k, c] - target[visible[:, k], k, c]).mean()
        for k in range(4)
        for c in range(2)
    )
    assert l1.mean() == pytest.approx(loop, rel=1e-12)
    l2 = keypoint_l2_sum(pred, target, visible).mean()
    assert l1.mean() / np.sqrt(2) <= l2 * (1 + 1e-12) <= l1.mean() * (1 + 2e-12)


def test_labels_of_invisible_joints_do_not_matter():
    pred, target = faces(1)
    visible = np.ones((7, 5), bool)
    visible[2, 3] = False
    changed = target.copy()
    changed[2, 3] = -1
    for metric in (keypoint_l1_sum, keypoint_l2_sum, keypoint_l1_terms):
        np.testing.assert_array_equal(metric(pred, target, visible), metric(pred, changed, visible))


def test_tensors_lists_and_arrays_are_equal():
    pred, target = (x.astype(np.float32) for x in faces(4))
    expected = normalised_mean_error(pred, target, inter_ocular_distance(target))
    tensors = torch.from_numpy(pred).requires_grad_(), torch.from_numpy(target)
    result = normalised_mean_error(*tensors, inter_ocular_distance(tensors[1]))
    np.testing.assert_array_equal(result, expected)
    assert result.dtype == np.float64
    lists = pred.tolist(), target.tolist()
    np.testing.assert_array_equal(
        normalised_mean_error(*lists, inter_ocular_distance(lists[1])), expected
    )


def test_equal_eyes_are_refused_with_the_image():
    _, target = faces(0)
    target[4, 1] = target[4, 0]
    with pytest.raises(InvalidInput, match=r"inter-ocular distance.*image 4 of 7"):
        inter_ocular_distance(target)


@pytest.mark.parametrize("eyes", [(0, 0), (0, 5), (-1, 0)])
def test_impossible_eye_indices_are_refused(eyes):
    with pytest.raises(InvalidInput, match="eyes"):
        inter_ocular_distance(faces(0)[1], eyes)


@pytest.mark.parametrize(
    "pred, target, scale, message",
    [
        (np.zeros((3, 5, 3)), np.zeros((3, 5, 2)), np.ones(3), r"pred: expected shape \(N, K, 2\)"),
        (np.zeros((3, 5, 2)), np.zeros((3, 4, 2)), np.ones(3), "K is 5 in pred, 4 here"),
        (np.zeros((3, 5, 2)), np.zeros((3, 5, 2)), np.ones(2), "scale: .*N is 3 in pred, 2 here"),
        (np.zeros((0, 5, 2)), np.zeros((0, 5, 2)), np.ones(0), "empty"),
        (np.full((3, 5, 2), np.nan), np.zeros((3, 5, 2)), np.ones(3), "pred: .*30 NaN"),
        (np.zeros((3, 5, 2)), np.zeros((3, 5, 2)), np.array([1, 0, 1]), "image 1 of 3"),
        (np.zeros((3, 5, 2)), np.zeros((3, 5, 2)), -np.ones(3), "image 0, 1, 2 of 3"),
        (np.zeros((3, 5, 2), complex), np.zeros((3, 5, 2)), np.ones(3), "complex"),
        ("points", np.zeros((3, 5, 2)), np.ones(3), "pred: expected real numbers"),
    ],
)
def test_bad_input_is_refused(pred, target, scale, message):
    with pytest.raises(InvalidInput, match=message):
        normalised_mean_error(pred, target, scale)


def test_a_joint_no_image_shows_is_refused():
    pred, target = faces(0)
    visible = np.ones((7, 5))
    visible[:, 2] = 0
    with pytest.raises(InvalidInput, match=r"joint \[2\]"):
        keypoint_l1_sum(pred, target, visible)
    with pytest.raises(InvalidInput, match="expected a mask of 0 and 1"):
        keypoint_l1_sum(pred, target, visible + 0.5)
    with pytest.raises(InvalidInput, match="visible: expected shape"):
        keypoint_l1_sum(pred, target, np.ones((7, 4), bool))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_rows_of_joint_errors_aggregate_to_the_sums(seed):
    generator = np.random.default_rng(seed)
    pred, target = generator.normal(size=(2, 12, 4, 2))
    visible = generator.random((12, 4)) < 0.6
    visible[0] = True
    for norm, published in (("l1", keypoint_l1_sum), ("l2", keypoint_l2_sum)):
        rows = joint_errors(pred, target, visible, norm)
        expected = published(pred, target, visible).mean()
        assert sum_of_means(rows) == pytest.approx(expected, rel=1e-12)
        assert np.isnan(rows).sum() == (~visible).sum() * (2 if norm == "l1" else 1)


def test_visible_distances_weigh_every_landmark_alike():
    pred = np.zeros((2, 2, 2))
    target = np.array([[[3.0, 4.0], [6.0, 8.0]], [[0.0, 30.0], [np.pi, 1.0]]])
    rows = visible_distances(pred, target, [[True, True], [True, False]], edge=100.0)
    assert ratio_of_sums(rows) == pytest.approx((5 + 10 + 30) / 3)
    with pytest.raises(InvalidInput, match="edge"):
        visible_distances(pred, target, np.ones((2, 2), bool), edge=0.0)


@given(seeds)
def test_errors_in_a_unit_of_ones_own_are_nme_where_every_point_is_seen(seed):
    pred, target = faces(seed)
    everything = np.ones(target.shape[:2], bool)
    errors = visible_errors(pred, target, everything, (1, 3))
    assert (errors[:, 1] == 5).all()
    scale = inter_ocular_distance(target, (1, 3))
    assert ratio_of_sums(errors) == pytest.approx(normalised_mean_error(pred, target, scale).mean())


@given(seeds)
def test_hidden_points_and_images_without_a_unit_count_nowhere(seed):
    pred, target = faces(seed)
    visible = np.random.default_rng(seed).random(target.shape[:2]) < 0.6
    blind = np.where(visible[..., None], pred, 1e6)  # what is said of hidden points does not matter
    moved = np.where(visible[..., None], target, -1e6)
    for measure in (visible_errors, lambda *a: correct_keypoints(*a, 0.3)):
        found = measure(blind, moved, visible, (0, 2))
        np.testing.assert_allclose(found, measure(pred, target, visible, (0, 2)))
        without = ~visible[:, [0, 2]].all(axis=1)
        assert (found[without] == 0).all()
        assert (found[~without, 1] == visible[~without].sum(axis=1)).all()


@given(seeds)
def test_correct_keypoints_are_counted_as_one_would_by_hand(seed):
    pred, target = faces(seed)
    everything = np.ones(target.shape[:2], bool)
    right = correct_keypoints(pred, target, everything, (0, 1), 0.2)
    by_hand = [
        sum(
            bool(np.hypot(*(p - t)) / np.hypot(*(image[0] - image[1])) <= 0.2)
            for p, t in zip(points, image, strict=True)
        )
        for points, image in zip(pred, target, strict=True)
    ]
    assert right[:, 0].tolist() == by_hand
    wider = correct_keypoints(pred, target, everything, (0, 1), 0.5)
    assert (wider[:, 0] >= right[:, 0]).all()
    perfect = correct_keypoints(target, target, everything, (0, 1), 1e-9)
    assert ratio_of_sums(perfect) == 100


def test_a_point_at_the_threshold_is_right_and_a_threshold_is_positive():
    target, pred = [[[0.0, 0.0], [10.0, 0.0]]], [[[0.0, 2.0], [10.0, 2.1]]]
    assert correct_keypoints(pred, target, [[True, True]], (0, 1), 0.2).tolist() == [[1, 2]]
    with pytest.raises(InvalidInput, match="threshold"):
        correct_keypoints(pred, target, [[True, True]], (0, 1), 0)
    with pytest.raises(InvalidInput, match="inter-ocular distance"):
        visible_errors(target, [[[1.0, 1.0], [1.0, 1.0]]], [[True, True]], (0, 1))
