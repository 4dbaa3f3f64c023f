"""What SCOPS asks of its parts. Probabilities (B, K, S, S) are those of parts, without the background's.

Source: Hung et al. 2019, §3; NVlabs/SCOPS 05da7e4, loss.py and scops_trainer.py.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from bench_scops.settings import Mean
from benchmark.training.positions import pixel_centres
from benchmark.warps.thin_plate import Warp


class Moments(NamedTuple):
    """Of each map: `centres` (B, K, 2), (x, y) in half sides, and `variances` (B, K, 2) of both."""

    centres: Tensor
    variances: Tensor


def moments(probabilities: Tensor, mass_floor: float, counted: Tensor | None = None) -> Moments:
    """Where maps lie, `mass_floor` added to each of their pixels; what is not `counted`, as in
    `equivariance`, holds no more than that.

    >>> maps = torch.zeros(1, 1, 4, 4)
    >>> maps[0, 0, 0, 1] = maps[0, 0, 0, 3] = 1.0
    >>> [part.flatten().tolist() for part in moments(maps, 0.0)]
    [[0.25, -0.75], [0.25, 0.0]]
    """
    maps = (probabilities if counted is None else probabilities * counted) + mass_floor
    share = maps / maps.sum((-2, -1), keepdim=True)
    places = pixel_centres(maps.shape[-1], device=maps.device)
    along = torch.stack([share.sum(-2), share.sum(-1)], 2)  # (B, K, 2, S): along x, along y
    centres = along @ places
    return Moments(centres, (along * (places - centres[..., None]).square()).sum(-1))


def concentration(variances: Tensor, divided: str) -> Tensor:
    """Σ_k of variances (B, K, 2) in x and in y, a mean over images.

    `divided` "twice" divides by the batch once more, as released: the weight then falls with the batch.

    >>> concentration(torch.full((6, 1, 2), 0.3), "twice").item()  # 0.6 / 6
    0.10000000149011612
    """
    mean = variances.sum((1, 2)).mean()
    return mean / len(variances) if divided == "twice" else mean


def equivariance(wanted: Tensor, found: Tensor, over: Mean, counted: Tensor | None) -> Tensor:
    """KL(softmax of `wanted` ‖ softmax of `found`), logits (B, K + 1, S, S); no gradient to `wanted`.

    The mean is over pixels or, as released, over pixels and channels. `counted` (B, 1, S, S), 0 or 1,
    says which pixels count; all where it is None.

    >>> wanted, found = torch.log(torch.tensor([[3.0, 1.0]])), torch.zeros(1, 2)
    >>> pair = (x.view(1, 2, 1, 1) for x in (wanted, found))
    >>> round(equivariance(*pair, "pixels", None).item(), 4)  # ¾ ln 1.5 + ¼ ln 0.5
    0.1308
    """
    target = wanted.detach().log_softmax(1)
    apart = (target.exp() * (target - found.log_softmax(1))).sum(1, keepdim=True)
    mean = apart.mean() if counted is None else (apart * counted).sum() / counted.sum().clamp(min=1)
    return mean / wanted.shape[1] if over == "elements" else mean


def inside(warp: Warp, side: int) -> Tensor:
    """(N, 1, side, side): 1 where a warped picture shows the picture, 0 beyond its border."""
    ones = torch.ones(len(warp), 1, side, side, device=warp.device)
    return (warp.warp(ones) > 0.999).float()


def consistency(probabilities: Tensor, basis: Tensor, features: Tensor, over: Mean) -> Tensor:
    """(Σ_k p_k·w_k - f)² with the basis w (K, C) and features f (B, C, S, S).

    A mean over pixels or, as released, over pixels and channels.
    """
    explained = torch.einsum("bkhw,kc->bchw", probabilities, basis)
    squared = (explained - features).square().mean()
    return squared * features.shape[1] if over == "pixels" else squared


def orthonormality(basis: Tensor) -> Tensor:
    """Σ (ŵ ŵᵀ - I)² of a basis (K, C), each row brought to length 1 (1e-6 inside of the root).

    >>> round(orthonormality(torch.tensor([[2.0, 0.0], [1.0, 1.0]])).item(), 4)  # 2 · ½
    1.0
    """
    rows = basis / (basis.square().sum(1, keepdim=True) + 1e-6).sqrt()
    unlike = rows @ rows.T - torch.eye(len(rows), device=rows.device)
    return unlike.square().sum()


def centre_equivariance(wanted: Tensor, found: Tensor) -> Tensor:
    """The mean square difference of centres (B, K, 2); gradients flow to both."""
    return functional.mse_loss(found, wanted)
