"""Non-negative matrix factorisation: vectors as sums of a few non-negative ones.

V ≈ W·H with V (n, C), coefficients W (n, k) and a basis H (k, C), none of them below 0, by the
multiplicative updates that never raise |V - W·H|² (Lee and Seung 2001, theorem 1).
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.contracts.errors import InvalidInput

_TINY = 1e-9
CHUNK = 8192


def basis(
    vectors: Tensor, k: int, draw: torch.Generator, starts: int = 3, updates: int = 200
) -> Tensor:
    """The basis float32 (k, C) of vectors (n, C), rows of length 1: the best of several random starts.

    NMF has many local minima; the one kept is that of the smallest |V - W·H|². `draw` and `vectors` lie
    on one device. Raises `InvalidInput` for vectors with values below 0 and for `k` beyond n or C.

    Example: maps (B, C, h, w) of a network that ends in a ReLU, in 4 parts:
    `basis(maps.movedim(1, -1).flatten(0, 2), 4, draw)`.
    """
    if not 1 <= k <= min(vectors.shape):
        raise InvalidInput(
            f"{len(vectors)} vectors of {vectors.shape[1]} values have no basis of {k}",
            cure=f"choose 1 to {min(vectors.shape)}",
        )
    if vectors.min() < 0:
        raise InvalidInput(
            "vectors with values below 0 are no sums of non-negative ones",
            cure="take maps from behind a ReLU",
        )
    found = [_factors(vectors, k, draw, updates) for _ in range(starts)]
    best = found[0][1] if starts == 1 else min(found, key=lambda f: error(vectors, *f))[1]
    return best / best.norm(dim=1, keepdim=True).clamp(min=_TINY)


def coefficients(vectors: Tensor, basis: Tensor, updates: int = 50) -> Tensor:
    """Non-negative W (n, k) with vectors (n, C) ≈ W·basis, from the same start for every vector.

    So a vector's coefficients depend on it alone, whichever others it is given with.
    """
    products, gram = vectors @ basis.T, basis @ basis.T
    found = torch.full_like(products, 1.0)
    for _ in range(updates):
        found *= products / (found @ gram + _TINY)
    return found


def error(vectors: Tensor, weights: Tensor, basis: Tensor) -> float:
    """|V - W·H|², the sum over all values of all vectors.

    >>> error(torch.tensor([[3.0, 1.0]]), torch.tensor([[2.0]]), torch.tensor([[1.0, 1.0]]))
    2.0
    """
    chunks = zip(vectors.split(CHUNK), weights.split(CHUNK), strict=True)
    return sum(float((v - w @ basis).square().sum(dtype=torch.float64)) for v, w in chunks)


def _factors(vectors: Tensor, k: int, draw: torch.Generator, updates: int) -> tuple[Tensor, Tensor]:
    """W (n, k) and H (k, C) after so many updates from one random start."""
    scale = (vectors.mean() / k).sqrt()

    def start(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=draw, device=draw.device) * scale + _TINY

    weights, rows = start(len(vectors), k), start(k, vectors.shape[1])
    for _ in range(updates):
        weights *= (vectors @ rows.T) / (weights @ (rows @ rows.T) + _TINY)
        rows *= (weights.T @ vectors) / ((weights.T @ weights) @ rows + _TINY)
    return weights, rows
