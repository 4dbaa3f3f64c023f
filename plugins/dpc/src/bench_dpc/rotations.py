"""Rotations as quaternions (w, x, y, z), in torch: Hamilton's product; q rotates a point p to q p q*."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from benchmark.contracts.spec import CameraAxes

SWAP = (0.0, 0.5**0.5, 0.0, 0.5**0.5)
"""From axes (right, down, forward) to (forward, up, right), and back: a half turn about (1, 0, 1)."""


def unit(quaternions: Tensor) -> Tensor:
    """Quaternions (..., 4) at length one.

    >>> unit(torch.tensor([0.0, 3.0, 0.0, 4.0])).tolist() == torch.tensor([0, 0.6, 0, 0.8]).tolist()
    True
    """
    return functional.normalize(quaternions, dim=-1)


def conjugate(quaternions: Tensor) -> Tensor:
    """(w, -x, -y, -z) of (..., 4), the inverse of a unit quaternion."""
    return quaternions * quaternions.new_tensor([1.0, -1.0, -1.0, -1.0])


def multiply(first: Tensor, second: Tensor) -> Tensor:
    """Hamilton product of (..., 4) that broadcast: first do `second`, then `first`.

    >>> multiply(torch.tensor([0.0, 1, 0, 0]), torch.tensor([0.0, 0, 1, 0])).tolist()     # i j = k
    [0.0, 0.0, 0.0, 1.0]
    """
    first, second = torch.broadcast_tensors(first, second)
    w, v = first[..., :1], first[..., 1:]
    s, u = second[..., :1], second[..., 1:]
    real = w * s - (v * u).sum(-1, keepdim=True)
    return torch.cat([real, w * u + s * v + torch.linalg.cross(v, u)], -1)


def matrices(quaternions: Tensor) -> Tensor:
    """The rotation matrices (..., 3, 3) of quaternions (..., 4) of any length but zero.

    >>> quarter = torch.tensor([1.0, 0.0, 0.0, 1.0])            # about z
    >>> (matrices(quarter) @ torch.tensor([1.0, 0.0, 0.0])).round().tolist()
    [0.0, 1.0, 0.0]
    """
    w, x, y, z = unit(quaternions).unbind(-1)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def with_axes(rotations: Tensor, axes: CameraAxes) -> Tensor:
    """Rotations (..., 4) to a camera of axes (forward, up, right), as rotations to one of `axes`.

    It is its own inverse, so it also takes those of `axes` to (forward, up, right).
    """
    if axes == "forward_up_right":
        return rotations
    return multiply(rotations.new_tensor(SWAP), rotations)
