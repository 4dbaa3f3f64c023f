"""Predicted against true clouds, as pictures that a person can judge at a glance."""

from __future__ import annotations

import numpy as np
from PIL import Image

from benchmark.metrics.pose import rotate
from benchmark.pictures.sheet import BACK, GUESS, TRUTH, contact_sheet, enlarged, side_by_side
from benchmark.pictures.shown import PicturedRun

TILE, COLUMNS = 128, 2
LONGEST = 1.1  # of the scene, across a tile: a model of diagonal 1 fits however it is turned
DOTS = 1024
TURNED, TURNS = 6, 8


def cloud_sheet(run: PicturedRun) -> Image.Image | None:
    """Test models from the smallest Chamfer distance to the largest, four tiles each, left to right:

    the picture; true (green) and predicted (red) cloud from the true camera, after the alignment;
    the predicted cloud from the camera predicted; both clouds from straight above. Views are parallel,
    without perspective.
    """
    split, shape, kept = run.test, run.plan.protocol.shape, run.kept
    if shape is None or split.clouds is None or "drawn" not in kept:
        return None
    rows, reference = kept["drawn"], kept["reference"]
    pictures = split.images().batch(rows).permute(0, 2, 3, 1).numpy()
    cells = []
    for i, row in enumerate(rows.tolist()):
        raw = kept["drawn_points"][i].astype(np.float64)
        guess = rotate(reference, raw)
        truth = _thinned(split.clouds[row])
        camera, own = split.labels["quaternions"][row], kept["rotation"][row]
        views = (
            ((rotate(camera, truth), TRUTH), (rotate(camera, guess), GUESS)),
            ((rotate(own, raw), GUESS),),
        )
        tiles = [[(_seen(p, shape.camera_axes), c) for p, c in view] for view in views]
        tiles.append([(truth[:, [0, 2]], TRUTH), (guess[:, [0, 2]], GUESS)])
        picture = enlarged(Image.fromarray(pictures[i]), TILE)
        cells.append(side_by_side([picture, *map(_dots, tiles)]))
    return contact_sheet(cells, _captions(kept["drawn_error"]), COLUMNS)


def turntable_sheet(run: PicturedRun) -> Image.Image | None:
    """Up to six of those models from the smallest distance to the largest: true and predicted cloud

    on two lines, turned about the vertical by an eighth from tile to tile, seen from a little above.
    What is nearer is brighter.
    """
    split, kept = run.test, run.kept
    if run.plan.protocol.shape is None or split.clouds is None or "drawn" not in kept:
        return None
    rows = kept["drawn"]
    order = np.unique(np.linspace(0, len(rows) - 1, TURNED).round().astype(int))
    cells = []
    for i in order:
        guess = rotate(kept["reference"], kept["drawn_points"][i].astype(np.float64))
        both = (turns(_thinned(split.clouds[rows[i]]), TRUTH), turns(guess, GUESS))
        cells.append(contact_sheet(both, columns=1, gap=0))
    return contact_sheet(cells, _captions(kept["drawn_error"][order]), columns=1)


def turns(cloud: np.ndarray, colour: tuple[int, int, int]) -> Image.Image:
    """A cloud (P, 3), y up, turned about the vertical by an eighth from tile to tile."""
    return side_by_side([turned(cloud, 2 * np.pi * turn / TURNS, colour) for turn in range(TURNS)])


def _captions(errors: np.ndarray) -> list[str]:
    return [f"Chamfer {error:.2f}" for error in errors]


def turned(cloud: np.ndarray, angle: float, colour: tuple[int, int, int]) -> Image.Image:
    """One tile with a cloud (P, 3), y up, turned about y by `angle` and tilted by 20 degrees."""
    about, tilt = angle / 2, np.deg2rad(20) / 2
    points = rotate([np.cos(about), 0, np.sin(about), 0], cloud)
    points = rotate([np.cos(tilt), np.sin(tilt), 0, 0], points)
    points = points[np.argsort(points[:, 2])]  # far ones first: the viewer looks along -z
    at = np.floor((points[:, :2] * [1, -1] / LONGEST + 0.5) * TILE).astype(int)
    near = np.clip(points[:, 2] / LONGEST + 0.5, 0, 1)[:, None]
    shades = (0.35 + 0.65 * near) * np.array(colour)
    inside = ((at >= 0) & (at < TILE - 1)).all(axis=1)
    tile = np.full((TILE, TILE, 3), BACK, np.uint8)
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):  # dots of 2 by 2 pixels
        tile[at[inside, 1] + down, at[inside, 0] + right] = shades[inside].astype(np.uint8)
    return Image.fromarray(tile)


def _thinned(cloud: np.ndarray) -> np.ndarray:
    return cloud[:: max(1, len(cloud) // DOTS)]


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
