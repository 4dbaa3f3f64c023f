"""Parts as a method finds them, one colour each, over test images."""

from __future__ import annotations

import colorsys

import numpy as np
import torch
from PIL import Image

from benchmark.contracts.images import to_signed
from benchmark.contracts.method import Ceiling
from benchmark.contracts.predictions import Parts
from benchmark.method_errors import prediction_of
from benchmark.runner.plan import Plan
from benchmark.runner.run import loaded_method
from benchmark.runner.sheets import Draw, ItemScores, from_best_to_worst, sheet

COUNT = 16
STRENGTH, DARKNESS = 0.55, 0.35


def part_sheet(plan: Plan, kept: object, scores: ItemScores) -> Image.Image | None:
    """16 test images, from the best to the worst where each has a score, with their parts.

    None for methods without parts, for ceilings, and where the fit is not on this machine.
    """
    if "parts" not in plan.info.gives or not (plan.fit_folder / "model").exists():
        return None
    method = loaded_method(plan, kind="parts")
    if isinstance(method, Ceiling):
        return None
    split = plan.splits["test"]
    if scores.values.shape != (len(split),) or not np.isfinite(scores.values).any():
        scores = ItemScores(np.arange(len(split), dtype=float), "lower")
    chosen = from_best_to_worst(scores, COUNT)
    pixels = split.images().batch(chosen)
    with torch.inference_mode(), prediction_of(method):
        found = method.predict(to_signed(pixels.to(plan.device)))
    if not isinstance(found, Parts):
        return None
    labels = found.probabilities.argmax(1).cpu().numpy()
    draw = parts_drawn(labels, found.probabilities.shape[1] - 1)
    return sheet(pixels.permute(0, 2, 3, 1).numpy(), None, draw)


def parts_drawn(labels: np.ndarray, count: int) -> Draw:
    """Tints of `count` parts over labels (N, H, W), 0 being no part."""
    colours = 255 * np.array([colorsys.hsv_to_rgb(i / count, 0.75, 1.0) for i in range(count)])

    def draw(zoomed: Image.Image, i: int) -> None:
        small = Image.fromarray(labels[i].astype(np.uint8))
        part = np.asarray(small.resize(zoomed.size, Image.Resampling.NEAREST)).astype(int)
        pixels = np.asarray(zoomed).astype(np.float64)
        tinted = (1 - STRENGTH) * pixels + STRENGTH * colours[part - 1]
        mixed = np.where(part[..., None] > 0, tinted, DARKNESS * pixels)
        zoomed.paste(Image.fromarray(mixed.round().astype(np.uint8)))

    return draw
