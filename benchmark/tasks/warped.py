"""Images under warps of their own, with their margin, and where their landmarks go."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from benchmark.contracts.errors import InvalidInput
from benchmark.contracts.images import Images
from benchmark.protocols.scoring import Rounding
from benchmark.warps.thin_plate import ThinPlateSpline

AT_ONCE = 64


def levels(view: Tensor, rounding: Rounding = "nearest") -> Tensor:
    """Interpolated grey levels, floating point → uint8, clipped to 0..255.

    "nearest" is unbiased; "truncate" drops the fraction, as the reference does: half a level darker
    on average. Source of "truncate": jamt9000/DVE@2085144 data_loader/data_loaders.py.

    >>> levels(torch.tensor([0.4, 0.6, 254.9])), levels(torch.tensor([0.4, 0.6, 254.9]), "truncate")
    (tensor([  0,   1, 255], dtype=torch.uint8), tensor([  0,   0, 254], dtype=torch.uint8))
    """
    whole = view.round() if rounding == "nearest" else view.floor()
    return whole.clamp(0, 255).to(torch.uint8)


def warped_images(
    images: Images,
    rows: np.ndarray,
    warps: ThinPlateSpline,
    progress: Callable[[int, int], None],
    rounding: Rounding = "nearest",
) -> Images:
    """Image `rows[i]` under warp i, margin included; bilinear, zeros from outside, corners aligned."""
    rendered = []
    for first in range(0, len(rows), AT_ONCE):
        part = slice(first, min(first + AT_ONCE, len(rows)))
        view = warps[part].warp(images.batch(rows[part], margin=True).float())
        rendered.append(levels(view, rounding).permute(0, 2, 3, 1).numpy())
        progress(part.stop, len(rows))
    return Images(np.concatenate(rendered), images.size, f"warped {images.digest}")


def warped_points(
    images: Images,
    points: np.ndarray,
    rows: np.ndarray,
    warps: ThinPlateSpline,
    *,
    nearest: bool = False,
) -> np.ndarray:
    """Points (N, K, 2) of the images' middle squares → those of the warped images (V, K, 2) float32.

    Exact, also where a point leaves the image. Raises `InvalidInput` where a warp has no inverse.
    With `nearest` they go to the whole pixels of `ThinPlateSpline.nearest_pixels` instead.
    """
    side = images.size + 2 * images.margin
    source = torch.from_numpy(points[rows]).double() + images.margin
    if nearest:
        parts = [slice(first, first + AT_ONCE) for first in range(0, len(rows), AT_ONCE)]
        pixels = torch.cat([warps[p].nearest_pixels(source[p], side, side) for p in parts])
        return (pixels - images.margin).float().numpy()
    moved = warps.points_forward(source, side, side).points
    back = warps.points_inverse(moved, side, side)
    lost = ~((back - source).abs().amax((1, 2)) < 1e-3)
    if bool(lost.any()):
        raise InvalidInput(f"{int(lost.sum())} of {len(rows)} warps fold where a landmark is")
    return (moved - images.margin).float().numpy()
