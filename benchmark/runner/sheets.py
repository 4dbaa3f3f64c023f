"""Contact sheets: images in a grid, each under its score and drawn on."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

COLUMNS, ROWS, ZOOM = 8, 4, 2
TRUTH, GUESS = (80, 220, 100), (255, 70, 70)

Draw = Callable[[Image.Image, int], None]
"""Draws on a zoomed image, given which of the chosen ones it is."""


class ItemScores(NamedTuple):
    """A value (N,) of each test item, NaN for none; `better` is "lower" or "higher"."""

    values: np.ndarray
    better: str


def from_best_to_worst(scores: ItemScores, count: int = COLUMNS * ROWS) -> np.ndarray:
    """Up to `count` items, evenly spread over the order of their scores; those without are left out."""
    values, better = scores
    order = np.argsort(values if better == "lower" else -values, kind="stable")
    order = order[: np.isfinite(values).sum()]  # NaN comes last
    steps = np.linspace(0, len(order) - 1, min(count, len(order)))
    return order[steps.round().astype(int)]


def sheet(images: np.ndarray, scores: np.ndarray | None, draw: Draw) -> Image.Image:
    """A grid of images (N, S, S, 3) uint8, zoomed, drawn on, each under its score if it has one."""
    size = images.shape[1] * ZOOM
    rows = -(-len(images) // COLUMNS)
    canvas = Image.new("RGB", (COLUMNS * (size + 4), rows * (size + 16)), (24, 24, 24))
    for i, image in enumerate(images):
        x0, y0 = (i % COLUMNS) * (size + 4) + 2, (i // COLUMNS) * (size + 16) + 14
        zoomed = Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC)
        draw(zoomed, i)
        canvas.paste(zoomed, (x0, y0))
        if scores is not None:
            said = f"{scores[i]:.1f}"
            ImageDraw.Draw(canvas).text((x0 + 2, y0 - 12), said, fill=(220, 220, 220))
    return canvas


def points_drawn(
    truth: np.ndarray, points: np.ndarray, size: int, shown: np.ndarray | None = None
) -> Draw:
    """Rings at the true and dots at the predicted points, both (N, K, 2) in pixels.

    Of points that are not `shown` (N, K), which nobody annotated, neither is drawn.
    """
    small = size < 48 or truth.shape[1] > 20
    ring, dot = (1.5, 1.0) if small else (3.5, 2.0)

    def draw(zoomed: Image.Image, i: int) -> None:
        pen = ImageDraw.Draw(zoomed)
        drawn = slice(None) if shown is None else shown[i]
        for (tx, ty), (px, py) in zip(truth[i][drawn], points[i][drawn], strict=True):
            tx, ty, px, py = ((v + 0.5) * ZOOM - 0.5 for v in (tx, ty, px, py))
            pen.ellipse((tx - ring, ty - ring, tx + ring, ty + ring), outline=TRUTH)
            pen.ellipse((px - dot, py - dot, px + dot, py + dot), fill=GUESS)

    return draw


def masks_drawn(truth: np.ndarray, masks: np.ndarray, scored: np.ndarray) -> Draw:
    """The outline of the true and a tint over the predicted foreground, both (N, S, S) bool.

    What is not scored is darkened.
    """

    def draw(zoomed: Image.Image, i: int) -> None:
        inside, found, counts = (
            np.repeat(np.repeat(mask[i], ZOOM, 0), ZOOM, 1) for mask in (truth, masks, scored)
        )
        pixels = np.asarray(zoomed).astype(np.float32)
        pixels[found] = 0.6 * pixels[found] + 0.4 * np.array(GUESS)
        pixels[~counts] *= 0.35
        pixels[_outline(inside)] = TRUTH
        zoomed.paste(Image.fromarray(pixels.round().astype(np.uint8)))

    return draw


def _outline(mask: np.ndarray) -> np.ndarray:
    """Pixels of the mask with a neighbour outside it; the border of the image is no edge."""
    around = np.pad(mask, 1, mode="edge")
    shifted = around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:]
    edge: np.ndarray = mask & ~np.logical_and.reduce(shifted)
    return edge
