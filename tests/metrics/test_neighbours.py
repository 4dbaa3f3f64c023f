from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import neighbours
from benchmark.metrics.neighbours import density_coverage, precision_recall

seeds = st.integers(0, 2**32 - 1)


def features(seed, rows=30, dimensions=3):
    return np.random.default_rng(seed).normal(size=(rows, dimensions))


def integers(seed, rows=30):
    """Features on a coarse grid: full of duplicates and equal distances."""
    return np.random.default_rng(seed).integers(0, 4, (rows, 3)).astype(float)


def means(scores):
    return [values.mean() for values in scores]


def test_scores_equal_the_references(golden):
    item = golden("precision_recall_k3_prdc_k5")
    real, fake = item["in_real"], item["in_fake"]
    found = {
        "k3": means(precision_recall(real, fake)),
        "prdc_k5": means(precision_recall(real, fake, k=5, boundary="open")),
        "density_k5": means(density_coverage(real, fake)),
        "density_k3": means(density_coverage(real, fake, k=3)),
    }
    expected = {
        "k3": [item["out_precision_k3"], item["out_recall_k3"]],
        "prdc_k5": [item["out_prdc_precision_k5"], item["out_prdc_recall_k5"]],
        "density_k5": [item["out_prdc_density_k5"], item["out_prdc_coverage_k5"]],
        "density_k3": [item["out_prdc_density_k3"], item["out_prdc_coverage_k3"]],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-9, rtol=0, err_msg=name)


def test_ties_are_decided_as_the_references_do(golden):
    item = golden("precision_recall_ties")
    real, fake = item["in_real"], item["in_fake"]
    for k in (3, 5):
        for boundary, suffix in (("closed", "le"), ("open", "lt")):
            found = means(precision_recall(real, fake, k, boundary))
            expected = [item[f"out_{score}_k{k}_{suffix}"] for score in ("precision", "recall")]
            np.testing.assert_allclose(found, expected, atol=1e-9, rtol=0)
    found = means(density_coverage(real, fake, k=5))
    expected = [item["out_density_k5_lt"], item["out_coverage_k5_lt"]]
    np.testing.assert_allclose(found, expected, atol=1e-9, rtol=0)


def brute_force(real, fake, k, boundary):
    """The definitions in exact integers (squared distances), one pair at a time."""

    def squared(a, b):
        return sum(int(d) ** 2 for d in a - b)

    def balls(centres, points):
        table = []
        for i, c in enumerate(centres):
            radius = sorted(squared(c, o) for j, o in enumerate(centres) if j != i)[k - 1]
            table.append(
                [
                    squared(c, p) <= radius if boundary == "closed" else squared(c, p) < radius
                    for p in points
                ]
            )
        return np.array(table)

    around_reals, around_fakes = balls(real, fake), balls(fake, real)
    return (
        around_reals.any(axis=0),
        around_fakes.any(axis=0),
        around_reals.sum(axis=0) / k,
        around_reals.any(axis=1),
    )


@settings(deadline=None, max_examples=20)
@given(seeds, st.integers(1, 6), st.sampled_from(["closed", "open"]))
def test_exact_ties_are_those_of_integer_arithmetic(seed, k, boundary):
    real, fake = integers(seed), integers(seed + 1, 20)
    precision, recall, density, coverage = brute_force(real, fake, k, boundary)
    found = precision_recall(real, fake, k, boundary)
    np.testing.assert_array_equal(found.precision, precision)
    np.testing.assert_array_equal(found.recall, recall)
    if boundary == "open":
        counts = density_coverage(real, fake, k)
        np.testing.assert_array_equal(counts.density, density)
        np.testing.assert_array_equal(counts.coverage, coverage)


def scores_by_differences(real, fake, k=3):
    """All six scores from differences of all pairs in float64, one row at a time."""

    def squared(a, b):
        return np.array([((b - row) ** 2).sum(axis=1) for row in a])

    around_reals, around_fakes = (np.sort(squared(x, x), axis=1)[:, k] for x in (real, fake))
    apart = squared(fake, real)
    return [
        (apart <= around_reals).any(axis=1).mean(),
        (around_fakes >= apart.T).any(axis=1).mean(),
        (apart < around_reals).any(axis=1).mean(),
        (around_fakes > apart.T).any(axis=1).mean(),
        (apart < around_reals).sum(axis=1).mean() / k,
        (apart < around_reals).any(axis=0).mean(),
    ]


def all_scores(real, fake, k=3):
    return [
        *means(precision_recall(real, fake, k, "closed")),
        *means(precision_recall(real, fake, k, "open")),
        *means(density_coverage(real, fake, k)),
    ]


def test_one_far_row_moves_no_other():
    real, fake = np.random.default_rng(0).normal(size=(2, 300, 2048))
    real[0] = 1e5
    found = all_scores(real, fake)
    # of prdc 0.2 and of all pairs, both in float64
    expected = [0.59, 142 / 300, 0.59, 142 / 300, 1164 / 900, 0.93]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("far", [1e4, 1e6, 1e8])
@pytest.mark.parametrize("where", ["real", "fake"])
def test_scores_with_a_far_row_are_those_of_all_pairs(far, where):
    sets = dict(
        zip(("real", "fake"), np.random.default_rng(0).normal(size=(2, 90, 64)), strict=True)
    )
    sets[where][7] = far
    np.testing.assert_allclose(all_scores(**sets), scores_by_differences(**sets), rtol=1e-12)


