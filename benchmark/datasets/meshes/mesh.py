"""A mesh as it is drawn: triangles, their colours, and what makes one unfit to be drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

MERGED = 1e-5
"""Corners nearer than this share of the diagonal are one vertex: files split vertices at seams."""


@dataclass(frozen=True)
class Mesh:
    """F triangles in the file's own frame, y up.

    `corners` float64 (F, 3, 3): triangle, corner, (x, y, z); `colours` float64 (F, 3), rgb in [0, 1];
    `uv` float64 (F, 3, 2), where a corner lies on its texture, from the bottom left, 1 wide and high;
    `texture` int64 (F,), which of `textures` (uint8 (H, W, 3) each) a triangle wears, -1 for none.

    >>> mesh = Mesh.plain(np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]]]))
    >>> len(mesh), mesh.colours.tolist()
    (1, [[0.7, 0.7, 0.7]])
    """

    corners: np.ndarray
    colours: np.ndarray
    uv: np.ndarray
    texture: np.ndarray
    textures: tuple[np.ndarray, ...] = ()

    def __len__(self) -> int:
        return len(self.corners)

    @staticmethod
    def plain(corners: np.ndarray) -> Mesh:
        """A grey mesh of triangles (F, 3, 3)."""
        count = len(corners)
        return Mesh(
            np.asarray(corners, np.float64).reshape(count, 3, 3),
            np.full((count, 3), 0.7),
            np.zeros((count, 3, 2)),
            np.full(count, -1),
        )

    def in_shapenet_frame(self) -> Mesh:
        """The mesh as ShapeNet has its models: the middle of its box at the origin, diagonal 1.

        >>> mesh = Mesh.plain(np.array([[[0, 0, 0], [3, 0, 0], [0, 4, 0]]])).in_shapenet_frame()
        >>> mesh.corners[0].tolist()
        [[-0.3, -0.4, 0.0], [0.3, -0.4, 0.0], [-0.3, 0.4, 0.0]]
        """
        points = self.corners.reshape(-1, 3)
        low, high = points.min(axis=0), points.max(axis=0)
        diagonal = float(np.linalg.norm(high - low))
        return replace(self, corners=(self.corners - (low + high) / 2) / diagonal)

    def vertices(self) -> tuple[np.ndarray, np.ndarray]:
        """The vertices float64 (V, 3), each once, and the triangles as their numbers int64 (T, 3).

        Triangles that merging makes into lines or points are left out.
        """
        points = self.corners.reshape(-1, 3)
        step = MERGED * max(float(np.linalg.norm(np.ptp(points, axis=0))), 1e-300)
        _, first, numbers = np.unique(
            np.round((points - points.min(axis=0)) / step),
            axis=0,
            return_index=True,
            return_inverse=True,
        )
        faces = numbers.reshape(-1, 3)
        a, b, c = faces.T
        return points[first], faces[(a != b) & (b != c) & (c != a)]


def fault(mesh: Mesh, *, most_faces: int, most_non_manifold: float) -> str:
    """Why a mesh is not drawn, in words; "" where it can be.

    - it has no faces, or more than `most_faces`
    - corners are NaN or infinite, or all lie on one line
    - a share of edges above `most_non_manifold` belongs to more than two faces. A few are common in
      published models, where parts touch; open edges are no fault, for both sides are drawn.

    >>> fault(Mesh.plain(np.zeros((0, 3, 3))), most_faces=9, most_non_manifold=0.1)
    'it has no faces'
    """
    if not len(mesh):
        return "it has no faces"
    if len(mesh) > most_faces:
        return f"it has {len(mesh):,} faces, more than {most_faces:,}"
    if strange := int((~np.isfinite(mesh.corners)).any(axis=2).sum()):
        return f"{strange:,} of its {3 * len(mesh):,} corners are NaN or infinite"
    _, faces = mesh.vertices()
    if not len(faces):
        return "its faces have no area"
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    _, shared = np.unique(edges, axis=0, return_counts=True)
    share = float((shared > 2).mean())
    if share > most_non_manifold:
        return (
            f"it is not manifold: {share:.0%} of its edges belong to more than two faces, above "
            f"{most_non_manifold:.0%}"
        )
    return ""
