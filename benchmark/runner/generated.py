"""A grid of generated images: what a person looks at first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmark.files import whole_file
from benchmark.runner.plan import Plan
from benchmark.runner.run import loaded_method
from benchmark.tasks.image_generation import generator_of

COLUMNS, ROWS = 8, 4
SEED = 0


def draw_generated(plan: Plan) -> Path | None:
    """Write `pictures/generated.png` into the run's folder and return the folder.

    The first 32 images that the fitted method generates from seed 0, none picked. None where the fit is
    not on this machine. They stay in the run's folder: some generators give back their training images.
    """
    target = plan.folder / "pictures" / "generated.png"
    if target.exists():
        return target.parent
    if not (plan.fit_folder / "model").exists():
        return None
    with torch.inference_mode():
        generator = generator_of(loaded_method(plan), plan.splits["test"], plan.scored)
        parts = generator.stream(COLUMNS * ROWS, SEED, batch=COLUMNS, device=plan.device)
        images = np.concatenate([p.permute(0, 2, 3, 1).cpu().numpy() for p in parts])
    with whole_file(target) as temporary, temporary.open("wb") as file:
        Image.fromarray(grid(images)).save(file, "PNG")
    return target.parent


def grid(images: np.ndarray, columns: int = COLUMNS) -> np.ndarray:
    """Images (N, H, W, 3) uint8 in rows of `columns`, without gaps; what is left over is black.

    >>> grid(np.full((3, 2, 4, 3), 9, np.uint8), columns=2).shape
    (4, 8, 3)
    """
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, height, width, channels), np.uint8)
    sheet[:count] = images
    laid = sheet.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return laid.reshape(rows * height, columns * width, channels)
