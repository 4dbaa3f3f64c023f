"""Where landmarks of one view are found in another: lines between two crops."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from benchmark.pictures.sheet import GUESS, TRUTH, contact_sheet, enlarged, side_by_side
from benchmark.pictures.shown import PicturedRun, from_best_to_worst
from benchmark.tasks.landmark_matching import pairs_of, view_landmarks
from benchmark.tasks.warped import levels

COUNT, COLUMNS, ZOOM = 16, 4, 2
FAR = 0.1  # of the picture's side: a match farther from the truth is drawn red


def match_sheet(run: PicturedRun) -> Image.Image | None:
    """16 pairs of the headline's kind, from the best to the worst: source, target, and lines between.

    Rings are the true places; a line leads from a point of the source to where it is found.
    """
    plan, scores, split = run.plan, run.scores, run.test
    if "matches" not in run.kept or plan.protocol.pairs is None:
        return None
    headline = plan.scored.metrics[0]
    pairs = pairs_of(plan.protocol, split)
    rows = np.flatnonzero(pairs.same if headline.id.endswith("same") else ~pairs.same)
    if scores.values.shape != rows.shape:
        return None
    order = from_best_to_worst(scores, COUNT)
    points, _ = view_landmarks(pairs, split, plan.protocol)
    images, side = split.images(), split.size
    size = ZOOM * side
    cells = []
    for place in order:
        views = pairs.pairs[rows[place]]
        found = run.kept["matches"][rows[place]].astype(np.float64)
        whole = images.batch(pairs.views[views, 0], margin=True).float()
        crops = levels(pairs.render(views, whole), plan.protocol.pairs.rounding)
        middle = slice(images.margin, images.margin + side)
        seen = crops[..., middle, middle].permute(0, 2, 3, 1).numpy()
        cell = side_by_side([enlarged(Image.fromarray(crop), size) for crop in seen])
        pen = ImageDraw.Draw(cell)
        for start, true, end in zip(points[views[0]], points[views[1]], found, strict=True):
            if np.isfinite(end).all():
                far = np.linalg.norm(end - true) > FAR * side
                _draw_match(pen, size, (start, true, end), GUESS if far else TRUTH)
        cells.append(cell)
    return contact_sheet(cells, [f"{scores.values[place]:.1f}" for place in order], COLUMNS)


def _draw_match(
    pen: ImageDraw.ImageDraw,
    size: int,
    points: tuple[np.ndarray, np.ndarray, np.ndarray],
    colour: tuple[int, int, int],
) -> None:
    start, true, end = (
        (point + 0.5) * ZOOM - 0.5 + np.array([0 if i == 0 else size, 0])
        for i, point in enumerate(points)
    )
    pen.line([*start, *end], fill=colour, width=1)
    for ring in (start, true):
        pen.ellipse([*(ring - 3), *(ring + 3)], outline=(255, 255, 255))
    pen.ellipse([*(end - 2), *(end + 2)], fill=colour)
