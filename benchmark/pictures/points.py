"""The points a method discovers, before any probe: on test images, and as training goes on."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from benchmark.contracts.method import Method
from benchmark.pictures.sheet import Row, dots, enlarged, pictures_of_arrays, rows_sheet
from benchmark.pictures.shown import PicturedRun
from benchmark.runner.curve import milestones
from benchmark.runner.run import loaded_method
from benchmark.tasks.collect import predict_batch


def points_sheet(run: PicturedRun) -> Image.Image | None:
    """Discovered points on eight test images, equal colours for equal points.

    For methods that give landmarks and whose fit is on this machine.
    """
    if run.plan.kind != "landmarks" or run.discovering is None:
        return None
    return rows_sheet([_row("points", run, run.discovering)])


def milestones_sheet(run: PicturedRun) -> Image.Image | None:
    """The same images with the points of each milestone, a row for each."""
    if run.plan.kind != "landmarks" or run.plan.spec.role != "method" or run.method is None:
        return None
    rows = [
        _row(f"{seen:,} images seen", run, loaded_method(run.plan, folder))
        for seen, folder in milestones(run.plan).items()
    ]
    return rows_sheet(rows) if rows else None


def _row(name: str, run: PicturedRun, method: Method) -> Row:
    with torch.inference_mode():
        found = predict_batch(method, "landmarks", run.some, None, run.plan.protocol.landmarks)
    images = run.some.permute(0, 2, 3, 1).numpy()
    return name, dotted(images, found.arrays()["points"])


def dotted(images: np.ndarray, points: np.ndarray) -> list[Image.Image]:
    """Images (N, S, S, 3) uint8 enlarged, with points (N, K, 2) in their pixels."""
    size = images.shape[1]
    pictures = map(enlarged, pictures_of_arrays(images))
    return [dots(picture, each, size) for picture, each in zip(pictures, points, strict=True)]
