"""A cloud seen by a camera, softly: splat into voxels, blur, and follow the rays.

Everything has gradients with respect to points, rotations and scales. The steps and constants are those
of Insafutdinov and Dosovitskiy 2018, and facts about eldar/differentiable-point-clouds @ d9b6725; the
forms are exact and cheap ones: a product with a banded matrix for each axis of the blur, one scatter of
all eight corners, and no cumulative product where a silhouette is all that is asked.

Camera axes are (forward, up, right). Voxels are (depth, row, column): near ones and the top come first.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from bench_dpc.rotations import matrices

Cells = Literal["corners", "centres"]
NEARLY = 1e-5
"""No voxel is emptier than this, or fuller than one less this: logarithms stay finite."""


class Cameras(NamedTuple):
    """Where the cameras of B pictures are.

    A point p of the object is at `rotation` p + `translation` in axes (forward, up, right).
    """

    rotation: Tensor
    """(B, 4) quaternions (w, x, y, z) of any length."""
    translation: Tensor
    """(B, 3), in units of the object."""
    focal: Tensor
    """(B,), in widths of the picture."""

    @classmethod
    def looking(cls, rotation: Tensor, focal: float, distance: float) -> Cameras:
        """Cameras that stand `distance` from the origin and look at it."""
        count = len(rotation)
        away = rotation.new_tensor([distance, 0.0, 0.0]).expand(count, 3)
        return cls(rotation, away, rotation.new_full((count,), focal))


def seen(points: Tensor, cameras: Cameras) -> Tensor:
    """Where points (B, N, 3) of objects lie in the cube that a camera sees: (B, N, 3).

    (depth, down, right): the last two are in widths of the picture, its middle at 0, so that its
    borders are ±0.5; depth is in units of the object, 0 where the object's origin is. Points that are
    not in front of the camera are far outside.

    Example: at distance 2 and focal length 1.875 the point (-1, 0, 0.4) of an unturned object is at
    (-1, 0, 0.75).
    """
    turned = points @ matrices(cameras.rotation).transpose(1, 2)
    forward, up, right = (turned + cameras.translation[:, None]).unbind(-1)
    ahead = forward > 1e-3
    shrink = cameras.focal[:, None] / torch.where(ahead, forward, 1.0)
    depth = forward - cameras.translation[:, :1]
    found = torch.stack([depth, -up * shrink, right * shrink], -1)
    return torch.where(ahead[..., None], found, 9.0)


def splat(places: Tensor, side: int, cells: Cells = "centres") -> Tensor:
    """How many points each voxel holds: (B, N, 3) in [-0.5, 0.5] become (B, side, side, side).

    Each point is shared by the eight voxels around it (trilinear). Points outside the cube count nothing
    and get no gradient. `cells` says where voxel i lies: "centres" at (i + 0.5) / side - 0.5, as the
    pixels of a picture do; "corners", as released, at i / (side - 1) - 0.5, which draws a picture
    smaller by a share of 1 / side. With "centres" what a point at the very border
    would give to a voxel outside is lost.

    Example: of a point at the origin each of the 8 voxels in the middle of 4³ holds 1/8.
    """
    count = len(places)
    inside = (places.abs() <= 0.5).all(-1)
    at = (places + 0.5) * (side - 1) if cells == "corners" else (places + 0.5) * side - 0.5
    low = at.detach().floor()
    share = at - low
    pair = torch.stack([low, low + 1], -1)
    there = (pair >= 0) & (pair < side) & inside[:, :, None, None]
    weight = torch.stack([1 - share, share], -1).masked_fill(~there, 0.0)
    index = pair.masked_fill(~there, 0.0).long()
    a, b, c = weight.unbind(2)
    i, j, k = index.unbind(2)
    near = a[..., :, None, None] * b[..., None, :, None] * c[..., None, None, :]
    where = (i[..., :, None, None] * side + j[..., None, :, None]) * side + k[..., None, None, :]
    empty = places.new_zeros(count, side**3)
    full = empty.scatter_add(1, where.reshape(count, -1), near.reshape(count, -1))
    return full.view(count, side, side, side)


def blur_matrix(side: int, sigma: float, taps: int, like: Tensor) -> Tensor:
    """The banded matrix (side, side) of a Gaussian of `sigma` voxels, cut to `taps`, with zeros around.

    The taps sum to one. In the dtype and on the device of `like`.

    >>> blur_matrix(4, 1.0, 3, torch.zeros(1)).mul(1000).round().int().tolist()
    [[452, 274, 0, 0], [274, 452, 274, 0], [0, 274, 452, 274], [0, 0, 274, 452]]
    """
    offset = torch.arange(taps, dtype=torch.float64) - taps // 2
    total = (-0.5 * (offset / sigma) ** 2).exp().sum()
    at = torch.arange(side, dtype=torch.float64)
    away = at[:, None] - at
    band = (-0.5 * (away / sigma) ** 2).exp() / total
    return band.masked_fill(away.abs() > taps // 2, 0.0).to(like)


def blurred(voxels: Tensor, matrix: Tensor) -> Tensor:
    """Voxels (B, V, V, V) blurred along their three axes by a symmetric matrix (V, V)."""
    along_depth = (matrix @ voxels.flatten(2)).view_as(voxels)
    return matrix @ along_depth @ matrix


def occupancy(
    points: Tensor,
    scale: Tensor,
    cameras: Cameras,
    *,
    side: int,
    sigma: float,
    taps: int = 21,
    cells: Cells = "centres",
) -> Tensor:
    """How full the voxels before each camera are, (B, side, side, side) in [0, 1].

    points (B, N, 3), scale (B,): how full a voxel may get. Points in one voxel count once before
    the blur of `sigma` voxels.
    """
    full = splat(seen(points, cameras), side, cells).clamp(max=1)
    soft = blurred(full, blur_matrix(side, sigma, taps, full))
    return (soft * scale[:, None, None, None]).clamp(0, 1)


def _never_certain(voxels: Tensor) -> Tensor:
    return voxels.clamp(NEARLY, 1 - NEARLY)


def silhouettes(voxels: Tensor) -> Tensor:
    """How likely the ray of each pixel ends in a voxel: (B, V, V, V) become (B, V, V).

    One less what passes all of them: the product of what each lets through.
    """
    return 1 - torch.log1p(-_never_certain(voxels)).sum(1).exp()


def terminations(voxels: Tensor) -> Tensor:
    """Where the ray of each pixel ends: (B, V + 1, V, V), the last being the background; sums to one.

    The voxel at depth i ends the rays that no nearer one has ended, by its occupancy.
    """
    voxels = _never_certain(voxels)
    passed = torch.log1p(-voxels).cumsum(1).exp()
    first = torch.ones_like(passed[:, :1])
    return torch.cat([voxels * torch.cat([first, passed[:, :-1]], 1), passed[:, -1:]], 1)
