from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.segmentation import (
    best_label_accuracy,
    best_label_iou,
    correct_pixels,
    foreground_iou,
    iou_pixels,
    mask_disagreement,
    pixel_accuracy,
    pooled_iou,
    pooled_mask_disagreement,
)

seeds = st.integers(0, 2**32 - 1)
METRICS = (
    foreground_iou,
    best_label_iou,
    pixel_accuracy,
    best_label_accuracy,
    mask_disagreement,
)


def pair(seed, images=6):
    rng = np.random.default_rng(seed)
    pred, target = rng.random((2, images, 8, 9)) < rng.uniform(0.1, 0.9, (2, images, 1, 1))
    target[:, 0, 0] = True  # no empty target
    return pred, target


def test_iou_equals_the_references(golden):
    item = golden("foreground_iou")
    pred, target = item["in_prediction"], item["in_target"]
    ganseg = foreground_iou(pred, target)
    np.testing.assert_allclose(ganseg, item["out_ganseg_per_image"], atol=1e-6)
    assert ganseg.mean() == pytest.approx(item["out_ganseg_mean"], abs=1e-6)
    some = item["in_non_empty_target_indices"]
    redo = best_label_iou(pred[some], target[some])
    np.testing.assert_allclose(redo, item["out_redo_per_image"], rtol=1e-9)
    assert redo.mean() == pytest.approx(item["out_redo_mean"], rel=1e-9)
    accuracy = best_label_accuracy(pred[some], target[some])
    assert accuracy.mean() == pytest.approx(item["out_redo_accuracy_mean"], rel=1e-9)
    assert pooled_iou(pred, target) == pytest.approx(item["out_dataset_level"], rel=1e-9)
    inverted = item["out_dataset_level_inverted_prediction"]
    assert pooled_iou(~pred, target) == pytest.approx(inverted, rel=1e-9)
    assert pixel_accuracy(pred, target).mean() == pytest.approx(
        item["out_pixel_accuracy"], rel=1e-9
    )


def test_disagreement_equals_the_golden_values(golden):
    item = golden("mask_xor")
    pred, target = item["in_prediction"], item["in_target"]
    some = item["in_non_empty_target_indices"]
    ratios = mask_disagreement(pred[some], target[some])
    np.testing.assert_allclose(ratios, item["out_per_image"], rtol=1e-12)
    assert ratios.mean() == pytest.approx(item["out_mean_of_ratios"], rel=1e-12)
    pooled = pooled_mask_disagreement(pred[some], target[some])
    assert pooled == pytest.approx(item["out_ratio_of_sums_non_empty"], rel=1e-12)
    pooled = pooled_mask_disagreement(pred, target)
    assert pooled == pytest.approx(item["out_ratio_of_sums_all"], rel=1e-12)


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_perfect_inverted_and_swapped_masks(seed):
    pred, target = pair(seed)
    assert (foreground_iou(target, target, eps=0) == 1).all()
    np.testing.assert_allclose(foreground_iou(target, target), 1, atol=1e-5)
    assert (foreground_iou(~target, target) == 0).all()
    assert (best_label_iou(~target, target) == 1).all()
    assert (mask_disagreement(target, target) == 0).all()
    np.testing.assert_array_equal(foreground_iou(pred, target), foreground_iou(target, pred))
    np.testing.assert_array_equal(best_label_iou(~pred, target), best_label_iou(pred, target))
    assert (best_label_iou(pred, target) >= foreground_iou(pred, target)).all()
    np.testing.assert_array_equal(pixel_accuracy(~pred, ~target), pixel_accuracy(pred, target))
    np.testing.assert_allclose(pixel_accuracy(~pred, target), 1 - pixel_accuracy(pred, target))


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_pixels_and_images_may_come_in_any_order(seed):
    pred, target = pair(seed)
    rng = np.random.default_rng(seed)
    rows, images = rng.permutation(8), rng.permutation(6)
    for metric in METRICS:
        expected = metric(pred, target)
        np.testing.assert_array_equal(metric(pred[:, rows], target[:, rows]), expected)
        np.testing.assert_array_equal(metric(pred[images], target[images]), expected[images])
        flipped = metric(pred[:, :, ::-1], target[:, :, ::-1])
        np.testing.assert_array_equal(flipped, expected)


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_disagreement_and_iou_tell_the_same_story(seed):
    pred, target = pair(seed)
    union = (pred | target).sum(axis=(1, 2))
    iou = foreground_iou(pred, target, eps=0)
    area = target.sum(axis=(1, 2))
    np.testing.assert_allclose(mask_disagreement(pred, target), (1 - iou) * union / area)


