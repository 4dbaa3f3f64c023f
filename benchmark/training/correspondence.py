"""How far off soft matches between two images are: the cost that DVE and its kin step down."""

from __future__ import annotations

import torch
from torch import Tensor


def cells(side: int, stride: int, device: torch.device | str = "cpu") -> Tensor:
    """Float (side², 2): the pixel (x, y) at which each cell of a map begins, row by row.

    >>> cells(2, 4).tolist()
    [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]]
    """
    at = torch.arange(side, device=device).float() * stride
    y, x = torch.meshgrid(at, at, indexing="ij")
    return torch.stack([x, y], -1).flatten(0, 1)


def distance_cost(wanted: Tensor, places: Tensor, power: float = 0.5) -> Tensor:
    """|wanted - place|^power of points (…, U, 2) and places (V, 2), in their unit: (…, U, V).

    Source: DVE (Thewlis et al. 2019), whose power is 0.5.

    >>> distance_cost(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 0.0]]), 2.0).tolist()
    [[25.0, 0.0]]
    """
    # the root would make much of the small errors that a product of matrices leaves near 0
    apart = torch.cdist(wanted, places, compute_mode="donot_use_mm_for_euclid_dist")
    return apart**power


def expected_cost(logits: Tensor, cost: Tensor) -> Tensor:
    """Mean over queries of Σ_v softmax(logits)_v · cost_v, for both (…, U, V); a scalar.

    >>> expected_cost(torch.zeros(1, 2), torch.tensor([[1.0, 3.0]])).item()
    2.0
    """
    if logits.dtype in (torch.float16, torch.bfloat16):
        logits = logits.float()
    return (logits.softmax(-1) * cost).sum(-1).mean()
