from __future__ import annotations

import pytest
import torch
from bench_lead import reductions

from benchmark.contracts.errors import BenchError


def draw() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def low_rank() -> torch.Tensor:
    """Non-negative vectors (400, 12) of rank 3."""
    return torch.rand(400, 3, generator=draw()) @ torch.rand(3, 12, generator=draw())


def as_maps(vectors: torch.Tensor) -> torch.Tensor:
    return vectors.view(4, 10, 10, -1).movedim(-1, 1)


def as_vectors(maps: torch.Tensor) -> torch.Tensor:
    return maps.movedim(1, -1).flatten(0, 2)


def test_pca_keeps_distances_of_data_of_low_rank() -> None:
    vectors = low_rank()
    state = reductions.fit("pca", vectors, 3, draw())
    reduced = as_vectors(reductions.apply("pca", state, as_maps(vectors)))
    torch.testing.assert_close(
        torch.pdist(reduced[:50]), torch.pdist(vectors[:50]), atol=1e-4, rtol=0
    )
    assert reduced.mean(0).abs().max() < 1e-5
    spread = reduced.var(0)
    assert spread[0] > spread[1] > spread[2]


def test_nmf_rebuilds_data_of_low_rank_from_nonnegative_parts() -> None:
    vectors = low_rank()
    state = reductions.fit("nmf", vectors, 3, draw())
    assert float(state["matrix"].min()) >= 0
    reduced = as_vectors(reductions.apply("nmf", state, as_maps(vectors)))
    assert float(reduced.min()) >= 0
    error = (reduced @ state["matrix"].T - vectors).norm() / vectors.norm()
    assert float(error) < 0.03


def test_random_projection_keeps_distances_roughly() -> None:
    vectors = torch.rand(300, 500, generator=draw())
    state = reductions.fit("random_projection", vectors, 256, draw())
    ratio = torch.pdist(vectors @ state["matrix"]) / torch.pdist(vectors)
    assert 0.9 < float(ratio.mean()) < 1.1
    assert float(ratio.std()) < 0.1


@pytest.mark.parametrize("kind", ["pca", "nmf", "random_projection"])
def test_each_pixel_is_reduced_by_itself(kind: str) -> None:
    vectors = low_rank()
    state = reductions.fit(kind, vectors, 2, draw())
    maps = as_maps(vectors)
    whole = reductions.apply(kind, state, maps)
    assert whole.shape == (4, 2, 10, 10)
    part = reductions.apply(kind, state, maps[2:3, :, 4:5, 7:8])
    torch.testing.assert_close(part[0, :, 0, 0], whole[2, :, 4, 7])


def test_too_many_dimensions_are_refused() -> None:
    with pytest.raises(BenchError, match="13 channels of 12"):
        reductions.fit("pca", low_rank(), 13, draw())
