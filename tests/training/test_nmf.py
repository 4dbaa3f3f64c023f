"""Non-negative factors: planted ones are found, and more starts never end higher."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from scipy.optimize import linear_sum_assignment, nnls

from benchmark.contracts.errors import InvalidInput
from benchmark.training.nmf import basis, coefficients, error


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def planted(count: int = 200, k: int = 3, channels: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    """Vectors that are sparse mixtures of a basis whose rows do not overlap but by a tenth."""
    rows = torch.zeros(k, channels)
    for i in range(k):
        rows[i, i * channels // k : (i + 1) * channels // k] = 1
    rows += 0.1 * torch.rand(k, channels, generator=draw(1))
    share = torch.rand(count, k, generator=draw(2))
    share *= torch.rand(count, k, generator=draw(3)) < 0.5
    return share @ rows, rows / rows.norm(dim=1, keepdim=True)


def rest(vectors: torch.Tensor, found: torch.Tensor) -> float:
    """The error that a basis leaves."""
    return error(vectors, coefficients(vectors, found, updates=200), found)


def test_a_planted_basis_is_found() -> None:
    vectors, rows = planted()
    found = basis(vectors, 3, draw(), updates=500)
    assert found.shape == (3, 12)
    assert (found >= 0).all()
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))
    alike = found @ rows.T
    mine, theirs = linear_sum_assignment(-alike.numpy())
    assert alike[mine, theirs].min() > 0.995
    weights = coefficients(vectors, found, updates=500)
    assert error(vectors, weights, found) < 1e-3 * float(vectors.square().sum())


def test_more_updates_never_raise_the_error() -> None:
    vectors = torch.rand(150, 20, generator=draw(4))
    errors = [rest(vectors, basis(vectors, 4, draw(), 1, updates=n)) for n in (1, 2, 4, 8, 32, 128)]
    assert all(later <= before * (1 + 1e-5) for before, later in pairwise(errors))
    assert errors[-1] < 0.95 * errors[0]


def test_the_best_of_several_starts_is_kept() -> None:
    vectors, _ = planted(k=6, channels=24)
    random = draw(5)
    alone = [basis(vectors, 6, random, 1) for _ in range(4)]
    best = basis(vectors, 6, draw(5), 4)
    errors = [rest(vectors, one) for one in alone]
    assert min(errors) < 0.9 * max(errors), "the starts end alike: nothing is tested here"
    chosen = min(range(4), key=errors.__getitem__)
    assert torch.equal(best, alone[chosen])
    assert rest(vectors, best) < errors[0] or chosen == 0


def test_coefficients_are_those_of_least_squares_and_of_each_vector_alone() -> None:
    vectors, rows = planted()
    vectors = vectors + 0.05 * torch.rand(vectors.shape, generator=draw(6))
    found = coefficients(vectors, rows, updates=3000)
    expected = torch.stack(
        [
            torch.from_numpy(nnls(rows.T.double().numpy(), v.double().numpy())[0])
            for v in vectors[:40]
        ]
    )
    torch.testing.assert_close(found[:40].double(), expected, atol=5e-3, rtol=0)
    torch.testing.assert_close(coefficients(vectors[7:8], rows), coefficients(vectors, rows)[7:8])


def test_error_is_that_of_the_whole_product() -> None:
    vectors, rows = planted(count=20_000)
    weights = torch.rand(20_000, 3, generator=draw(7))
    expected = float((vectors.double() - weights.double() @ rows.double()).square().sum())
    assert error(vectors, weights, rows) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("k", [0, 13])
def test_a_basis_that_cannot_be_is_refused(k: int) -> None:
    with pytest.raises(InvalidInput, match=f"no basis of {k}"):
        basis(planted()[0], k, draw())


def test_values_below_zero_are_refused() -> None:
    with pytest.raises(InvalidInput, match="below 0") as raised:
        basis(planted()[0] - 0.5, 3, draw())
    assert "ReLU" in raised.value.cure
