from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.frechet import (
    FeatureMoments,
    _root_trace,
    frechet_distance,
    frechet_distance_from_features,
)

seeds = st.integers(0, 2**32 - 1)
GOLDEN = ["frechet_full_rank", "frechet_rank_deficient", "frechet_large_mean"]


def features(seed, rows=40, dimensions=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, dimensions)) @ rng.normal(size=(dimensions, dimensions))


def moments(*batches):
    total = FeatureMoments(batches[0].shape[1])
    for batch in batches:
        total.update(batch)
    return total


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("ddof", [0, 1])
def test_distances_equal_the_exact_values(golden, name, ddof):
    item = golden(name)
    real, fake = item["in_real"], item["in_fake"]
    expected = item[f"out_frechet_ddof{ddof}"]
    found = frechet_distance_from_features(real, fake, ddof=ddof)
    assert found == pytest.approx(expected, rel=1e-6)
    sides = [moments(*np.array_split(x, 7)) for x in (real, fake)]
    found = frechet_distance(*(y for m in sides for y in (m.mean, m.covariance(ddof))))
    assert found == pytest.approx(expected, rel=1e-6)
    gap = sides[0].mean - sides[1].mean
    assert gap @ gap == pytest.approx(item["out_mean_term"], rel=1e-6)


@settings(deadline=None, max_examples=25)
@given(seeds, st.integers(1, 8))
def test_gaussians_that_commute_have_a_closed_form(seed, dimensions):
    rng = np.random.default_rng(seed)
    mean1, mean2 = rng.normal(size=(2, dimensions))
    spread1, spread2 = rng.uniform(0, 3, (2, dimensions))
    turn = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))[0]
    found = frechet_distance(mean1, turn * spread1**2 @ turn.T, mean2, turn * spread2**2 @ turn.T)
    expected = ((mean1 - mean2) ** 2).sum() + ((spread1 - spread2) ** 2).sum()
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(deadline=None, max_examples=25)
@given(seeds, st.sampled_from([(40, 30), (4, 30), (4, 5), (2, 2)]))
def test_identity_symmetry_and_invariance(seed, rows):
    real, fake = features(seed, rows[0]), features(seed + 1, rows[1])
    distance = frechet_distance_from_features(real, fake)
    rng = np.random.default_rng(seed)
    near = {"rel": 1e-9, "abs": 1e-9}
    assert frechet_distance_from_features(real, rng.permutation(real)) == pytest.approx(0, abs=1e-9)
    assert frechet_distance_from_features(fake, real) == pytest.approx(distance, **near)
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    moved = frechet_distance_from_features(real @ turn + 5, fake @ turn + 5)
    assert moved == pytest.approx(distance, **near)
    scaled = frechet_distance_from_features(3 * real, 3 * fake)
    assert scaled == pytest.approx(9 * distance, **near)
    shift = rng.normal(size=6)
    shifted = frechet_distance_from_features(real, real + shift)
    assert shifted == pytest.approx(shift @ shift, **near)
    sides = moments(real), moments(fake)
    from_moments = frechet_distance(*(y for m in sides for y in (m.mean, m.covariance())))
    assert from_moments == pytest.approx(distance, rel=1e-7, abs=1e-7)


