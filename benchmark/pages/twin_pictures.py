"""Pictures of a protocol's twin, with what is known of them drawn in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmark.datasets.opening import open_split
from benchmark.files import whole_file
from benchmark.protocols import Protocol
from benchmark.tasks.landmark_rule import landmarks_of

COLUMNS = 8
RING = (80, 220, 100)


def draw_twin(protocol: Protocol, target: Path) -> None:
    """A JPEG of 8 test pictures of the protocol's twin, with what is known of them drawn in."""
    split = open_split(protocol, "test", twin=True, progress=lambda *_, **__: None)
    rows = np.arange(0, len(split), max(1, len(split) // COLUMNS))[:COLUMNS]
    images = split.images().batch(rows).permute(0, 2, 3, 1).numpy()
    truth = None
    if protocol.landmarks is not None and split.points is not None:
        truth = landmarks_of(split.points, protocol.landmarks)[rows]
    masks = split.labels["masks"][rows] if "masks" in split.labels else None
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as temporary, temporary.open("wb") as file:
        known_sheet(images, truth, masks).save(file, "JPEG", quality=85)


def known_sheet(
    images: np.ndarray, truth: np.ndarray | None, masks: np.ndarray | None
) -> Image.Image:
    """Images (N, S, S, 3) uint8 side by side, points (N, K, 2) as rings, masks (N, S, S) shaded."""
    zoom = max(1, round(160 / images.shape[1]))
    size = images.shape[1] * zoom
    canvas = Image.new("RGB", (COLUMNS * size, -(-len(images) // COLUMNS) * size))
    draw = ImageDraw.Draw(canvas)
    for i, image in enumerate(images):
        x0, y0 = i % COLUMNS * size, i // COLUMNS * size
        if masks is not None:
            image = np.where(masks[i][..., None] == 1, image, image // 3)
        canvas.paste(
            Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC), (x0, y0)
        )
        for x, y in () if truth is None else (truth[i] + 0.5) * zoom - 0.5:
            draw.ellipse((x0 + x - 3, y0 + y - 3, x0 + x + 3, y0 + y + 3), outline=RING)
    return canvas
