"""The points a method discovers, before any probe: on test images, and as training goes on."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw

from benchmark.contracts.images import to_signed
from benchmark.contracts.method import Method
from benchmark.contracts.spec import Kind
from benchmark.method_errors import errors_of
from benchmark.protocols import LandmarkRule
from benchmark.runner.curve import milestones
from benchmark.runner.plan import Plan
from benchmark.runner.run import loaded_method
from benchmark.tasks.collect import predict_batch

SHOWN, SIDE, HEAD = 8, 192, 16
Row = tuple[str, np.ndarray, np.ndarray | None]
"""What a row of pictures is, the pictures uint8 (N, S, S, 3), and points (N, K, 2) in their pixels."""


def points_sheet(plan: Plan) -> Image.Image | None:
    """Discovered points on eight test images, evenly spread over the split, none picked.

    Equal colours for equal points; below them what the method itself has to show
    (`Method.pictures`). For methods that give landmarks and whose fit is on this machine.
    """
    if not _has_points(plan) or plan.spec.role == "ceiling":
        return None
    pixels, method = _some(plan), loaded_method(plan)
    rows: list[Row] = [("points", _shown(pixels), _points(method, plan, pixels))]
    with torch.inference_mode(), errors_of(method, "pictures"):
        own = method.pictures(to_signed(pixels.to(method.device)))
    return sheet(rows + [(name, _bytes(images), None) for name, images in own.items()])


def milestones_sheet(plan: Plan) -> Image.Image | None:
    """The same images with the points of each milestone, a row for each."""
    if not _has_points(plan) or plan.spec.role != "method":
        return None
    pixels = _some(plan)
    rows: list[Row] = [
        (f"{seen:,} images seen", _shown(pixels), _points(loaded_method(plan, f), plan, pixels))
        for seen, f in milestones(plan).items()
    ]
    return sheet(rows) if rows else None


def _has_points(plan: Plan) -> bool:
    fitted = (plan.fit_folder / "model").exists()
    return plan.kind == "landmarks" and "test" in plan.splits and fitted


def _some(plan: Plan) -> torch.Tensor:
    """The images shown, uint8 (N, 3, S, S)."""
    split = plan.splits["test"]
    chosen = np.linspace(0, len(split) - 1, min(SHOWN, len(split))).round().astype(int)
    return split.images().batch(np.unique(chosen))


def sheet(rows: Sequence[Row]) -> Image.Image:
    """Rows of pictures under their names, each `SIDE` pixels wide, with points drawn on them.

    Example: two rows of eight pictures are 8 · 196 × 2 · 212 pixels.
    """
    columns = max(len(images) for _, images, _ in rows)
    canvas = Image.new("RGB", (columns * (SIDE + 4), len(rows) * (SIDE + 4 + HEAD)), (24, 24, 24))
    for r, (name, images, points) in enumerate(rows):
        top = r * (SIDE + 4 + HEAD) + HEAD
        ImageDraw.Draw(canvas).text((4, top - 13), name, fill=(220, 220, 220))
        for c, image in enumerate(images):
            zoom = SIDE / len(image)
            picture = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            if points is not None:
                _dots(picture, (points[c] + 0.5) * zoom - 0.5)
            canvas.paste(picture, (c * (SIDE + 4) + 2, top))
    return canvas


def _dots(picture: Image.Image, points: np.ndarray) -> None:
    pen = ImageDraw.Draw(picture)
    for (x, y), colour in zip(points, colours(len(points)), strict=True):
        pen.ellipse((x - 5, y - 5, x + 5, y + 5), fill=colour, outline=(0, 0, 0))


def colours(count: int) -> list[tuple[int, int, int]]:
    """`count` colours around the circle of hues, every second one darker.

    >>> colours(1)
    [(255, 51, 51)]
    """
    found = []
    for i in range(count):
        rgb = colorsys.hsv_to_rgb(i / count, 0.8, 1.0 if i % 2 == 0 else 0.75)
        found.append((round(rgb[0] * 255), round(rgb[1] * 255), round(rgb[2] * 255)))
    return found


def _points(method: Method, plan: Plan, pixels: torch.Tensor) -> np.ndarray:
    kind: Kind = "landmarks"
    rule: LandmarkRule | None = plan.protocol.landmarks
    with torch.inference_mode():
        found = predict_batch(method, kind, pixels, None, rule)
    return found.arrays()["points"]


def _shown(pixels: torch.Tensor) -> np.ndarray:
    return pixels.permute(0, 2, 3, 1).numpy()


def _bytes(images: torch.Tensor) -> np.ndarray:
    """Images (B, 3, S, S) in [-1, 1] as uint8 (B, S, S, 3)."""
    return _shown(images.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).cpu())
