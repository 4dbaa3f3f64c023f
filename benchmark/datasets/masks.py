"""Foreground masks: read as published, then cut out and resized by the rule a protocol names."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmark.contracts.dataset import Sample
from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.datasets.layout import AGAIN
from benchmark.image_files import decode
from benchmark.protocols import Geometry

FILTERS = {
    "pillow_bilinear": Image.Resampling.BILINEAR,
    "pillow_bicubic": Image.Resampling.BICUBIC,
    "pillow_nearest": Image.Resampling.NEAREST,
    "pillow_box": Image.Resampling.BOX,
    "pillow_lanczos": Image.Resampling.LANCZOS,
}

NOT_SCORED = 255


class Window(NamedTuple):
    """A rectangle in whole source pixels; what of it lies outside the image is black."""

    x: int
    y: int
    width: int
    height: int


def read_grey(sample: Sample) -> np.ndarray:
    """The grey values of a sample's mask file, uint8 (H, W); of several channels, the first.

    A palette is looked up; two-valued files give 0 and 255. Raises DataAltered.
    """
    pixels = _read(sample, {"1": "L", "P": "RGB"})
    return pixels if pixels.ndim == 2 else pixels[..., 0]


def read_indices(sample: Sample) -> np.ndarray:
    """The palette indices of a sample's mask file, uint8 (H, W); the palette's colours do not count.

    Raises DataAltered, also for a file with more than one channel.
    """
    pixels = _read(sample, {})
    if pixels.ndim != 2:
        raise DataAltered(
            f"{sample.mask} holds colours, not labels ({pixels.shape[2]} channels)", cure=AGAIN
        )
    return pixels


def read_colours(sample: Sample) -> np.ndarray:
    """The colours of a sample's mask file, uint8 (H, W, 3). Raises DataAltered."""
    return _read(sample, dict.fromkeys(("1", "L", "P", "CMYK", "RGBA", "LA"), "RGB"))


def _read(sample: Sample, convert: dict[str, str]) -> np.ndarray:
    if sample.mask is None:
        raise DataAltered(
            f"{sample.key} has no mask", cure="choose a split whose images all have one"
        )
    # two-valued files that keep their mode are boolean arrays
    return np.asarray(decode(sample.mask, convert, what="mask")).astype(np.uint8)


def cut_mask(mask: np.ndarray, window: Window, geometry: Geometry) -> np.ndarray:
    """The mask of the middle square, uint8 (S, S): 1 foreground, 0 background, 255 not scored.

    `mask` (H, W) or (H, W, 3) as published, read by `geometry.masks`; outside the image is 0. Raises
    InvalidInput for values that the rule does not know.

    Source of "above_half", "full" and "flower_colours": xingzhehe/GANSeg@a3f5078, the preprocessing of
    cub and flower and the loader of taichi; all three resize before they decide.

    Example: with "above_half", a source whose left half is 255 and whose right half is 0, 256 wide,
    gives ones in columns 0 to 63 of 128.
    """
    _require_known(mask, geometry)
    labels = geometry.masks == "labels"
    cut = Image.fromarray(mask.astype(np.uint8)).crop(
        (window.x, window.y, window.x + window.width, window.y + window.height)
    )
    how = Image.Resampling.NEAREST if labels else FILTERS[geometry.filter]
    whole = np.asarray(cut.resize((geometry.resize,) * 2, how))
    middle = slice(geometry.cut, geometry.cut + geometry.size)
    square = whole[middle, middle]
    found = square if labels else _foreground(square, geometry.masks)
    if geometry.padding == "not_scored":
        outside = _outside(mask.shape[:2], window, geometry)[middle, middle]
        found = np.where(outside, np.uint8(NOT_SCORED), found)
    return found


def cut_out(pixels: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """The object alone on pure black; what is black of it becomes (1, 1, 1), the next grey.

    `pixels` uint8 (..., H, W, 3), `foreground` bool (..., H, W). Where any channel is above 0 is then
    exactly the foreground. Source: annotation-invariant style transfer thesis, 4.1.1.

    >>> cut_out(np.array([[[9, 0, 0], [0, 0, 0], [7, 7, 7]]], np.uint8), np.array([[1, 1, 0]]) > 0)
    array([[[9, 0, 0],
            [1, 1, 1],
            [0, 0, 0]]], dtype=uint8)
    """
    black = ~pixels.any(-1, keepdims=True)
    return np.where(foreground[..., None], np.where(black, np.uint8(1), pixels), np.uint8(0))


def _outside(shape: tuple[int, int], window: Window, geometry: Geometry) -> np.ndarray:
    """bool (R, R): where the nearest source pixel lies outside an image of `shape` (height, width)."""
    within = Image.new("L", shape[::-1], 255).crop(
        (window.x, window.y, window.x + window.width, window.y + window.height)
    )
    return np.asarray(within.resize((geometry.resize,) * 2, Image.Resampling.NEAREST)) == 0


def _foreground(values: np.ndarray, rule: str) -> np.ndarray:
    if rule == "above_half":
        chosen = values > 127.5
    elif rule == "full":
        chosen = values == 255
    else:
        chosen = (values[..., 0] != 0) & (values[..., 1] != 0) & (values[..., 2] != 254)
    return chosen.astype(np.uint8)


def _require_known(mask: np.ndarray, geometry: Geometry) -> None:
    rule = geometry.masks
    wanted = "(H, W, 3)" if rule == "flower_colours" else "(H, W)"
    if mask.ndim != len(wanted.split(",")):
        raise InvalidInput(f"masks {rule!r} needs {wanted}, the mask is {mask.shape}")
    if rule == "labels":
        strange = mask[(mask != 0) & (mask != 1) & (mask != NOT_SCORED)]
        if strange.size:
            raise InvalidInput(
                f"a mask of labels holds {strange.flat[0]}, where 0, 1 and 255 are known",
                cure="the protocol's geometry names the rule for grey values: masks",
            )
    elif rule != "flower_colours" and 0 < mask.max() <= 1:
        raise InvalidInput(
            f"masks {rule!r} reads grey values up to 255, the mask has 0 and 1 only",
            cure="write the masks with 255 as the foreground, as their publisher does",
        )
