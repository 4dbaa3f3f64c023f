"""Other ways from the hypercolumn to few channels, to compare stage 2 with.

Each is a linear map of a hypercolumn h: (h - mean) · matrix for PCA and the random projection, and
the non-negative coefficients of h in a learned basis for NMF.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.contracts.errors import BenchError
from benchmark.training import nmf

#: Vectors (positions of training images) that a reduction is fitted on at most.
SAMPLE = 50_000


def fit(kind: str, vectors: Tensor, dimension: int, draw: torch.Generator) -> dict[str, Tensor]:
    """What `apply` needs, from hypercolumns (n, C): "matrix" (C, D), and "mean" (C,) for PCA."""
    channels = vectors.shape[1]
    if dimension > min(channels, len(vectors)):
        raise BenchError(
            f"{kind} cannot make {dimension} channels of {channels} channels and "
            f"{len(vectors)} vectors",
            cure="lower the dimension",
        )
    if kind == "random_projection":
        return {"matrix": torch.randn(channels, dimension, generator=draw) / dimension**0.5}
    if kind == "pca":
        mean = vectors.mean(0)
        centred = (vectors - mean).double()
        basis = torch.linalg.eigh(centred.T @ centred).eigenvectors
        return {"matrix": basis[:, -dimension:].flip(1).float().contiguous(), "mean": mean}
    return {"matrix": nmf.basis(vectors, dimension, draw, starts=1).T.contiguous()}


def apply(kind: str, state: dict[str, Tensor], maps: Tensor) -> Tensor:
    """Hypercolumn maps (B, C, h, w) → (B, D, h, w)."""
    vectors = maps.movedim(1, -1).flatten(0, 2)
    if kind == "nmf":
        reduced = nmf.coefficients(vectors, state["matrix"].T)
    elif kind == "pca":
        reduced = (vectors - state["mean"]) @ state["matrix"]
    else:
        reduced = vectors @ state["matrix"]
    batch, _, height, width = maps.shape
    return reduced.view(batch, height, width, -1).movedim(-1, 1).contiguous()
