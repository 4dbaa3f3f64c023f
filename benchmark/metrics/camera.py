"""The camera of rendered ShapeNet views: from where it stands to how it turns, and what it sees."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks
from benchmark.metrics.pose import multiply


def camera_rotation(positions: Any) -> np.ndarray:
    """The rotation from object to camera of cameras that look at the origin, float64 (N, 4).

    positions: (N, 3) of the camera in the frame of the renderer (z up); only their direction
    counts. The unit quaternion (w, x, y, z) takes a point p of the raw OBJ file (y up) to q p q*
    with axes (forward, up, right). Raises `InvalidInput` for bad shapes, NaN, and naming cameras
    straight above or below the origin (up to the rounding of the dtype that came), where the turn about
    the vertical is not defined.

    Source: eldar/differentiable-point-clouds@d9b6725 util/camera.py, whose acos is written as
    atan2 here, which keeps its digits at every angle. The sign of q is free.

    >>> camera_rotation([[-2.0, 0.0, 0.0]]).round(9) + 0.0
    array([[1., 0., 0., 0.]])
    """
    rounding = checks.rounding(positions)
    (positions,) = checks.arrays(positions=(positions, "N 3"))
    across = np.hypot(positions[:, 0], positions[:, 1])
    vertical = np.flatnonzero(across <= rounding * np.abs(positions[:, 2]))
    if vertical.size:
        raise InvalidInput(f"positions: camera {vertical[0]} stands on the vertical axis")
    yaw = (np.pi - np.arctan2(positions[:, 1], positions[:, 0])) / 2
    pitch = np.arctan2(positions[:, 2], across) / 2
    zero = np.zeros_like(yaw)
    about_z = np.stack([np.cos(pitch), zero, zero, np.sin(pitch)], axis=1)
    about_y = np.stack([np.cos(yaw), zero, np.sin(yaw), zero], axis=1)
    return multiply(about_z, about_y)


def project(points: Any, focal: float = 1.875, distance: float = 2.0) -> np.ndarray:
    """Where points in camera axes (forward, up, right) appear, float64 (P, 2).

    points: (P, 3) in units of the object. Returns (right, up) in units in which the image is one
    wide, its middle at (0, 0): focal length 1.875 is 60 mm on a 32 mm sensor, the camera stands
    `distance` from the origin. Raises `InvalidInput` for bad shapes, NaN and points that do not lie
    in front of the camera.

    Source: eldar/differentiable-point-clouds@d9b6725 (depth = forward + 2).

    >>> project([[0.0, 0.0, 0.0], [-1.0, 0.0, 0.4]])
    array([[0.  , 0.  ],
           [0.75, 0.  ]])
    """
    (points,) = checks.arrays(points=(points, "P 3"))
    depth = points[:, 0] + distance
    if (depth <= 0).any():
        raise InvalidInput(f"points: {(depth <= 0).sum()} of {len(points)} are behind the camera")
    return focal * points[:, [2, 1]] / depth[:, None]
