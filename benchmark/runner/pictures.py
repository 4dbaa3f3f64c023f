"""Predictions on test images: a contact sheet a person can judge at a glance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmark.datasets.landmarks import landmarks_of
from benchmark.files import whole_file
from benchmark.runner.cloud_pictures import cloud_sheet
from benchmark.runner.plan import Plan
from benchmark.runner.run import Outcome
from benchmark.tasks.foreground import true_masks, unpacked

COLUMNS, ROWS, ZOOM = 8, 4, 2
TRUTH, GUESS = (80, 220, 100), (255, 70, 70)

Draw = Callable[[Image.Image, int], None]
"""Draws on a zoomed image, given which of the chosen ones it is."""


def draw_pictures(plan: Plan, outcome: Outcome) -> Path | None:
    """Write `pictures/predictions.png` into the run's folder and return the folder.

    32 test images, from the best (top left) to the worst (bottom right), truth in green and
    prediction in red: rings and dots for landmarks, outline and tint for masks; clouds as
    `cloud_sheet` has them. The pictures stay in the run's folder: most data sets forbid to publish
    them.
    """
    target = plan.folder / "pictures" / "predictions.png"
    if target.exists():
        return target.parent
    kept = plan.folder / f"{plan.run_id}.predictions.npz"
    if not kept.exists():
        return None
    if plan.protocol.shape is not None:
        with np.load(kept, allow_pickle=False) as arrays:
            _write(cloud_sheet(plan, dict(arrays)), target)
        return target.parent
        return None
    value = outcome.record.headline
    with np.load(plan.folder / value.per_item, allow_pickle=False) as arrays:
        scores = arrays[value.metric]
    split = plan.splits["test"]
    if scores.shape != (len(split),):
        return None
    chosen = from_best_to_worst(scores, value.better)
    with np.load(kept, allow_pickle=False) as arrays:
        predicted = dict(arrays)
    draw: Draw
    if "points" in predicted and plan.protocol.landmarks is not None:
        assert split.points is not None
        truth = landmarks_of(split.points, plan.protocol.landmarks)
        draw = points_drawn(truth[chosen], predicted["points"][chosen], split.size)
    elif "foreground" in predicted:
        inside, scored = true_masks(split, plan.protocol)
        draw = masks_drawn(inside[chosen], unpacked(predicted)[chosen], scored[chosen])
    else:
        return None
    images = split.images().batch(chosen).permute(0, 2, 3, 1).numpy()
    _write(sheet(images, scores[chosen], draw), target)
    return target.parent


def _write(picture: Image.Image, target: Path) -> None:
    with whole_file(target) as temporary, temporary.open("wb") as file:
        picture.save(file, "PNG")


def from_best_to_worst(scores: np.ndarray, better: str) -> np.ndarray:
    """Up to 32 rows, evenly spread over the order of `scores` (N,)."""
    order = np.argsort(scores if better == "lower" else -scores, kind="stable")
    steps = np.linspace(0, len(order) - 1, min(COLUMNS * ROWS, len(order)))
    return order[steps.round().astype(int)]


def sheet(images: np.ndarray, scores: np.ndarray, draw: Draw) -> Image.Image:
    """A grid of images (N, S, S, 3) uint8, zoomed, drawn on, each under its score."""
    size = images.shape[1] * ZOOM
    rows = -(-len(images) // COLUMNS)
    canvas = Image.new("RGB", (COLUMNS * (size + 4), rows * (size + 16)), (24, 24, 24))
    for i, image in enumerate(images):
        x0, y0 = (i % COLUMNS) * (size + 4) + 2, (i // COLUMNS) * (size + 16) + 14
        zoomed = Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC)
        draw(zoomed, i)
        canvas.paste(zoomed, (x0, y0))
        ImageDraw.Draw(canvas).text((x0 + 2, y0 - 12), f"{scores[i]:.1f}", fill=(220, 220, 220))
    return canvas


def points_drawn(truth: np.ndarray, points: np.ndarray, size: int) -> Draw:
    """Rings at the true and dots at the predicted points, both (N, K, 2) in pixels."""
    small = size < 48 or truth.shape[1] > 20
    ring, dot = (1.5, 1.0) if small else (3.5, 2.0)

    def draw(zoomed: Image.Image, i: int) -> None:
        pen = ImageDraw.Draw(zoomed)
        for (tx, ty), (px, py) in zip(truth[i], points[i], strict=True):
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