@settings(deadline=None, max_examples=25)
@given(seeds, st.lists(st.integers(1, 39), max_size=4, unique=True), st.sampled_from([0.0, 1e6]))
def test_moments_do_not_depend_on_batches_or_a_large_mean(seed, cuts, mean):
    rows = (features(seed) + mean).astype(np.float64)
    pieces = np.split(rows, sorted(cuts))
    whole = moments(*pieces)
    assert whole.count == 40
    np.testing.assert_allclose(whole.mean, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(whole.covariance(), np.cov(rows.T), rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(whole.covariance(0), np.cov(rows.T, ddof=0), rtol=1e-7, atol=1e-7)
    merged = FeatureMoments(6)
    for piece in pieces:
        merged.merge(moments(piece))
    merged.merge(FeatureMoments(6))
    np.testing.assert_allclose(merged.covariance(), whole.covariance(), rtol=1e-7, atol=1e-7)


@settings(deadline=None, max_examples=40)
@given(
    seeds,
    st.sampled_from([-1, 0, 1, 3, 12, 200]),
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    st.booleans(),
)
def test_covariances_give_what_their_rows_give_however_near_to_singular(seed, more, decay, shared):
    """Against the nuclear norm of the rows, which forms no covariance at all."""
    rng = np.random.default_rng(seed)
    d = 30
    spread = np.arange(1.0, d + 1) ** -decay
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    sides, rows = [], []
    for _ in range(2):
        x = (rng.normal(size=(d + more, d)) * spread) @ turn
        turn = turn if shared else np.linalg.qr(rng.normal(size=(d, d)))[0]
        sides += [x.mean(axis=0), np.cov(x.T)]
        rows.append((x - x.mean(axis=0)) / np.sqrt(len(x) - 1))
    apart = ((sides[0] - sides[2]) ** 2).sum() + sum((x**2).sum() for x in rows)
    expected = apart - 2 * np.linalg.norm(rows[0] @ rows[1].T, "nuc")
    assert frechet_distance(*sides) == pytest.approx(expected, rel=1e-8)


def test_the_quick_way_is_taken_where_it_is_safe_and_only_there():
    def way(a, b):
        cov1, cov2 = (torch.from_numpy(np.cov(x.T)) for x in (a, b))
        return _root_trace(cov1, cov2, (cov1.trace() + cov2.trace()))

    rng = np.random.default_rng(0)
    plenty, others = rng.normal(size=(2, 400, 40))
    nuclear = np.linalg.norm((plenty - plenty.mean(0)) @ (others - others.mean(0)).T / 399, "nuc")
    assert float(way(plenty, others)) == pytest.approx(nuclear, rel=1e-12)
    for few in (plenty[:20], plenty[:40], np.repeat(plenty[:, :20], 2, axis=1)):
        assert way(few, others) is None
        assert way(others, few) is None
    assert way(plenty, plenty) is None  # at a distance of zero no digit may be lost


@pytest.mark.parametrize("mean, tolerance", [(1e8, 3e-7), (1e12, 1e-3)])
def test_a_large_mean_costs_what_its_rounding_costs(mean, tolerance):
    grid = np.random.default_rng(0).normal(size=(2, 400, 8)) * [[[1.0]], [[1.5]]]
    real, fake = np.round(grid * 1024) / 1024  # so that adding the mean rounds nothing
    expected = frechet_distance_from_features(real, fake)
    assert (real + mean - mean == real).all()
    found = [frechet_distance_from_features(real + mean, fake + mean)]
    moments = [FeatureMoments(8) for _ in range(2)]
    for one, rows in zip(moments, (real, fake), strict=True):
        for part in np.split(rows + mean, 4):
            one.update(part)
    found.append(frechet_distance(*(x for m in moments for x in (m.mean, m.covariance()))))
    assert found == pytest.approx([expected] * 2, rel=tolerance)


def test_what_moments_give_is_a_copy():
    total = moments(features(0))
    total.mean[:] = 7
    total.covariance()[:] = 7
    assert (total.mean != 7).all()
    assert (total.covariance() != 7).all()


def test_tensors_and_half_precision_are_taken_in():
    real, fake = features(0).astype(np.float16), features(1).astype(np.float16)
    expected = frechet_distance_from_features(real, fake)
    assert frechet_distance_from_features(torch.tensor(real), torch.tensor(fake)) == expected
    assert frechet_distance_from_features(torch.tensor(real), fake) == expected
    coarse = torch.tensor(real).to(torch.bfloat16)
    assert frechet_distance_from_features(coarse, coarse) == pytest.approx(0, abs=1e-9)
    total = FeatureMoments(6)
    total.update(torch.tensor(real, requires_grad=True))
    np.testing.assert_array_equal(total.mean, moments(real).mean)


def test_float32_covariances_are_accepted():
    sides = [(m.mean, m.covariance()) for m in (moments(features(0)), moments(features(1)))]
    exact = frechet_distance(*sides[0], *sides[1])
    coarse = frechet_distance(*(y.astype(np.float32) for side in sides for y in side))
    assert coarse == pytest.approx(exact, rel=1e-5)


def test_bad_input_is_refused():
    real = features(0)
    mean, covariance = real.mean(axis=0), np.cov(real.T)
    with pytest.raises(InvalidInput, match=r"fake: .*D is 6 in real, 5 here"):
        frechet_distance_from_features(real, real[:, :5])
    with pytest.raises(InvalidInput, match="fake: expected more than 1 rows, got 1"):
        frechet_distance_from_features(real, real[:1])
    with pytest.raises(InvalidInput, match=r"real: .*240 NaN"):
        frechet_distance_from_features(real * np.nan, real)
    with pytest.raises(InvalidInput, match=r"cov1: expected shape \(D, D\)"):
        frechet_distance(mean, covariance[:5], mean, covariance)
    with pytest.raises(InvalidInput, match=r"cov2: .*not symmetric"):
        frechet_distance(mean, covariance, mean, covariance + np.triu(covariance))
    with pytest.raises(InvalidInput, match="cov1: expected a covariance, got eigenvalues from"):
        frechet_distance(mean, covariance - np.eye(6) * 10, mean, covariance)
    with pytest.raises(InvalidInput, match=r"features: expected shape \(B, 6\), got \(40, 5\)"):
        FeatureMoments(6).update(real[:, :5])
    with pytest.raises(InvalidInput, match="empty"):
        FeatureMoments(6).update(real[:0])
    with pytest.raises(InvalidInput, match="at least 1 features, got 0"):
        _ = FeatureMoments(6).mean
    with pytest.raises(InvalidInput, match="at least 2 features, got 1"):
        moments(real[:1]).covariance()
    with pytest.raises(InvalidInput, match="5 dimensions do not fit 6"):
        FeatureMoments(6).merge(FeatureMoments(5))
