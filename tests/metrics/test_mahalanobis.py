from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.mahalanobis import mahalanobis


def drawn(count: int, dimensions: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(count, dimensions)) @ rng.normal(size=(dimensions, dimensions))
    return mixed + rng.normal(size=dimensions)


def test_with_reals_enough_it_is_the_usual_distance():
    from scipy.spatial.distance import mahalanobis as one

    real, fake = drawn(200, 6), drawn(9, 6, seed=1)
    found = mahalanobis(real, fake)
    inverse = np.linalg.inv(np.cov(real.T))
    wanted = [one(row, real.mean(axis=0), inverse) for row in fake]
    np.testing.assert_allclose(found.distances, wanted, rtol=1e-9)
    assert found.shrinkage == 0


def test_it_does_not_depend_on_the_unit_or_the_axes_of_features():
    real, fake = drawn(80, 5), drawn(7, 5, seed=1)
    turned = np.random.default_rng(2).normal(size=(5, 5))
    other = mahalanobis(real @ turned + 3, fake @ turned + 3)
    np.testing.assert_allclose(other.distances, mahalanobis(real, fake).distances, rtol=1e-7)


@pytest.mark.parametrize(("count", "dimensions"), [(12, 40), (40, 40), (300, 40)])
def test_without_an_inverse_it_is_shrunk_as_ledoit_and_wolf_say(count, dimensions):
    covariance = pytest.importorskip("sklearn.covariance")
    real, fake = drawn(count, dimensions), drawn(5, dimensions, seed=1)
    real[:, 3] = 2.0  # a feature that never changes
    peer = covariance.LedoitWolf().fit(real)
    found = mahalanobis(real, fake)
    assert found.shrinkage == pytest.approx(peer.shrinkage_, rel=1e-9)
    # theirs divides by N, ours by N - 1
    wanted = np.sqrt(peer.mahalanobis(fake) * (count - 1) / count)
    np.testing.assert_allclose(found.distances, wanted, rtol=1e-6)


def test_what_no_real_one_does_is_far():
    """Few reals that never leave a plane: a step out of it counts, which a pseudo-inverse ignores."""
    real = np.zeros((10, 12))
    real[:, :2] = np.random.default_rng(0).normal(size=(10, 2))
    inside, outside = np.zeros((2, 12))
    inside[0] = outside[5] = 1.0
    distances = mahalanobis(real, np.stack([inside, outside])).distances
    assert distances[1] > 2 * distances[0]


def test_two_reals_leave_an_inverse_as_well():
    found = mahalanobis([[1.0, 0.0], [-1.0, 0.0]], [[0.0, 1.0]])
    assert np.isfinite(found.distances).all()
    assert found.shrinkage == 0.5


def test_the_dtype_that_came_and_blocks_do_not_matter():
    real, fake = drawn(5000, 3).astype(np.float32), drawn(9000, 3, seed=1).astype(np.float32)
    whole = mahalanobis(real, fake).distances
    parts = [mahalanobis(torch.from_numpy(real), p).distances for p in np.split(fake, 3)]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-12)


@pytest.mark.parametrize(
    ("real", "said"),
    [([[1.0, 2.0]], "at least two"), (np.ones((4, 2)), "alike"), (np.ones((4, 3)), "D is 3")],
)
def test_what_can_not_be_measured_is_refused(real, said):
    with pytest.raises(InvalidInput, match=said):
        mahalanobis(real, [[0.0, 0.0]])
