"""Contact sheets: pictures of one size in a grid, each under its caption."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from benchmark.colours import colours

COLUMNS, ROWS = 8, 4
GAP, HEAD, SIDE, LEAST = 4, 12, 192, 96
TRUTH, GUESS, BACK, INK = (80, 220, 100), (255, 70, 70), (24, 24, 24), (220, 220, 220)

Row = tuple[str, Sequence[Image.Image]]
"""What a row of pictures is, and the pictures."""


def contact_sheet(
    cells: Sequence[Image.Image],
    captions: Sequence[str] = (),
    columns: int = COLUMNS,
    gap: int = GAP,
    *,
    under: bool = False,
) -> Image.Image:
    """Pictures of one size, row after row, `gap` pixels apart, with a line for captions if any, above
    their pictures or `under` them.

    >>> contact_sheet([Image.new("RGB", (64, 64))] * 9, ["best"]).size
    (544, 160)
    """
    width, height = cells[0].size
    head = HEAD if captions else 0
    across, down = width + gap, height + gap + head
    rows = -(-len(cells) // columns)
    canvas = Image.new("RGB", (columns * across, rows * down), BACK)
    pen = ImageDraw.Draw(canvas)
    for i, cell in enumerate(cells):
        x, y = i % columns * across + gap // 2, i // columns * down + gap // 2
        canvas.paste(cell, (x, y if under else y + head))
        if i < len(captions):
            pen.text((x + 2, y + height if under else y), captions[i], fill=INK)
    return canvas


def titled(sheet: Image.Image, words: str) -> Image.Image:
    """A sheet under a line that says what it shows; it is as wide as both need.

    Example: a sheet of 100 × 50 pixels under one short word is 100 × 66 pixels.
    """
    width = max(sheet.width, math.ceil(ImageDraw.Draw(sheet).textlength(words)) + 2 * GAP)
    canvas = Image.new("RGB", (width, sheet.height + HEAD + GAP), BACK)
    ImageDraw.Draw(canvas).text((GAP, GAP // 2), words, fill=INK)
    canvas.paste(sheet, (0, HEAD + GAP))
    return canvas


def rows_sheet(rows: Sequence[Row]) -> Image.Image:
    """Rows of pictures, each `SIDE` pixels wide, under their names.

    Example: two rows of eight pictures are 8 · 196 × 2 · 208 pixels.
    """
    columns = max(len(pictures) for _, pictures in rows)
    empty = Image.new("RGB", (SIDE, SIDE), BACK)
    cells, captions = [], []
    for name, pictures in rows:
        left = columns - len(pictures)
        cells += [enlarged(picture) for picture in pictures] + [empty] * left
        captions += [name] + [""] * (columns - 1)
    return contact_sheet(cells, captions, columns)


def enlarged(picture: Image.Image, side: int = SIDE) -> Image.Image:
    """A picture `side` pixels wide and high."""
    return picture.resize((side, side), Image.Resampling.BICUBIC)


def readable(picture: Image.Image) -> Image.Image:
    """A picture, or a row of them, at least `LEAST` pixels high: enlarged by a whole number.

    >>> readable(Image.new("RGB", (256, 32))).size
    (768, 96)
    """
    times = -(-LEAST // picture.height)
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.BICUBIC)


def pictures_of_arrays(images: np.ndarray) -> list[Image.Image]:
    """Images (N, H, W, 3) uint8 as pictures."""
    return [Image.fromarray(image) for image in images]


def side_by_side(tiles: Sequence[Image.Image]) -> Image.Image:
    """Tiles of one size as one picture, side by side."""
    return contact_sheet(tiles, columns=len(tiles), gap=0)


def dots(picture: Image.Image, points: np.ndarray, size: int) -> Image.Image:
    """Draw points (K, 2), in pixels of an image `size` wide, into a picture of it, a colour each."""
    pen, zoom = ImageDraw.Draw(picture), picture.width / size
    at = (points + 0.5) * zoom - 0.5
    for (x, y), colour in zip(at.tolist(), colours(len(points)), strict=True):
        pen.ellipse((x - 5, y - 5, x + 5, y + 5), fill=colour, outline=(0, 0, 0))
    return picture
