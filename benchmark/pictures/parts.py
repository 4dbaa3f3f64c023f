"""Parts as a method finds them, one colour each, over test images."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from benchmark.colours import colours
from benchmark.contracts.images import to_signed
from benchmark.contracts.predictions import Parts
from benchmark.method_errors import prediction_of
from benchmark.pictures.sheet import contact_sheet, pictures_of_arrays
from benchmark.pictures.shown import ItemScores, PicturedRun, from_best_to_worst

COUNT, ZOOM = 16, 2
STRENGTH, DARKNESS = 0.55, 0.35


def part_sheet(run: PicturedRun) -> Image.Image | None:
    """16 test images, from the best to the worst where each has a score, with their parts.

    None for methods without parts, for ceilings, and where the fit is not on this machine.
    """
    if "parts" not in run.plan.info.gives or run.discovering is None:
        return None
    split, scores = run.test, run.scores
    if scores.values.shape != (len(split),) or not np.isfinite(scores.values).any():
        scores = ItemScores(np.arange(len(split), dtype=float), "lower")
    pixels = split.images().batch(from_best_to_worst(scores, COUNT))
    run.discovering.kind = "parts"
    with torch.inference_mode(), prediction_of(run.discovering):
        found = run.discovering.predict(to_signed(pixels.to(run.plan.device)))
    if not isinstance(found, Parts):
        return None
    labels = found.probabilities.argmax(1).cpu().numpy()
    return contact_sheet(
        tinted(pixels.permute(0, 2, 3, 1).numpy(), labels, found.probabilities.shape[1] - 1)
    )


def tinted(images: np.ndarray, labels: np.ndarray, count: int) -> list[Image.Image]:
    """Images (N, S, S, 3) uint8, enlarged, under tints of `count` parts by labels (N, S, S)."""
    tints = np.array(colours(count), float)
    found = []
    for image, own in zip(pictures_of_arrays(images), labels, strict=True):
        side = ZOOM * image.width
        pixels = np.asarray(image.resize((side, side), Image.Resampling.BICUBIC)).astype(float)
        part = own.repeat(ZOOM, 0).repeat(ZOOM, 1)
        mixed = (1 - STRENGTH) * pixels + STRENGTH * tints[part - 1]
        mixed = np.where(part[..., None] > 0, mixed, DARKNESS * pixels)
        found.append(Image.fromarray(mixed.round().astype(np.uint8)))
    return found
