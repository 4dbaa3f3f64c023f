"""Where landmarks of one view are found in another: lines between two crops."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw

from benchmark.runner.plan import Plan
from benchmark.runner.sheets import GUESS, TRUTH, ZOOM, ItemScores, from_best_to_worst
from benchmark.tasks.landmark_matching import pairs_of, view_landmarks
from benchmark.tasks.warped import levels

COUNT, COLUMNS, LABEL = 16, 4, 14
FAR = 0.1  # of the picture's side: a match farther from the truth is drawn red


def match_sheet(
    plan: Plan, kept: Mapping[str, np.ndarray], scores: ItemScores
) -> Image.Image | None:
    """16 pairs of the headline's kind, from the best to the worst: source, target, and lines between.

    Rings are the true places; a line leads from a point of the source to where it is found.
    """
    if "matches" not in kept or plan.protocol.pairs is None:
        return None
    split, headline = plan.splits["test"], plan.scored.metrics[0]
    pairs = pairs_of(plan.protocol, split)
    rows = np.flatnonzero(pairs.same if headline.id.endswith("same") else ~pairs.same)
    if scores.values.shape != rows.shape:
        return None
    order = from_best_to_worst(scores, COUNT)
    points, _ = view_landmarks(pairs, split, plan.protocol)
    images, side = split.images(), split.size
    size = ZOOM * side
    lines = -(-len(order) // COLUMNS)
    canvas = Image.new("RGB", (COLUMNS * (2 * size + 8), lines * (size + LABEL + 2)), (24, 24, 24))
    pen = ImageDraw.Draw(canvas)
    for i, place in enumerate(order):
        views = pairs.pairs[rows[place]]
        found = kept["matches"][rows[place]].astype(np.float64)
        x, y = i % COLUMNS * (2 * size + 8), i // COLUMNS * (size + LABEL + 2) + LABEL
        whole = images.batch(pairs.views[views, 0], margin=True).float()
        crops = levels(pairs.render(views, whole), plan.protocol.pairs.rounding)
        middle = slice(images.margin, images.margin + side)
        for j, crop in enumerate(crops[..., middle, middle].permute(0, 2, 3, 1).numpy()):
            zoomed = Image.fromarray(crop).resize((size, size), Image.Resampling.BICUBIC)
            canvas.paste(zoomed, (x + j * size, y))
        pen.text((x + 2, y - LABEL + 2), f"{scores.values[place]:.1f}", fill=(220, 220, 220))
        for start, true, end in zip(points[views[0]], points[views[1]], found, strict=True):
            if np.isfinite(end).all():
                far = np.linalg.norm(end - true) > FAR * side
                _draw_match(pen, (x, y), size, (start, true, end), GUESS if far else TRUTH)
    return canvas


def _draw_match(
    pen: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    size: int,
    points: tuple[np.ndarray, np.ndarray, np.ndarray],
    colour: tuple[int, int, int],
) -> None:
    start, true, end = (
        (point + 0.5) * ZOOM - 0.5 + np.array(corner) + (0 if i == 0 else np.array([size, 0]))
        for i, point in enumerate(points)
    )
    pen.line([*start, *end], fill=colour, width=1)
    for ring in (start, true):
        pen.ellipse([*(ring - 3), *(ring + 3)], outline=(255, 255, 255))
    pen.ellipse([*(end - 2), *(end + 2)], fill=colour)
