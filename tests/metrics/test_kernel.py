from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import kernel
from benchmark.metrics.kernel import kernel_distance, polynomial_mmd

seeds = st.integers(0, 2**32 - 1)


def features(seed, rows=20, dimensions=5):
    return np.random.default_rng(seed).normal(size=(rows, dimensions))


def test_distances_equal_the_reference(golden):
    item = golden("kid_full_sample")
    real, fake = item["in_real"], item["in_fake"]
    unbiased = item["out_kid_unbiased"]
    assert polynomial_mmd(real, fake) == pytest.approx(unbiased, rel=1e-6)
    biased = polynomial_mmd(real, fake, unbiased=False)
    assert biased == pytest.approx(item["out_kid_biased"], rel=1e-6)
    some = polynomial_mmd(real, fake[: item["in_fake_unequal_count"]])
    assert some == pytest.approx(item["out_kid_unbiased_unequal"], rel=1e-6)
    whole = kernel_distance(real, fake, subset_size=256, subsets=3)
    np.testing.assert_allclose(whole, unbiased, rtol=1e-6)


@settings(deadline=None, max_examples=20)
@given(seeds, st.integers(2, 9), st.integers(2, 9))
def test_mmd_is_what_plain_loops_give(seed, n, m):
    real, fake = features(seed, n), features(seed + 1, m)

    def k(x, y):
        return (x @ y / 5 + 1) ** 3

    own_real = np.mean([k(x, y) for i, x in enumerate(real) for j, y in enumerate(real) if i != j])
    own_fake = np.mean([k(x, y) for i, x in enumerate(fake) for j, y in enumerate(fake) if i != j])
    across = np.mean([k(x, y) for x in real for y in fake])
    expected = own_real + own_fake - 2 * across
    assert polynomial_mmd(real, fake) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_symmetry_order_rotation_and_sign(seed):
    real, fake = features(seed), features(seed + 1, 13)
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    near = {"rel": 1e-9, "abs": 1e-9}
    for unbiased in (True, False):
        value = polynomial_mmd(real, fake, unbiased)
        assert polynomial_mmd(fake, real, unbiased) == pytest.approx(value, **near)
        assert polynomial_mmd(rng.permutation(real), fake, unbiased) == pytest.approx(value, **near)
        assert polynomial_mmd(real @ turn, fake @ turn, unbiased) == pytest.approx(value, **near)
    assert polynomial_mmd(real, fake, unbiased=False) >= -1e-12
    assert polynomial_mmd(real, real, unbiased=False) == pytest.approx(0, abs=1e-12)


def test_subsets_are_those_torch_fidelity_draws():
    real, fake = features(0, 30), features(1, 25)
    rng = np.random.RandomState(7)
    expected = []
    for _ in range(4):
        first = rng.choice(25, 10, replace=False)
        second = rng.choice(30, 10, replace=False)
        expected.append(polynomial_mmd(real[second], fake[first]))
    found = kernel_distance(real, fake, subset_size=10, subsets=4, seed=7)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert len(set(found)) == 4


def test_the_seed_decides_and_the_subsets_average_to_the_whole():
    real, fake = features(0, 60), features(1, 60) + 0.5
    first = kernel_distance(real, fake, subset_size=20, subsets=400, seed=1)
    again = kernel_distance(real, fake, subset_size=20, subsets=400, seed=1)
    np.testing.assert_array_equal(first, again)
    other = kernel_distance(real, fake, subset_size=20, subsets=400, seed=2)
    assert (first != other).all()
    error = first.std() / np.sqrt(400)
    assert first.mean() == pytest.approx(polynomial_mmd(real, fake), abs=4 * error)


def test_the_same_distribution_lies_around_zero_and_a_shift_above():
    real, fake = features(0, 500), features(1, 500)
    same = kernel_distance(real, fake, subset_size=100, subsets=20)
    apart = kernel_distance(real, fake + 1, subset_size=100, subsets=20)
    assert abs(same.mean()) < 0.1 * apart.mean()


def test_blocks_of_rows_do_not_matter(monkeypatch):
    real, fake = features(0), features(1, 13)
    whole = polynomial_mmd(real, fake)
    monkeypatch.setattr(kernel, "ROWS", 3)
    assert polynomial_mmd(real, fake) == pytest.approx(whole, rel=1e-12)


def test_input_is_left_alone_and_tensors_equal_arrays():
    real, fake = features(0), features(1)
    tensors = torch.tensor(real), torch.tensor(fake)
    value = kernel_distance(*tensors, subset_size=20, subsets=1)
    np.testing.assert_array_equal(value, kernel_distance(real, fake, subset_size=20, subsets=1))
    np.testing.assert_array_equal(tensors[0], features(0))
    np.testing.assert_array_equal(fake, features(1))


def test_bad_input_is_refused():
    real = features(0)
    with pytest.raises(InvalidInput, match=r"subset_size: 15 exceeds the 20 real or 14 fake"):
        kernel_distance(real, real[:14], subset_size=15)
    with pytest.raises(InvalidInput, match="2 rows or more, got 0 of 5"):
        kernel_distance(real, real, subset_size=5, subsets=0)
    with pytest.raises(InvalidInput, match="2 rows or more, got 3 of 1"):
        kernel_distance(real, real, subset_size=1, subsets=3)
    with pytest.raises(InvalidInput, match="at least 2 rows each, got 20 real and 1 fake"):
        polynomial_mmd(real, real[:1])
    with pytest.raises(InvalidInput, match=r"fake: .*D is 5 in real, 4 here"):
        polynomial_mmd(real, real[:, :4])
    with pytest.raises(InvalidInput, match=r"fake: .*100 NaN"):
        polynomial_mmd(real, real * np.inf)
