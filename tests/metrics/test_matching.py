from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.matching import RULES, match_descriptors, matching_errors


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("pair", ["same", "different"])
def test_matches_equal_the_reference(golden, rule, pair):
    item = golden("landmark_matching")
    width = item["in_image_width"]
    found = match_descriptors(
        item["in_source"], item[f"in_{pair}"], item["in_query_xy"], rule, (width, width)
    )
    np.testing.assert_array_equal(found, item[f"out_{rule}_{pair}_xy"])


def test_errors_equal_the_reference(golden):
    item = golden("landmark_matching")
    width = item["in_image_width"]
    assert width == item["in_image_width_before_crop"] - 2 * item["in_crop"]
    maps = item["in_source"], item["in_same"], item["in_query_xy"]
    dve = match_descriptors(*maps, "dve", (width, width))
    errors = matching_errors(dve, item["in_target_xy"], width, reported_width=70)
    assert errors.mean() == pytest.approx(item["out_dve_same_mean_pixel_error_70"], abs=1e-9)
    paper = match_descriptors(*maps, "paper", (width, width))
    errors = matching_errors(paper, item["in_target_xy"], width)
    expected = item["out_paper_same_mean_pixel_error_unscaled"]
    assert errors.mean() == pytest.approx(expected, abs=1e-9)


def maps(seed, channels=24, rows=10, columns=12):
    return np.random.default_rng(seed).normal(size=(channels, rows, columns)).astype(np.float32)


def test_an_image_matches_itself():
    source = maps(0)
    x, y = np.meshgrid(np.arange(24), np.arange(20))
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    np.testing.assert_array_equal(
        match_descriptors(source, source, points, "paper", (20, 24)), points
    )
    even = points[(points % 2 == 0).all(axis=1)]
    source /= np.linalg.norm(source, axis=0)  # else the longest descriptor may win a dot product
    np.testing.assert_array_equal(match_descriptors(source, source, even, "dve", (20, 24)), even)


def test_half_cells_round_to_even_and_clamp():
    source = np.eye(4, dtype=np.float32).reshape(4, 1, 4)
    points = [[1, 0], [3, 0], [5, 1], [7, 1]]  # at stride 2: cells 0.5, 1.5, 2.5, 3.5 -> clamp
    found = match_descriptors(source, source, points, "dve", (2, 8))
    np.testing.assert_array_equal(found, [[0, 0], [4, 0], [4, 0], [6, 0]])


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from(RULES))
def test_turning_all_descriptors_alike_changes_nothing(seed, rule):
    source, target = maps(seed), maps(seed + 1)
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(24, 24)))[0]
    points = rng.integers(0, 20, (9, 2))
    expected = match_descriptors(source, target, points, rule, (20, 24))
    turned = (np.einsum("cd,dhw->chw", turn, m) for m in (source, target))
    np.testing.assert_array_equal(match_descriptors(*turned, points, rule, (20, 24)), expected)
    order = rng.permutation(9)
    np.testing.assert_array_equal(
        match_descriptors(source, target, points[order], rule, (20, 24)), expected[order]
    )


def test_the_length_of_a_descriptor_moves_the_dot_product_only():
    source, target = maps(6), maps(5)
    lengths = np.random.default_rng(7).uniform(0.01, 100, (1, 10, 12))
    points = np.random.default_rng(8).integers(0, 10, (30, 2))
    arguments = points, "paper", (10, 12)  # one cell per pixel, so nothing is interpolated
    np.testing.assert_array_equal(
        match_descriptors(source, target * lengths, *arguments),
        match_descriptors(source, target, *arguments),
    )
    dot = match_descriptors(source, target * lengths, points, "dve", (10, 12))
    assert (dot != match_descriptors(source, target, points, "dve", (10, 12))).any()


def test_tensors_equal_arrays():
    arrays = maps(1), maps(2), np.array([[3.0, 4.0], [20.0, 11.0]])
    for rule in RULES:
        np.testing.assert_array_equal(
            match_descriptors(*map(torch.from_numpy, arrays), rule, (20, 24)),
            match_descriptors(*arrays, rule, (20, 24)),
        )


@pytest.mark.parametrize(
    "change, message",
    [
        ({"rule": "cosine"}, "no 'cosine'.*\n.*dve, paper"),
        ({"source": maps(0)[:5]}, "C is 5 in source, 24 here"),
        ({"target": maps(0)[:, :5]}, "h is 10 in source, 5 here"),
        ({"points": [[24.0, 3.0]]}, "outside the 20 x 24 image, the first is point 0"),
        ({"points": [[0.0, np.nan]]}, "points: .*1 NaN"),
        ({"points": np.zeros((0, 2))}, "empty"),
        ({"image_size": (24, 24)}, "two strides"),
        ({"source": np.full((24, 10, 12), np.inf)}, "source: .*2880 NaN or infinite"),
    ],
)
def test_bad_input_is_refused(change, message):
    arguments = {
        "source": maps(0),
        "target": maps(1),
        "points": [[1.0, 2.0]],
        "rule": "dve",
        "image_size": (20, 24),
    }
    with pytest.raises(InvalidInput, match=message):
        match_descriptors(**(arguments | change))


def test_bad_widths_are_refused():
    with pytest.raises(InvalidInput, match="widths must be positive"):
        matching_errors([[0, 0]], [[0, 0]], 0)
