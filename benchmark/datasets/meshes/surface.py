"""The true cloud of a mesh, made as that of ShapeNet's models: subdivided, then thinned in voxels."""

from __future__ import annotations

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.datasets.meshes.mesh import Mesh

NEW_VERTICES = 100_000
VOXEL = 0.01
"""What eldar/differentiable-point-clouds @ d9b6725 makes its clouds with (data/*ground_truth*)."""


def true_cloud(mesh: Mesh, new_vertices: int = NEW_VERTICES, voxel: float = VOXEL) -> np.ndarray:
    """Points float32 (P, 3) on the surface: `subdivided`, then `thinned`.

    P is what the mesh makes of it: 13,698 and 17,405 of a low racing car and a van of diagonal 1.
    """
    return thinned(subdivided(mesh, new_vertices), voxel).astype(np.float32)


def subdivided(mesh: Mesh, new_vertices: int) -> np.ndarray:
    """The vertices of a mesh and n new ones, float64 (V + n, 3): the longest edge of all is split in its
    middle, n times.

    A triangle is always split at its own longest edge, for the longest of all is that of the triangles
    at it. So triangles are split on their own, at once, down to some length, and of the new vertices
    those on the n longest edges are kept. Of edges of one length any may come first.
    Raises `InvalidInput` for a mesh without area.

    >>> corner = Mesh.plain(np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]]]))
    >>> subdivided(corner, 1)[3:].tolist()
    [[0.5, 0.5, 0.0]]
    """
    points, faces = mesh.vertices()
    if not len(faces):
        raise InvalidInput("a mesh without area has no surface to take points from")
    corners = points[faces]
    doubled = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    if not doubled.any():
        raise InvalidInput("a mesh without area has no surface to take points from")
    # a first guess, from even triangles, of which there are two for each vertex
    shortest = float(np.sqrt(doubled.sum() / max(new_vertices, 1)))
    while True:
        middles, lengths = _split(corners, shortest)
        unique, first = np.unique(middles, axis=0, return_index=True)
        if len(unique) >= new_vertices:
            longest = np.argsort(-lengths[first], kind="stable")[:new_vertices]
            return np.concatenate([points, unique[longest]])
        shortest *= 0.8


def _split(corners: np.ndarray, shortest: float) -> tuple[np.ndarray, np.ndarray]:
    """The middles (M, 3) and lengths (M,) of all edges that are split until none is longer than
    `shortest`; an edge of two triangles comes twice."""
    middles, lengths = [np.zeros((0, 3))], [np.zeros(0)]
    while len(corners):
        edges = np.linalg.norm(corners - corners[:, [1, 2, 0]], axis=2)
        longest = edges.argmax(axis=1)
        rows = np.flatnonzero(edges.max(axis=1) > shortest)
        if not len(rows):
            break
        a, b, c = (corners[rows, (longest[rows] + k) % 3] for k in range(3))
        middle = (a + b) / 2
        middles.append(middle)
        lengths.append(edges[rows, longest[rows]])
        corners = np.concatenate([np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)])
    return np.concatenate(middles), np.concatenate(lengths)


def thinned(points: np.ndarray, voxel: float) -> np.ndarray:
    """The mean of the points in each cube of side `voxel`, float64 (P, 3), cubes in order.

    Cubes are counted from half a side below the least coordinates, as Open3D does.

    >>> thinned(np.array([[0.0, 0, 0], [0.25, 0, 0], [1.0, 0, 0]]), 1.0).tolist()
    [[0.125, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    cubes = np.floor((points - (points.min(axis=0) - voxel / 2)) / voxel).astype(np.int64)
    _, numbers, counts = np.unique(cubes, axis=0, return_inverse=True, return_counts=True)
    numbers = numbers.ravel()
    sums = np.stack(
        [np.bincount(numbers, points[:, k], len(counts)) for k in range(3)],
        axis=1,
    )
    means: np.ndarray = sums / counts[:, None]
    return means
