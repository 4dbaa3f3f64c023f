"""What LMDIS asks of its points, each a mean over images.

Points are in sides of the padded square, as in `points`. Source: Zhang et al. 2018, eq. 3 to 9;
YutingZhang/lmdis-rep 2d3830e.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.warps.thin_plate import Warp


def concentration(spread: Tensor) -> Tensor:
    """Σ_k 2πe·σ², σ the mean of a map's spreads (B, K, 2) in x and y.

    That is e to the entropy of a round Gaussian of that spread. As released; it is no variance.

    >>> round(concentration(torch.tensor([[[0.1, 0.3]]])).item(), 4)  # 2πe · 0.04
    0.6832
    """
    return (2 * torch.pi * torch.e * spread.mean(-1) ** 2).sum(1).mean()


def separation(points: Tensor, bandwidth: float) -> Tensor:
    """Σ over ordered pairs of points (B, K, 2) of exp(-d² / (2·bandwidth²)).

    >>> round(separation(torch.tensor([[[0.0, 0.0], [0.3, 0.4]]]), 0.5).item(), 4)  # 2 · exp(-0.5)
    1.2131
    """
    apart = (points[:, :, None] - points[:, None]).square().sum(-1)
    near = torch.exp(-apart / (2 * bandwidth**2))
    return (near.sum((1, 2)) - near.diagonal(dim1=1, dim2=2).sum(1)).mean()


def equivariance(points: Tensor, warped: Tensor, warp: Warp, side: int) -> Tensor:
    """Σ_k |p - q|² of points (B, K, 2) and where those of the warped image came from, in half sides.

    `side` is that of the square in pixels. Gradients flow to both; points that the warp takes out of
    the picture count as all others do.
    """
    back = warp.points_inverse(warped * side - 0.5, side, side)
    back = (back + 0.5) / side
    return (4 * (points - back).square()).sum((1, 2)).mean().float()


def reconstruction(rendered: Tensor, images: Tensor) -> Tensor:
    """½ Σ (x - y)² over pixels and colours (B, 3, S, S) in [0, 1]: a Gaussian's negative logarithm.

    Its spread is 1, the constant is left out.

    >>> reconstruction(torch.zeros(2, 3, 1, 1), torch.ones(2, 3, 1, 1)).item()
    1.5
    """
    return 0.5 * (rendered - images).square().sum((1, 2, 3)).mean()
