"""One sample through a protocol's geometry: decode, crop, resize, and the points with it."""

from __future__ import annotations

from math import floor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmark.contracts.dataset import Sample
from benchmark.contracts.errors import InvalidInput
from benchmark.datasets.masks import FILTERS, Window, cut_mask, cut_out
from benchmark.image_files import decode
from benchmark.protocols import Geometry


class Placed(NamedTuple):
    """A sample as the protocol wants it.

    `pixels` uint8 (R, R, 3); `points` float32 (K, 2) in pixels of the middle square, or None; `mask`
    uint8 (S, S), the foreground of the middle square (1; 255 is not scored), or None; `silhouette`
    uint8 (R, R), the alpha channel resized like the colours, or None.
    """

    pixels: np.ndarray
    points: np.ndarray | None
    mask: np.ndarray | None = None
    silhouette: np.ndarray | None = None


class Affine(NamedTuple):
    """From pixels of the middle square back to the original picture: x_original = ax · x + bx, and so y.

    In the coordinates in which the data set annotates its points: where it counts pixels from 1, so does
    what comes out.

    >>> Affine(2.0, 10.5, 2.0, 20.5).back(np.array([[0.0, 1.0]]))
    array([[10.5, 22.5]])
    """

    ax: float
    bx: float
    ay: float
    by: float

    def back(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2) in pixels of the middle square → of the original picture."""
        return np.asarray(points, np.float64) * (self.ax, self.ay) + (self.bx, self.by)


def read_image(path: Path, background: str = "", *, upright: bool = False) -> Image.Image:
    """Decode to RGB, or say which file can't be decoded.

    With background "white" the image is laid on white, else its alpha channel is dropped; `upright`
    turns it as its EXIF orientation says.
    """
    if background != "white":
        return decode(path, "RGB", upright=upright)
    image = decode(path, "RGBA", upright=upright)
    return Image.alpha_composite(Image.new("RGBA", image.size, background), image).convert("RGB")


def read_alpha(path: Path) -> Image.Image:
    """The alpha channel (mode L), 255 where there is none; errors as `read_image`."""
    return decode(path, "RGBA").getchannel("A")


def place(
    sample: Sample,
    geometry: Geometry,
    crop: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    *,
    silhouette: bool = False,
) -> Placed:
    """Read the sample's image and apply the geometry; `crop` is its row (scale, shift_x, shift_y)
    of the stored crops, where the geometry has some, `mask` its mask as published if asked for;
    `silhouette` asks for its alpha channel. Crops are made from the points that are visible; what the
    others hold counts nowhere, and where it is not finite it becomes 0.

    Example: for `ytf5@1` a face whose points span 100 pixels is cut out as a square of 150, resized
    to 136; a point at the centre of that box lands near (47.5, 47.5) of the middle 96.
    """
    image = read_image(sample.path, geometry.background)
    points = sample.points
    try:
        if geometry.crop == "box_300w":
            image, points, window = _scaled_to_box(image, points, sample.box, geometry)
        else:
            window = _window(geometry, image.size, _shown(sample), crop, sample.box)
        if mask is not None and mask.shape[1::-1] != image.size:
            raise InvalidInput(
                f"the mask is {mask.shape[1]} × {mask.shape[0]} px, the image "
                f"{image.size[0]} × {image.size[1]}",
                cure="put the publisher's files there again; both come from one release",
            )
        side = slice(None, None, -1 if sample.mirrored else 1)
        foreground = None if mask is None else cut_mask(mask, window, geometry)
        pixels = _cut_out(image, window, geometry)
        if geometry.background == "cut_out":
            if foreground is None:
                raise InvalidInput("it is to be cut out, and has no mask")
            pixels = cut_out(pixels, foreground == 1)
        return Placed(
            pixels[:, side],
            _mapped(points, window, geometry),
            foreground,
            _cut_out(read_alpha(sample.path), window, geometry)[:, side] if silhouette else None,
        )
    except InvalidInput as error:
        raise InvalidInput(f"{sample.key}: {error.message}", cure=error.cure) from None


def _shown(sample: Sample) -> np.ndarray | None:
    """The points (V, 2) that are annotated."""
    if sample.points is None or sample.visible is None:
        return sample.points
    return sample.points[sample.visible]


def _window(
    geometry: Geometry,
    size: tuple[int, int],
    points: np.ndarray | None,
    crop: np.ndarray | None,
    box: tuple[float, float, float, float] | None,
) -> Window:
    if geometry.crop in ("box", "box_square"):
        return _around_box(box, size, square=geometry.crop == "box_square")
    if geometry.crop == "whole":
        return Window(0, 0, *size)
    if geometry.crop in ("centre_square", "padded_square"):
        side = (min if geometry.crop == "centre_square" else max)(size)
        return Window((size[0] - side) // 2, (size[1] - side) // 2, side, side)
    if geometry.window is not None:
        return Window(*geometry.window)
    if points is None:
        raise InvalidInput(
            f"crop {geometry.crop!r} is made from the points, and there are none",
            cure="give images without points a geometry of their own: "
            '[geometry."data_set:split"] in the protocol',
        )
    if not len(points):
        raise InvalidInput(f"crop {geometry.crop!r} is made from the points, and none is visible")
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


def _around_box(
    box: tuple[float, float, float, float] | None, size: tuple[int, int], *, square: bool
) -> Window:
    """The box in whole pixels, or the square around it, as far as it lies in the image.

    The square is AutoLink's (xingzhehe/AutoLink @ 3fbde11, datasets/preprocess/cub_preprocess.py).
    """
    if box is None:
        raise InvalidInput("the crop is made from the data set's box, and there is none")
    low, high = np.array(box[:2]), np.array(box[2:])
    if square:
        half, centre = (high - low).max() / 2, (low + high) / 2
        low, high = centre - half, centre + half
    x, y = (max(0, _round(v)) for v in low)
    right, bottom = (min(s, _round(v)) for v, s in zip(high, size, strict=True))
    if right <= x or bottom <= y:
        raise InvalidInput(f"nothing of the box {box} lies in the image of {size[0]} × {size[1]}")
    return Window(x, y, right - x, bottom - y)


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
    factor, window = _window_300w(box)
    smaller = image.resize(
        (max(1, int(image.width * factor)), max(1, int(image.height * factor))),
        Image.Resampling.BICUBIC,
    )
    scaled = None if points is None else points * factor - 1
    return smaller, scaled, window


def _window_300w(box: tuple[float, float, float, float]) -> tuple[float, Window]:
    """By what the image is scaled, and the window in it."""
    x_min, y_min, x_max, y_max = box
    width, height = x_max - x_min + 1, y_max - y_min + 1
    if width <= 0:
        raise InvalidInput(f"the box {box} has no width")
    factor = 52 / width
    x = floor(factor * (x_min + (width + 1) / 2))
    y = floor(factor * (y_min + (height + 1) / 2))
    return factor, Window(x - 50, y - 52, 100, 100)


def _cut_out(image: Image.Image, window: Window, geometry: Geometry) -> np.ndarray:
    try:
        cut = image.crop((window.x, window.y, window.x + window.width, window.y + window.height))
    except (Image.DecompressionBombError, OverflowError):
        raise InvalidInput(
            f"the crop is {window.width:,} × {window.height:,} px, the image {image.width:,} × "
            f"{image.height:,}",
            cure="points and boxes are in pixels of the image's file; put the publisher's there again",
        ) from None
    return np.asarray(cut.resize((geometry.resize,) * 2, FILTERS[geometry.filter]))


def _mapped(points: np.ndarray | None, window: Window, geometry: Geometry) -> np.ndarray | None:
    if points is None:
        return None
    before, after = _offsets(geometry)
    scale = geometry.resize / np.array([window.width, window.height])
    mapped = (points - (window.x, window.y) + before) * scale + after - geometry.cut
    with np.errstate(over="ignore"):
        found = mapped.astype(np.float32)
    return np.where(np.isfinite(found), found, np.float32(0))


def _offsets(geometry: Geometry) -> tuple[float, float]:
    """What is added to points before and after they are scaled."""
    before = {"pixel_centres": 0.5, "scale": 0.0, "scale_one_based": -1.0}[geometry.labels]
    return before, -0.5 if geometry.labels == "pixel_centres" else 0.0


def back_to_original(
    sample: Sample, geometry: Geometry, size: tuple[int, int], crop: np.ndarray | None = None
) -> Affine:
    """The way back from what `place` gives to the sample's own picture, of `size` (width, height).

    Example: a picture of 200 × 200 that is resized whole to 100 × 100 has ax = 2, bx = 0.5.
    """
    factor, shift = 1.0, 0.0
    if geometry.crop == "box_300w":
        if sample.box is None:
            raise InvalidInput('crop "box_300w" needs the data set\'s box')
        factor, window = _window_300w(sample.box)
        shift = 1.0
    else:
        window = _window(geometry, size, _shown(sample), crop, sample.box)
    before, after = _offsets(geometry)
    (ax, bx), (ay, by) = (
        (side / geometry.resize / factor,
         ((geometry.cut - after) * side / geometry.resize + start - before + shift) / factor)
        for start, side in ((window.x, window.width), (window.y, window.height))
    )  # fmt: skip
    if sample.mirrored:
        ax, bx = -ax, bx + (geometry.size - 1) * ax
    return Affine(ax, bx, ay, by)


def _round(value: float) -> int:
    """Halves go up, whatever their parity."""
    return floor(value + 0.5)
