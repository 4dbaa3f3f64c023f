"""Cameras of rendered objects: from where they stand to the rotation that takes the object to them."""

from __future__ import annotations

import numpy as np

from benchmark.contracts.errors import InvalidInput

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
