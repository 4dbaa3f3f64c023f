"""Predicted against true clouds: a contact sheet of views a person can judge at a glance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw

from benchmark.metrics.pose import rotate
from benchmark.runner.plan import Plan

TILE, LABEL, COLUMNS = 128, 14, 2
TRUTH, GUESS, BACK = (80, 220, 100), (255, 70, 70), (24, 24, 24)
LONGEST = 1.1  # of the scene, across a tile: a model of diagonal 1 fits however it is turned
DOTS = 1024


def cloud_sheet(plan: Plan, kept: Mapping[str, np.ndarray]) -> Image.Image:
    """Test models from the smallest Chamfer distance to the largest, four tiles each, left to right:

    the picture; true (green) and predicted (red) cloud from the true camera, after the alignment;
    the predicted cloud from the camera predicted; both clouds from straight above. `kept` are the
    arrays that the task keeps of a run. Views are parallel, without perspective.
    """
    split, shape = plan.splits["test"], plan.protocol.shape
    assert shape is not None
    assert split.clouds is not None
    rows, reference = kept["drawn"], kept["reference"]
    lines = -(-len(rows) // COLUMNS)
    canvas = Image.new("RGB", (COLUMNS * (4 * TILE + 8), lines * (TILE + LABEL)), BACK)
    draw = ImageDraw.Draw(canvas)
    pictures = split.images().batch(rows).permute(0, 2, 3, 1).numpy()
    for i, row in enumerate(rows.tolist()):
        x, y = (i % COLUMNS) * (4 * TILE + 8), (i // COLUMNS) * (TILE + LABEL)
        raw = kept["drawn_points"][i].astype(np.float64)
        guess = rotate(reference, raw)
        truth = split.clouds[row][:: max(1, len(split.clouds[row]) // DOTS)]
        camera, own = split.labels["quaternions"][row], kept["rotation"][row]
        views = (
            ((rotate(camera, truth), TRUTH), (rotate(camera, guess), GUESS)),
            ((rotate(own, raw), GUESS),),
        )
        canvas.paste(Image.fromarray(pictures[i]).resize((TILE, TILE)), (x, y + LABEL))
        tiles = [[(_seen(p, shape.camera_axes), c) for p, c in view] for view in views]
        tiles.append([(truth[:, [0, 2]], TRUTH), (guess[:, [0, 2]], GUESS)])
        for place, tile in enumerate(tiles, start=1):
            canvas.paste(_dots(tile), (x + place * TILE, y + LABEL))
        draw.text((x + 2, y + 1), f"Chamfer {kept['drawn_error'][i]:.2f}", fill=(220, 220, 220))
    return canvas


def _seen(points: np.ndarray, axes: str) -> np.ndarray:
    """(right, down) of points in camera axes."""
    if axes == "forward_up_right":
        return points[:, [2, 1]] * np.array([1.0, -1.0])
    return points[:, :2]


def _dots(clouds: list[tuple[np.ndarray, tuple[int, int, int]]]) -> Image.Image:
    """One tile with clouds (P, 2) of (right, down) as dots; what lies outside is left out."""
    tile = np.full((TILE, TILE, 3), BACK, np.uint8)
    for points, colour in clouds:
        at = np.floor((points / LONGEST + 0.5) * TILE)
        inside = ((at >= 0) & (at < TILE)).all(axis=1)
        columns, lines = at[inside].astype(int).T
        tile[lines, columns] = colour
    return Image.fromarray(tile)
