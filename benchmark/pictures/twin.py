"""Pictures of a protocol's twin, with what is known of them drawn in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmark.datasets.opening import open_split
from benchmark.files import whole_file
from benchmark.pictures.sheet import TRUTH, contact_sheet, enlarged, pictures_of_arrays
from benchmark.protocols import Protocol
from benchmark.tasks.landmark_rule import landmarks_of

COLUMNS = 8


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
    if masks is not None:
        images = np.where(masks[..., None] == 1, images, images // 3)
    cells = [enlarged(p, zoom * images.shape[1]) for p in pictures_of_arrays(images)]
    for i, cell in enumerate(cells):
        pen = ImageDraw.Draw(cell)
        for x, y in () if truth is None else (truth[i] + 0.5) * zoom - 0.5:
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), outline=TRUTH)
    return contact_sheet(cells, columns=COLUMNS, gap=0)
