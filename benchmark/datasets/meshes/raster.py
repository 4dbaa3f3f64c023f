"""Drawing a mesh from one side by a depth buffer: colours, coverage and exact depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.datasets.meshes.mesh import Mesh

FOCAL, DISTANCE = 1.875, 2.0
"""A 60 mm lens on a 32 mm sensor, in widths of the picture, and how far off the camera stands: those of
the renders of eldar/differentiable-point-clouds @ d9b6725."""

LIGHT = np.array([0.3, 1.0, 0.5]) / np.sqrt(1.34)
"""Where the light comes from, in the frame of the object: it stays as the camera goes round."""
AMBIENT = 0.5

NEAR = 0.05  # what comes nearer to the camera than this can't be drawn
TESTED = 2_000_000  # pairs of triangle and sample in memory at a time, some 100 MB


@dataclass(frozen=True)
class View:
    """A picture: `rgba` uint8 (S, S, 4), black where alpha is 0; `depth` float64 (S, S), along the
    optical axis, of the nearest sample in a pixel, infinite where nothing is."""

    rgba: np.ndarray
    depth: np.ndarray


def draw(
    mesh: Mesh,
    rotation: np.ndarray,
    size: int,
    *,
    focal: float = FOCAL,
    distance: float = DISTANCE,
    samples: int = 2,
) -> View:
    """The mesh as a camera sees it that looks at the origin from `distance`.

    `rotation` (3, 3) takes points of the mesh to the camera's axes (forward, up, right); a point at the
    depth d lands `focal` · (right, up) / d from the middle of the picture, which is 1 wide, as
    `benchmark.metrics.camera.project` has it. A pixel has `samples` × `samples` samples in its even
    parts; alpha is the share of them that the mesh covers, the colour the mean of those. Both sides of a
    triangle are drawn, flat shaded by the angle to the light. Raises `InvalidInput` where the mesh
    reaches the camera.

    >>> square = np.array([[[0, -1, -1], [0, 1, -1], [0, -1, 1]], [[0, 1, 1], [0, 1, -1], [0, -1, 1]]])
    >>> view = draw(Mesh.plain(0.2 * square), np.eye(3), 16)
    >>> view.rgba[..., 3].astype(bool).sum(), view.depth[8, 8]
    (36, 2.0)
    """
    seen = mesh.corners @ np.asarray(rotation, np.float64).T
    depth = seen[..., 0] + distance
    if depth.size and depth.min() <= NEAR:
        raise InvalidInput("the mesh reaches the camera", cure="stand further off")
    side = size * samples
    # in samples: columns to the right, rows down, the first sample's middle at 0
    x = (focal * seen[..., 2] / depth + 0.5) * side - 0.5
    y = (0.5 - focal * seen[..., 1] / depth) * side - 0.5
    buffer = _Buffer(side)
    planes, there = _barycentric(x, y)
    faces = np.flatnonzero(there)
    low_x, low_y = (np.maximum(np.ceil(c.min(axis=1)), 0) for c in (x[faces], y[faces]))
    high_x, high_y = (np.minimum(np.floor(c.max(axis=1)), side - 1) for c in (x[faces], y[faces]))
    wide = np.maximum(high_x - low_x + 1, 0).astype(np.int64)
    high = np.maximum(high_y - low_y + 1, 0).astype(np.int64)
    ends = np.cumsum(wide * high)
    first = 0
    while first < len(faces):
        # as many triangles as fit, at least one
        before = ends[first - 1] if first else 0
        last = max(int(np.searchsorted(ends, before + TESTED, "right")), first + 1)
        part = slice(first, last)
        buffer.add(faces[part], low_x[part], low_y[part], wide[part], high[part], planes, 1 / depth)
        first = last
    return _view(mesh, buffer, planes, 1 / depth, samples)


def _barycentric(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The planes (F, 3, 3) of the three barycentric coordinates over (x, y, 1), and whether a triangle
    has an area to be seen at all."""
    nexts, lasts = [1, 2, 0], [2, 0, 1]
    across = y[:, nexts] - y[:, lasts]
    along = x[:, lasts] - x[:, nexts]
    constant = x[:, nexts] * y[:, lasts] - x[:, lasts] * y[:, nexts]
    area = constant.sum(axis=1)
    there = np.abs(area) > 1e-12
    scale = np.where(there, area, 1)[:, None]
    return np.stack([across / scale, along / scale, constant / scale], axis=2), there


