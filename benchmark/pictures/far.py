"""The generated images that are least like real ones, by the Mahalanobis distance of their features."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from benchmark.pictures.generated import made_again
from benchmark.pictures.sheet import contact_sheet, enlarged, pictures_of_arrays, titled
from benchmark.pictures.shown import PicturedRun
from benchmark.tasks.generation_scores import FAR

COUNT, COLUMNS, TILE = 30, 10, 128


def far_sheet(run: PicturedRun) -> Image.Image | None:
    """The 30 generated images farthest from the real ones, the farthest first, with their distances.

    Distances are those that scoring kept; the images are made again. None where none were kept, and
    where the fit is not on this machine.
    """
    generator, how = run.generator, run.plan.scored.generation
    if generator is None or how is None or FAR not in run.kept:
        return None
    distances = run.kept[FAR]
    rows = np.argsort(-distances, kind="stable")[:COUNT].tolist()
    with torch.inference_mode():
        images = made_again(generator, rows, how.seed, run.plan.device)
    cells = [enlarged(p, TILE) for p in pictures_of_arrays(images.permute(0, 2, 3, 1).numpy())]
    captions = [f"{distances[row]:.4g}" for row in rows]
    shrinkage = run.probe[FAR]["shrinkage"]
    words = said(run.probe["images"]["real"], run.probe["features"]["dimensions"], shrinkage)
    return titled(contact_sheet(cells, captions, COLUMNS, under=True), words)


def said(real: int, dimensions: int, shrinkage: float) -> str:
    """Which covariance distances were measured by, and why that one.

    >>> said(857, 512, 0.0)
    'Covariance of 857 real images in 512 dimensions, as it is.'
    """
    found = f"Covariance of {real:,} real images in {dimensions:,} dimensions, "
    if not shrinkage:
        return found + "as it is."
    return found + (
        f"which has no inverse: shrunk by {shrinkage:.3g} to equal variances (Ledoit and Wolf). "
        "A pseudo-inverse would not see what no real image has."
    )
