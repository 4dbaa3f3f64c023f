"""Cameras of rendered objects: where they stand, and the rotation that takes the object to them.

Axes of a camera are named by what they point at: `forward_up_right` is the order of differentiable
point clouds, `right_down_forward` that of pixels and depth.
"""

from __future__ import annotations

import numpy as np

from benchmark.contracts.errors import InvalidInput

RIGHT_DOWN_FORWARD_TO_FORWARD_UP_RIGHT = np.array([[0.0, 0, 1], [0, -1, 0], [1, 0, 0]])
"""Turns coordinates in the one order of axes into the other; a rotation, and its own inverse."""

OBJ_TO_WORLD = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""What Blender does to an OBJ file: y up becomes z up."""


def looking_at_origin(position: np.ndarray) -> np.ndarray:
    """Rotation matrix (3, 3), float64, of an upright camera at `position` (3,) that sees the origin.

    `position` is in the renderer's world (z up). The matrix takes points of the raw OBJ file (y up)
    to axes (forward, up, right). Raises InvalidInput for a camera on the vertical axis, and NaN.

    Source: what the rendering script of shubhtuls/drc @ ce5f497 does; the same rotation as
    eldar/differentiable-point-clouds @ d9b6725 util/camera.py.

    >>> (looking_at_origin(np.array([-2.0, 0.0, 0.0])) + 0.0).round(6)
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """
    position = np.asarray(position, np.float64)
    if position.shape != (3,) or not np.isfinite(position).all():
        raise InvalidInput(f"a camera's position must be three finite numbers, got {position}")
    if not position[:2].any():
        raise InvalidInput("a camera straight above or below the object has no upright")
    forward = -position / np.linalg.norm(position)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return np.stack([forward, np.cross(right, forward), right]) @ OBJ_TO_WORLD


def quaternion_of(rotation: np.ndarray) -> np.ndarray:
    """Unit quaternion (w, x, y, z), w >= 0, float64, of a rotation matrix (3, 3).

    The eigenvector of the largest eigenvalue of Bar-Itzhack's matrix: nothing is divided, so half
    turns are no exception.

    >>> quaternion_of(np.diag([1.0, -1.0, -1.0])) + 0.0
    array([0., 1., 0., 0.])
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = np.asarray(rotation, np.float64)
    symmetric = np.array(
        [
            [xx + yy + zz, zy - yz, xz - zx, yx - xy],
            [zy - yz, xx - yy - zz, xy + yx, xz + zx],
            [xz - zx, xy + yx, yy - xx - zz, yz + zy],
            [yx - xy, xz + zx, yz + zy, zz - xx - yy],
        ]
    )
    found: np.ndarray = np.linalg.eigh(symmetric)[1][:, 3]
    largest = found[np.argmax(np.abs(found))] if abs(found[0]) < 1e-12 else found[0]
    return found * np.sign(largest)
