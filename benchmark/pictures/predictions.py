"""Predictions on test images from the best to the worst, beside the truth: points and masks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from benchmark.pictures.sheet import GUESS, TRUTH, contact_sheet, enlarged, pictures_of_arrays
from benchmark.pictures.shown import PicturedRun, from_best_to_worst
from benchmark.tasks.foreground import true_masks, unpacked
from benchmark.tasks.landmark_regression import annotation
from benchmark.tasks.landmark_scale import zoomed_points, zooms
from benchmark.tasks.warped import warped_images

ZOOM = 2

Draw = Callable[[Image.Image, int], None]
"""Draws on a zoomed image, given which of the chosen ones it is."""


def predictions_sheet(run: PicturedRun) -> Image.Image | None:
    """32 test images from the best to the worst, truth in green, prediction in red.

    Rings and dots for landmarks that are annotated, outline and tint for masks.
    """
    split, protocol, kept, values = run.test, run.plan.protocol, run.kept, run.scores.values
    if values.shape != (len(split),) or not np.isfinite(values).any():
        return None
    chosen = from_best_to_worst(run.scores)
    images = split.images()
    captions = [f"{value:.1f}" for value in values[chosen]]
    if "points" in kept and protocol.landmarks is not None:
        known = annotation(split, protocol)
        draw = points_drawn(
            known.points[chosen], kept["points"][chosen], split.size, known.visibility()[chosen]
        )
    elif protocol.zoom is not None and (view := run.plan.scored.metrics[0].on):
        truth, warps = zoomed_points(split, protocol, view), zooms(protocol, view, len(split))
        draw = points_drawn(truth[chosen], kept[f"points_{view}"][chosen], split.size)
        images = warped_images(images, chosen, warps[chosen.tolist()], lambda *_: None)
        chosen = np.arange(len(chosen))
    elif "foreground" in kept:
        inside, scored = true_masks(split, protocol)
        draw = masks_drawn(inside[chosen], unpacked(kept)[chosen], scored[chosen])
    else:
        return None
    pixels = images.batch(chosen).permute(0, 2, 3, 1).numpy()
    cells = [enlarged(picture, ZOOM * split.size) for picture in pictures_of_arrays(pixels)]
    for i, cell in enumerate(cells):
        draw(cell, i)
    return contact_sheet(cells, captions)


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
        pixels[edge_of(inside)] = TRUTH
        zoomed.paste(Image.fromarray(pixels.round().astype(np.uint8)))

    return draw


def edge_of(mask: np.ndarray) -> np.ndarray:
    """Pixels of a mask (S, S) with a neighbour outside it; the border of the image is no edge."""
    around = np.pad(mask, 1, mode="edge")
    shifted = around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:]
    edge: np.ndarray = mask & ~np.logical_and.reduce(shifted)
    return edge
