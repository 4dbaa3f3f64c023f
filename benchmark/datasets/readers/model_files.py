"""The files of rendered models that differentiable point clouds reads: cameras and clouds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.datasets.layout import AGAIN, matlab_arrays, required
from benchmark.datasets.readers.cameras import looking_at_origin

FOCAL = np.array(1.875, np.float32)
"""A lens of 60 mm on a sensor of 32 mm, as the published pictures were rendered."""


def camera_of(path: Path) -> tuple[np.ndarray, float]:
    """The rotation (4,) float32 from raw OBJ axes to the camera's (forward, up, right), and how far the
    camera stands from the origin, of a camera_I.mat: from its `pos` alone, as the reference has it."""
    position = np.asarray(matlab_arrays(required(path), "pos")["pos"], np.float64).ravel()
    try:
        rotation = looking_at_origin(position)
    except InvalidInput as error:
        raise DataAltered(f"{path}: {error.message}", cure=AGAIN) from None
    quaternion = Rotation.from_matrix(rotation).as_quat(canonical=True, scalar_first=True)
    return quaternion.astype(np.float32), float(np.linalg.norm(position))


def points_of(path: Path) -> np.ndarray:
    """The `points` float32 (P, 3) of a cloud's .mat, in coordinates of the raw OBJ file."""
    points = np.asarray(matlab_arrays(path, "points")["points"], np.float32)
    if points.ndim != 2 or points.shape[1] != 3 or not len(points):
        raise DataAltered(f"{path}: expected points (P, 3), found {points.shape}", cure=AGAIN)
    if not np.isfinite(points).all():
        raise DataAltered(f"{path}: NaN or infinity in points", cure=AGAIN)
    if np.abs(points).max() > 1:
        raise DataAltered(
            f"{path}: points reach {np.abs(points).max():.3g}, ShapeNet's models lie within 0.5",
            cure="clouds must have the coordinates of the raw OBJ files of ShapeNet v1",
        )
    return points
