"""What a protocol draws once and stores beside it: crops of images, and the few that are annotated.

For whoever makes a new version of a protocol; tests draw the committed files again.

    python -c "from tools.drawn import *; print(write_crops(Path('2.crops.csv'), draw_crops(...)))"
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.datasets import crops
from benchmark.files import file_sha256, write_text
from benchmark.tasks import chosen


def draw_crops(
    count: int, *, scale: tuple[float, float], shift: float, seed: int = 0
) -> np.ndarray:
    """(count, 3) float64 of scale, shift_x, shift_y; uniform, from PCG64, 4 decimals.

    Scales are multiples of the longest side of the points' box, shifts fractions of the visible
    side. `protocols/ytf5_loose/1.crops.csv` is `draw_crops(4232, scale=(1.2, 2.2), shift=0.15)`.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    low = [scale[0], -shift, -shift]
    high = [scale[1], shift, shift]
    return generator.uniform(low, high, (count, 3)).round(4)


def write_crops(path: Path, drawn: np.ndarray) -> str:
    """Write the file whole and return the sha256 that the protocol states as `crops_sha256`."""
    rows = (f"{i},{s:.4f},{x:.4f},{y:.4f}\n" for i, (s, x, y) in enumerate(drawn))
    write_text(path, ",".join(crops.COLUMNS) + "\n" + "".join(rows))
    return file_sha256(path)


def write_chosen(path: Path, drawn: chosen.Chosen) -> str:
    """Write the file whole and return the sha256 that the protocol states as `chosen_sha256`."""
    rows = (f"{n},{r},{i}\n" for (n, r), found in drawn.items() for i in found)
    write_text(path, ",".join(chosen.COLUMNS) + "\n" + "".join(rows))
    return file_sha256(path)
