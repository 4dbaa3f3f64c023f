"""The silhouette of a point cloud, as a mask that can be held against that of a surface."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks
from benchmark.metrics.camera import project


def cloud_silhouette(
    points: Any,
    size: int,
    *,
    grid: int,
    radius: float,
    threshold: float = 0.5,
    focal: float = 1.875,
    distance: float = 2.0,
) -> np.ndarray:
    """Which pixels a cloud covers once the gaps between its points are closed, bool (size, size).

    points: (P, 3) in camera axes (forward, up, right), in units of the object; the camera stands
    `distance` from the origin and has the focal length `focal`, in widths of the picture. Each point
    marks the cell it falls in, of `grid` × `grid` that the picture is divided into. The marked cells
    are closed by a disc of `radius` widths of the picture, that is dilated by it, then eroded by it:
    what the disc does not fit into fills, and the outer edge stays where the points are. A pixel is
    covered where a larger share than `threshold` of its cells is. Cells beyond the picture's border
    take part; points that are not in front of the camera are not seen. Raises `InvalidInput` for bad
    shapes, NaN, a grid that is no multiple of the size, and numbers out of range.

    Source: own definition. The projection is that of `benchmark.metrics.camera.project`.

    >>> edge = np.linspace(-0.4, 0.4, 60)
    >>> square = np.stack(np.broadcast_arrays(0.0, edge[:, None], edge), axis=-1).reshape(-1, 3)
    >>> cloud_silhouette(square, 8, grid=32, radius=0.05).astype(int).sum(axis=0).tolist()
    [0, 6, 6, 6, 6, 6, 6, 0]
    """
    (points,) = checks.arrays(points=(points, "P 3"))
    if size < 1 or grid < size or grid % size:
        raise InvalidInput(f"grid: {grid} is no multiple of the {size} pixels of the picture")
    if not (radius >= 0 and 0 <= threshold < 1):
        raise InvalidInput(
            f"radius {radius:g} must be 0 or more, threshold {threshold:g} in [0, 1)"
        )
    reach = radius * grid
    margin = 2 * int(np.ceil(reach)) + 1  # what lies farther out changes nothing in the picture
    marked = _marked(points[points[:, 0] + distance > 0], grid, margin, focal, distance)
    inner = slice(margin, margin + grid)
    closed = _closed(marked, reach)[inner, inner]
    shares = closed.reshape(size, grid // size, size, grid // size).mean(axis=(1, 3))
    covered: np.ndarray = shares > threshold
    return covered


def _marked(
    points: np.ndarray, grid: int, margin: int, focal: float, distance: float
) -> np.ndarray:
    """The cells with a point, bool (R, R), of the picture and a margin around it; up is row 0."""
    side = grid + 2 * margin
    marked = np.zeros((side, side), np.bool_)
    if len(points):
        right, up = project(points, focal, distance).T
        at = np.stack([0.5 - up, 0.5 + right]) * grid + margin
        row, column = at[:, ((at >= 0) & (at < side)).all(axis=0)].astype(int)
        marked[row, column] = True
    return marked


def _closed(marked: np.ndarray, reach: float) -> np.ndarray:
    """Cells dilated, then eroded by a disc of `reach` cells, by exact distances between centres."""
    if not marked.any():
        return marked
    grown = distance_transform_edt(~marked) <= reach
    if grown.all():
        return grown
    closed: np.ndarray = distance_transform_edt(grown) > reach
    return closed
