"""Images under warps of their own, with their margin, and where their landmarks go."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from benchmark.contracts.errors import InvalidInput
from benchmark.contracts.images import Images
from benchmark.datasets.thin_plate import ThinPlateSpline

AT_ONCE = 64


def warped_images(
    images: Images,
    rows: np.ndarray,
    warps: ThinPlateSpline,
    progress: Callable[[int, int], None],
) -> Images:
    """Image `rows[i]` under warp i, margin included; bilinear, zeros from outside, corners aligned."""
    rendered = []
    for first in range(0, len(rows), AT_ONCE):
        part = slice(first, min(first + AT_ONCE, len(rows)))
        view = warps[part].warp(images.batch(rows[part], margin=True).float())
        pixels = view.round().clamp(0, 255).to(torch.uint8)
        rendered.append(pixels.permute(0, 2, 3, 1).numpy())
        progress(part.stop, len(rows))
    return Images(np.concatenate(rendered), images.size, f"warped {images.digest}")


def warped_points(
    images: Images, points: np.ndarray, rows: np.ndarray, warps: ThinPlateSpline
) -> np.ndarray:
    """Points (N, K, 2) of the images' middle squares → those of the warped images (V, K, 2) float32.

    Exact, also where a point leaves the image. Raises `InvalidInput` where a warp has no inverse.
    """
    side = images.size + 2 * images.margin
    source = torch.from_numpy(points[rows]).double() + images.margin
    moved = warps.points_forward(source, side, side).points
    back = warps.points_inverse(moved, side, side)
    lost = ~((back - source).abs().amax((1, 2)) < 1e-3)
    if bool(lost.any()):
        raise InvalidInput(f"{int(lost.sum())} of {len(rows)} warps fold where a landmark is")
    return (moved - images.margin).float().numpy()