def test_one_image_pools_to_its_own_score():
    pred, target = pair(2, images=1)
    assert pooled_iou(pred, target) == foreground_iou(pred, target, eps=0)[0]
    assert pooled_mask_disagreement(pred, target) == mask_disagreement(pred, target)[0]


def test_background_everywhere_scores_zero():
    _, target = pair(0)
    assert (foreground_iou(np.zeros_like(target), target) == 0).all()
    nothing = np.zeros_like(target)
    assert (foreground_iou(nothing, nothing) == 0).all()


def test_integers_floats_and_tensors_equal_booleans():
    pred, target = pair(1)
    for metric in METRICS:
        expected = metric(pred, target)
        for kind in (np.uint8, np.float32):
            np.testing.assert_array_equal(metric(pred.astype(kind), target), expected)
        tensors = torch.tensor(pred), torch.tensor(target).float()
        np.testing.assert_array_equal(metric(*tensors), expected)


def test_bad_input_is_refused():
    pred, target = pair(0)
    with pytest.raises(InvalidInput, match=r"pred: expected a mask of 0 and 1.*255"):
        foreground_iou(pred * np.uint8(255), target)
    with pytest.raises(InvalidInput, match=r"target: .*W is 9 in pred, 8 here"):
        foreground_iou(pred, target[:, :, :8])
    with pytest.raises(InvalidInput, match="empty"):
        foreground_iou(pred[:0], target[:0])
    with pytest.raises(InvalidInput, match="eps"):
        foreground_iou(pred, target, eps=-1)
    empty = target.copy()
    empty[4] = False
    for metric in (best_label_iou, mask_disagreement):
        with pytest.raises(InvalidInput, match="target: no foreground in image 4 of 6"):
            metric(pred, empty)
    with pytest.raises(InvalidInput, match="pred and target: no foreground in image 4"):
        foreground_iou(empty, empty, eps=0)
    with pytest.raises(InvalidInput, match="no foreground"):
        pooled_iou(empty[4:5], empty[4:5])


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_what_is_not_scored_counts_nowhere(seed):
    pred, target = pair(seed)
    rng = np.random.default_rng(seed)
    scored = rng.random(pred.shape) < 0.7
    scored[:, 0, 0] = True
    noise = rng.random((2, *pred.shape)) < 0.5
    altered = [
        np.where(scored, mask, other) for mask, other in zip((pred, target), noise, strict=True)
    ]
    for metric in METRICS:
        expected = metric(pred, target, scored=scored)
        np.testing.assert_array_equal(metric(*altered, scored=scored), expected)
        everywhere = metric(pred, target, scored=np.ones_like(scored))
        np.testing.assert_array_equal(everywhere, metric(pred, target))
    one = iou_pixels(pred, target, scored=scored)
    inside = pred[0][scored[0]], target[0][scored[0]]
    assert one[0].tolist() == [(inside[0] & inside[1]).sum(), (inside[0] | inside[1]).sum()]
    right = correct_pixels(pred, target, scored=scored)
    assert right[0].tolist() == [(inside[0] == inside[1]).sum(), scored[0].sum()]
    assert pooled_iou(pred, target, scored=scored) == one[:, 0].sum() / one[:, 1].sum()


def test_the_inverse_of_a_mask_does_not_reach_into_what_is_not_scored():
    pred = np.array([[[1, 1, 0, 0]]])
    target = np.array([[[0, 0, 1, 0]]])
    scored = np.array([[[1, 1, 1, 0]]])
    assert best_label_iou(pred, target, scored=scored) == [1]
    assert best_label_iou(pred, target) == [0.5]


def test_with_an_eps_empty_targets_score_0_for_the_better_label_too():
    empty = np.zeros((1, 2, 2))
    for pred in (empty, 1 - empty):
        assert best_label_iou(pred, empty, 1e-6) == [0]


def test_an_image_without_scored_pixels_is_named():
    pred, target = pair(0)
    scored = np.ones_like(pred)
    scored[2] = False
    with pytest.raises(InvalidInput, match="scored: no pixel in image 2 of 6"):
        pixel_accuracy(pred, target, scored=scored)
    assert correct_pixels(pred, target, scored=scored)[2].tolist() == [0, 0]
