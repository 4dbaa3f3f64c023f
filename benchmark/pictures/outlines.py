"""Where predicted outlines and true masks disagree, over the pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image

from benchmark.pictures.predictions import edge_of
from benchmark.pictures.sheet import GUESS, INK, TRUTH, contact_sheet, enlarged
from benchmark.pictures.shown import PicturedRun, from_best_to_worst
from benchmark.tasks.foreground import true_masks, unpacked

ZOOM = 3
TINT = 0.6


def outlines_sheet(run: PicturedRun) -> Image.Image | None:
    """32 test images from the best to the worst, with predicted outlines and where they are wrong.

    A line is the outline predicted, red what only it holds, green what only the truth holds. Pixels that
    are not scored are in neither colour.
    """
    split, protocol, kept, values = run.test, run.plan.protocol, run.kept, run.scores.values
    if protocol.task != "mask_disagreement" or "foreground" not in kept:
        return None
    if values.shape != (len(split),) or not np.isfinite(values).any():
        return None
    chosen = from_best_to_worst(run.scores)
    masks, (truth, scored) = unpacked(kept), true_masks(split, protocol)
    pixels = split.images().batch(chosen).permute(0, 2, 3, 1).numpy()
    cells = [
        disagreement(image, masks[row], truth[row], scored[row])
        for image, row in zip(pixels, chosen, strict=True)
    ]
    return contact_sheet(cells, [f"{value:.1f}" for value in values[chosen]])


def disagreement(
    image: np.ndarray, mask: np.ndarray, truth: np.ndarray, scored: np.ndarray
) -> Image.Image:
    """A picture uint8 (S, S, 3), enlarged, with a mask's outline and where it and the truth differ.

    Masks are bool (S, S). Example: where mask and truth are one there is the outline alone.
    """
    found, true, counts = (np.repeat(np.repeat(m, ZOOM, 0), ZOOM, 1) for m in (mask, truth, scored))
    drawn = np.asarray(enlarged(Image.fromarray(image), ZOOM * len(image))).astype(np.float32)
    for wrong, colour in ((found & ~true, GUESS), (true & ~found, TRUTH)):
        drawn[wrong & counts] = (1 - TINT) * drawn[wrong & counts] + TINT * np.array(colour)
    # dark beneath bright, so that the line is seen on any ground
    drawn[edge_of(~found)] = 0
    drawn[edge_of(found)] = INK
    return Image.fromarray(drawn.round().astype(np.uint8))
