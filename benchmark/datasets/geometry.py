"""One sample through a protocol's geometry: decode, crop, resize, and the points with it."""

from __future__ import annotations

from math import floor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmark.contracts.dataset import Sample
from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.protocols import Geometry

FILTERS = {
    "pillow_bilinear": Image.Resampling.BILINEAR,
    "pillow_bicubic": Image.Resampling.BICUBIC,
    "pillow_nearest": Image.Resampling.NEAREST,
    "pillow_box": Image.Resampling.BOX,
    "pillow_lanczos": Image.Resampling.LANCZOS,
}


class Window(NamedTuple):
    """A rectangle in whole source pixels; what of it lies outside the image is black."""

    x: int
    y: int
    width: int
    height: int


class Placed(NamedTuple):
    """A sample as the protocol wants it.

    `pixels` uint8 (R, R, 3); `points` float32 (K, 2) in pixels of the middle square, or None; `mask`
    uint8 (S, S), the foreground of the middle square (1; 255 is not scored), or None.
    """

    pixels: np.ndarray
    points: np.ndarray | None
    mask: np.ndarray | None = None


def read_image(path: Path) -> Image.Image:
    """Decode to RGB (an alpha channel is dropped), or say which file can't be decoded."""
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except FileNotFoundError:
        problem = "is listed but not there"
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        problem = f"can't be decoded ({error})"
    raise DataAltered(
        f"the image {path} {problem}",
        cure="put the publisher's file there again; `bench data verify` names every such file",
    )


def place(
    sample: Sample,
    geometry: Geometry,
    crop: np.ndarray | None = None,
    mask: np.ndarray | None = None,
) -> Placed:
    """Read the sample's image and apply the geometry; `crop` is its row (scale, shift_x, shift_y)
    of the stored crops, where the geometry has some, `mask` its foreground (H, W) if asked for.

    Example: for `ytf5@1` a face whose points span 100 pixels is cut out as a square of 150, resized
    to 136; a point at the centre of that box lands near (47.5, 47.5) of the middle 96.
    """
    image = read_image(sample.path)
    points = sample.points
    try:
        if geometry.crop == "box_300w":
            image, points, window = _scaled_to_box(image, points, sample.box, geometry)
        else:
            window = _window(geometry, image.size, points, crop)
        if mask is not None and mask.shape[::-1] != image.size:
            raise InvalidInput(
                f"the mask is {mask.shape[1]} × {mask.shape[0]} px, the image "
                f"{image.size[0]} × {image.size[1]}",
                cure="put the publisher's files there again; both come from one release",
            )
        return Placed(
            _cut_out(image, window, geometry),
            _mapped(points, window, geometry),
            None if mask is None else _cut_mask(mask, window, geometry),
        )
    except InvalidInput as error:
        raise InvalidInput(f"{sample.key}: {error.message}", cure=error.cure) from None


def _window(
    geometry: Geometry,
    size: tuple[int, int],
    points: np.ndarray | None,
    crop: np.ndarray | None,
) -> Window:
    if geometry.crop == "whole":
        return Window(0, 0, *size)
    if geometry.crop == "centre_square":
        side = min(size)
        return Window((size[0] - side) // 2, (size[1] - side) // 2, side, side)
    if geometry.window is not None:
        return Window(*geometry.window)
    if points is None:
        raise InvalidInput(f"crop {geometry.crop!r} is made from the points, and there are none")
    low, high = points.min(axis=0), points.max(axis=0)
    longest = float((high - low).max())
    centre = (low + high) / 2
    if geometry.crop == "stored":
        if crop is None:
            raise InvalidInput("the crops file has no row for this sample")
        visible = float(crop[0]) * longest
        centre = centre + crop[1:] * visible
        side = _round(visible * geometry.resize / geometry.size)
    else:
        assert geometry.scale is not None  # the model demands it
        side = _round(geometry.scale * longest)
    if side < 1:
        raise InvalidInput("all points are the same, so there is no box to crop around")
    return Window(_round(centre[0] - side / 2), _round(centre[1] - side / 2), side, side)


def _scaled_to_box(
    image: Image.Image,
    points: np.ndarray | None,
    box: tuple[float, float, float, float] | None,
    geometry: Geometry,
) -> tuple[Image.Image, np.ndarray | None, Window]:
    """DVE's way with 300-W: the image scaled so that the box is 52 pixels wide, then 100 × 100 of it.

    Boxes and points count from 1, and the 1 is subtracted from the points after the scaling, as
    there (jamt9000/DVE @ 2085144, ThreeHundredW). The first resize is bicubic, see `w300@1`.
    """
    if box is None or geometry.labels != "scale":
        raise InvalidInput('crop "box_300w" needs the data set\'s box, and labels "scale"')
    x_min, y_min, x_max, y_max = box
    width, height = x_max - x_min + 1, y_max - y_min + 1
    if width <= 0:
        raise InvalidInput(f"the box {box} has no width")
    factor = 52 / width
    smaller = image.resize(
        (max(1, int(image.width * factor)), max(1, int(image.height * factor))),
        Image.Resampling.BICUBIC,
    )
    x = floor(factor * (x_min + (width + 1) / 2))
    y = floor(factor * (y_min + (height + 1) / 2))
    scaled = None if points is None else points * factor - 1
    return smaller, scaled, Window(x - 50, y - 52, 100, 100)


def _cut_out(image: Image.Image, window: Window, geometry: Geometry) -> np.ndarray:
    cut = image.crop((window.x, window.y, window.x + window.width, window.y + window.height))
    return np.asarray(cut.resize((geometry.resize,) * 2, FILTERS[geometry.filter]))


def _cut_mask(mask: np.ndarray, window: Window, geometry: Geometry) -> np.ndarray:
    """The mask of the middle square: each pixel takes the nearest of the source, outside is 0."""
    cut = Image.fromarray(mask.astype(np.uint8)).crop(
        (window.x, window.y, window.x + window.width, window.y + window.height)
    )
    whole = np.asarray(cut.resize((geometry.resize,) * 2, Image.Resampling.NEAREST))
    middle = slice(geometry.cut, geometry.cut + geometry.size)
    return whole[middle, middle]


def _mapped(points: np.ndarray | None, window: Window, geometry: Geometry) -> np.ndarray | None:
    if points is None:
        return None
    before = {"pixel_centres": 0.5, "scale": 0.0, "scale_one_based": -1.0}[geometry.labels]
    after = -0.5 if geometry.labels == "pixel_centres" else 0.0
    scale = geometry.resize / np.array([window.width, window.height])
    mapped = (points - (window.x, window.y) + before) * scale + after - geometry.cut
    return mapped.astype(np.float32)


def _round(value: float) -> int:
    """Halves go up, whatever their parity."""
    return floor(value + 0.5)
