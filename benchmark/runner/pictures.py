"""Predicted points on test images: a contact sheet a person can judge at a glance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmark.datasets.landmarks import landmarks_of
from benchmark.files import whole_file
from benchmark.runner.cloud_pictures import cloud_sheet
from benchmark.runner.plan import Plan
from benchmark.runner.run import Outcome

COLUMNS, ROWS, ZOOM = 8, 4, 2
TRUTH, GUESS = (80, 220, 100), (255, 70, 70)


def draw_pictures(plan: Plan, outcome: Outcome) -> Path | None:
    """Write `pictures/predictions.png` into the run's folder and return the folder.

    32 test images, from the smallest error (top left) to the largest (bottom right): truth as green
    rings, prediction as red dots; clouds as `cloud_sheet` has them. The pictures stay in the run's
    folder: most data sets forbid to publish them.
    """
    target = plan.folder / "pictures" / "predictions.png"
    if target.exists():
        return target.parent
    kept = plan.folder / f"{plan.run_id}.predictions.npz"
    if not kept.exists():
        return None
    if plan.protocol.shape is not None:
        with np.load(kept, allow_pickle=False) as arrays:
            _write(cloud_sheet(plan, dict(arrays)), target)
        return target.parent
    if plan.protocol.landmarks is None:
        return None
    with np.load(kept, allow_pickle=False) as arrays:
        points = arrays["points"]
    with np.load(plan.folder / outcome.record.headline.per_item, allow_pickle=False) as arrays:
        errors = arrays[outcome.record.headline.metric]
    split = plan.splits["test"]
    assert split.points is not None
    truth = landmarks_of(split.points, plan.protocol.landmarks)
    order = np.argsort(errors, kind="stable")
    chosen = order[
        np.linspace(0, len(order) - 1, min(COLUMNS * ROWS, len(order))).round().astype(int)
    ]
    images = split.images().batch(chosen).permute(0, 2, 3, 1).numpy()
    _write(sheet(images, truth[chosen], points[chosen], errors[chosen]), target)
    return target.parent


def _write(picture: Image.Image, target: Path) -> None:
    with whole_file(target) as temporary, temporary.open("wb") as file:
        picture.save(file, "PNG")


def sheet(
    images: np.ndarray, truth: np.ndarray, points: np.ndarray, errors: np.ndarray
) -> Image.Image:
    """A grid of images (N, S, S, 3) uint8 with true and predicted points (N, K, 2) in pixels."""
    size = images.shape[1] * ZOOM
    rows = -(-len(images) // COLUMNS)
    canvas = Image.new("RGB", (COLUMNS * (size + 4), rows * (size + 16)), (24, 24, 24))
    draw = ImageDraw.Draw(canvas)
    small = images.shape[1] < 48 or truth.shape[1] > 20
    ring, dot = (1.5, 1.0) if small else (3.5, 2.0)
    for i, image in enumerate(images):
        x0, y0 = (i % COLUMNS) * (size + 4) + 2, (i // COLUMNS) * (size + 16) + 14
        canvas.paste(
            Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC), (x0, y0)
        )
        draw.text((x0 + 2, y0 - 12), f"{errors[i]:.1f}", fill=(220, 220, 220))
        for (tx, ty), (px, py) in zip(truth[i], points[i], strict=True):
            tx, ty, px, py = ((v + 0.5) * ZOOM - 0.5 for v in (tx, ty, px, py))
            draw.ellipse((x0 + tx - ring, y0 + ty - ring, x0 + tx + ring, y0 + ty + ring),
                         outline=TRUTH)  # fmt: skip
            draw.ellipse((x0 + px - dot, y0 + py - dot, x0 + px + dot, y0 + py + dot), fill=GUESS)
    return canvas
