"""Where the landmarks of one image lie in another, found by comparing dense descriptors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn.functional import interpolate, normalize

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks

RULES = ("dve", "paper")


def match_descriptors(
    source: Any, target: Any, points: Any, rule: str, image_size: tuple[int, int]
) -> np.ndarray:
    """The pixel of the target image whose descriptor is most like that of each source point.

    source, target: maps (C, h, w) of two images of one size, any float dtype; h × w cells cover
    the whole image. points: (P, 2) (x, y) in pixels of the source image, centre of the top-left
    pixel at (0, 0), within the image. image_size: (height, width) in pixels. Returns float64
    (P, 2), (x, y) in pixels of the target image. Rules:

    - `dve`: the query is the cell round-half-even(point / stride), clamped to the map; similarity
      is the dot product; the match is the best cell × stride, so it lies on the grid of strides.
      DVE gives it points off a float32 grid (`benchmark.tasks.pairs.float32_grid`).
    - `paper`: both maps are brought to image size (bilinear, align_corners false), the query is
      the nearest pixel, similarity is the cosine, the match is the best pixel.

    Ties go to the first in row-major order. Raises `InvalidInput` for an unknown rule, bad shapes,
    NaN, points outside the image, and (`dve`) image sizes that the map does not divide alike.

    Source: `dve` jamt9000/DVE@2085144 test_matching.py; `paper` the text of SCE-MAE (CVPR 2024).

    >>> same = np.eye(4).reshape(4, 2, 2)          # four cells, four orthogonal descriptors
    >>> match_descriptors(same, same[:, ::-1], [[0, 0], [2, 2]], "dve", (4, 4))
    array([[0., 2.],
           [2., 0.]])
    """
    checks.one_of("rule", rule, RULES)
    source, target, points = checks.tensors(
        source=(source, "C h w"), target=(target, "C h w"), points=(points, "P 2")
    )
    height, width = image_size
    _require_inside(points, height, width)
    if rule == "dve":
        stride = _stride(source.shape, height, width)
    else:
        stride = 1.0
        # Cosine after resizing: interpolation between unit vectors would not be of unit length.
        source, target = (
            normalize(_resize(maps, height, width), dim=0) for maps in (source, target)
        )
    rows, columns = source.shape[1:]
    cells = (points / stride).round().long()
    x, y = cells[:, 0].clamp(0, columns - 1), cells[:, 1].clamp(0, rows - 1)
    best = (source[:, y, x].T @ target.flatten(1)).argmax(dim=1)
    found = torch.stack([best % columns, best // columns], dim=1) * stride
    return found.double().cpu().numpy()


def matching_errors(
    matched: Any, target: Any, image_width: float, reported_width: float | None = None
) -> np.ndarray:
    """Distance of each match from the true point, float64 (P,), in pixels of a stated width.

    matched, target: (P, 2) in pixels of the image. image_width: width in pixels of the image that
    the method saw, after any crop. reported_width: the width in whose pixels errors are reported;
    DVE reports all networks at 70, whatever they saw; none leaves them in pixels of the image.
    Raises `InvalidInput` for bad shapes, NaN and widths that are not positive.

    Source: jamt9000/DVE@2085144 test_matching.py (scale 70 / (width before crop - 2 crop)).

    >>> matching_errors([[3.0, 4.0]], [[0.0, 0.0]], image_width=96, reported_width=48)
    array([2.5])
    """
    matched, target = checks.arrays(matched=(matched, "P 2"), target=(target, "P 2"))
    reported_width = image_width if reported_width is None else reported_width
    if not (image_width > 0 and reported_width > 0):
        raise InvalidInput(f"widths must be positive, got {image_width} and {reported_width}")
    return np.linalg.norm(matched - target, axis=1) * (reported_width / image_width)


def _resize(maps: torch.Tensor, height: int, width: int) -> torch.Tensor:
    return interpolate(maps[None], size=(height, width), mode="bilinear", align_corners=False)[0]


def _stride(shape: torch.Size, height: int, width: int) -> float:
    _, rows, columns = shape
    if height * columns != width * rows:
        raise InvalidInput(
            f"image_size: a map of {rows} x {columns} has two strides on {height} x {width} pixels",
            cure="give descriptors of the proportions of the image",
        )
    return width / columns


def _require_inside(points: torch.Tensor, height: int, width: int) -> None:
    x, y = points.unbind(dim=1)
    # The image reaches half a pixel beyond the centres of its outermost pixels.
    outside = (x < -0.5) | (x > width - 0.5) | (y < -0.5) | (y > height - 0.5)
    if bool(outside.any()):
        first = int(outside.nonzero()[0])
        raise InvalidInput(
            f"points: {int(outside.sum())} of {len(points)} lie outside the {height} x {width}"
            f" image, the first is point {first} at {points[first].tolist()}"
        )