class _Buffer:
    """The nearest triangle of each sample so far, and one over its depth."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.near = np.zeros(side * side)
        self.face = np.full(side * side, -1, np.int64)

    def add(
        self,
        faces: np.ndarray,
        low_x: np.ndarray,
        low_y: np.ndarray,
        wide: np.ndarray,
        high: np.ndarray,
        planes: np.ndarray,
        inverse: np.ndarray,
    ) -> None:
        """Try the triangles `faces` on all samples of their boxes."""
        counts = wide * high
        which = np.repeat(np.arange(len(faces)), counts)
        step = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
        x = low_x[which] + step % wide[which]
        y = low_y[which] + step // wide[which]
        face = faces[which]
        inside = np.ones(len(face), np.bool_)
        near = np.zeros(len(face))
        for corner in range(3):
            a, b, c = (planes[face, corner, k] for k in range(3))
            weight = a * x + b * y + c
            # a sample on the edge of two triangles belongs to both, so that no seam shows through
            inside &= weight >= -1e-9
            # one over the depth is linear over the picture
            near += weight * inverse[face, corner]
        face, near = face[inside], near[inside]
        at = (y[inside] * self.side + x[inside]).astype(np.int64)
        np.maximum.at(self.near, at, near)
        won = near == self.near[at]
        self.face[at[won]] = face[won]


def _view(
    mesh: Mesh, buffer: _Buffer, planes: np.ndarray, inverse: np.ndarray, samples: int
) -> View:
    side, size = buffer.side, buffer.side // samples
    at = np.flatnonzero(buffer.face >= 0)
    face = buffer.face[at]
    place = np.stack([at % side, at // side, np.ones(len(at))], axis=1)
    # in the plane of the triangle, not of the picture: each weight over its corner's depth
    weight = np.einsum("nck,nk->nc", planes[face], place) * inverse[face]
    weight /= weight.sum(axis=1, keepdims=True)
    colours = mesh.colours[face] * _shade(mesh)[face, None]
    uv = np.einsum("nc,nck->nk", weight, mesh.uv[face])
    for number, texture in enumerate(mesh.textures):
        worn = mesh.texture[face] == number
        colours[worn] *= _texels(texture, uv[worn])
    sums, covered = np.zeros((side * side, 3)), np.zeros(side * side)
    sums[at], covered[at] = colours, 1
    shares = covered.reshape(size, samples, size, samples).mean(axis=(1, 3))
    means = sums.reshape(size, samples, size, samples, 3).mean(axis=(1, 3))
    means /= np.maximum(shares, 1e-12)[..., None]
    rgba = np.concatenate([means, shares[..., None]], axis=2)
    nearest = buffer.near.reshape(size, samples, size, samples).max(axis=(1, 3))
    with np.errstate(divide="ignore"):
        return View(np.round(255 * rgba.clip(0, 1)).astype(np.uint8), 1 / nearest)


def _shade(mesh: Mesh) -> np.ndarray:
    """How bright each triangle is, (F,)."""
    a, b, c = mesh.corners.transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1)
    facing = np.abs(normal @ LIGHT) / np.where(length > 0, length, 1)
    shade: np.ndarray = AMBIENT + (1 - AMBIENT) * facing
    return shade


def _texels(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """The nearest texel's colour (N, 3) in [0, 1]; textures repeat."""
    height, width = texture.shape[:2]
    column = np.floor(uv[:, 0] % 1 * width).astype(np.int64).clip(0, width - 1)
    row = np.floor((1 - uv[:, 1]) % 1 * height).astype(np.int64).clip(0, height - 1)
    found: np.ndarray = texture[row, column] / 255
    return found