def two_scales(x):
    return x * np.where(np.arange(len(x)) % 2, 1e-4, 1e3)[:, None]


def near_one_point(x):
    return x[:1] + 1e-12 * x


@pytest.mark.parametrize(
    "change_real, change_fake",
    [
        (two_scales, two_scales),
        (lambda x: x * 8e-3, lambda x: np.concatenate([x[:1] * 0 + 1e5, x[1:] * 8e-3])),
        (lambda x: x * 1e-8, lambda x: x * 1e-8),
        (lambda x: x, lambda x: x + 1e9),
        (near_one_point, near_one_point),
        (lambda x: x, lambda x: np.repeat(x[:1], len(x), axis=0)),
        (lambda x: x, lambda x: np.concatenate([x[:1] + 1e7, x[1:20], x[1:72]])),
    ],
    ids=["two scales", "far and near", "small", "apart", "near a point", "collapsed", "copies"],
)
def test_scores_are_those_of_all_pairs_whatever_the_lengths(change_real, change_fake):
    real, fake = np.random.default_rng(3).normal(size=(2, 90, 64))
    real, fake = change_real(real), change_fake(fake)
    expected = scores_by_differences(real, fake)
    np.testing.assert_allclose(all_scores(real, fake), expected, rtol=1e-12)


@settings(deadline=None, max_examples=20)
@given(seeds, st.integers(1, 6))
def test_swapping_the_sets_swaps_precision_and_recall(seed, k):
    real, fake = features(seed), features(seed + 1, 20)
    precision, recall = precision_recall(real, fake, k)
    assert precision.shape == (20,)
    assert recall.shape == (30,)
    swapped = precision_recall(fake, real, k)
    np.testing.assert_array_equal(swapped.precision, recall)
    np.testing.assert_array_equal(swapped.recall, precision)


@settings(deadline=None, max_examples=20)
@given(seeds, st.integers(1, 6), st.booleans())
def test_order_and_similarity_do_not_matter_also_with_ties(seed, k, ties):
    make = integers if ties else features
    real, fake = make(seed), make(seed + 1, 20)
    rng = np.random.default_rng(seed)
    if ties:  # a similarity that rounds nothing
        turn, scale, shift = np.eye(3)[rng.permutation(3)] * [1, -1, 1], 2, 100
    else:
        turn, scale, shift = np.linalg.qr(rng.normal(size=(3, 3)))[0], 0.1, 5
    rows = rng.permutation(20)
    for score in (precision_recall, density_coverage):
        first, second = score(real, fake, k)
        moved = score(scale * real @ turn + shift, scale * fake @ turn + shift, k)
        np.testing.assert_array_equal(moved[0], first)
        np.testing.assert_array_equal(moved[1], second)
        shuffled = score(rng.permutation(real), fake[rows], k)
        np.testing.assert_array_equal(shuffled[0], first[rows])


@settings(deadline=None, max_examples=20)
@given(seeds, st.integers(1, 5))
def test_more_neighbours_only_widen_the_balls(seed, k):
    real, fake = features(seed), features(seed + 1, 20)
    for narrow, wide in zip(
        precision_recall(real, fake, k), precision_recall(real, fake, k + 1), strict=True
    ):
        assert (narrow <= wide).all()


def test_the_real_set_itself_is_perfect():
    real = features(0).astype(np.float32)
    scores = precision_recall(real, real.copy())
    assert scores.precision.all()
    assert scores.recall.all()
    assert density_coverage(real, real).coverage.all()
    # Each open ball holds its centre and the k - 1 neighbours nearer than its radius.
    assert density_coverage(real, real, k=5).density.mean() == pytest.approx(1)


def test_collapse_and_escape():
    real = features(0)
    collapsed = np.repeat(real[:1], 20, axis=0)
    scores = precision_recall(real, collapsed)
    assert scores.precision.all()
    assert scores.recall.sum() == 1  # only the image it has collapsed on
    far = precision_recall(real, features(1) + 1000)
    assert means(far) == [0, 0]
    assert means(density_coverage(real, features(1) + 1000)) == [0, 0]


def test_blocks_of_rows_do_not_matter(monkeypatch):
    real, fake = integers(0), integers(1)
    expected = *precision_recall(real, fake), *density_coverage(real, fake)
    monkeypatch.setattr(neighbours, "ROWS", 7)
    found = *precision_recall(real, fake), *density_coverage(real, fake)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_tensors_equal_arrays():
    real, fake = features(0).astype(np.float32), features(1).astype(np.float32)
    for score in (precision_recall, density_coverage):
        for one, other in zip(
            score(torch.tensor(real), torch.tensor(fake)), score(real, fake), strict=True
        ):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("score", [precision_recall, density_coverage])
def test_bad_input_is_refused(score):
    real = features(0)
    for k in (0, 20):
        with pytest.raises(InvalidInput, match=rf"k: .*30 real and 20 fake features, got {k}"):
            score(real, real[:20], k)
    with pytest.raises(InvalidInput, match=r"fake: .*D is 3 in real, 2 here"):
        score(real, real[:, :2])
    with pytest.raises(InvalidInput, match=r"real: .*90 NaN"):
        score(real * np.nan, real)
    with pytest.raises(InvalidInput, match="empty"):
        score(real, real[:0])


def test_an_unknown_boundary_is_refused():
    with pytest.raises(InvalidInput, match="no 'half-open'"):
        precision_recall(features(0), features(1), boundary="half-open")
