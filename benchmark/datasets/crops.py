"""Crops drawn once and stored: scale and shift per image, so that position alone tells little.

A protocol's crops file has one row per sample of the data set's split "all", in its order, and no
names: columns index, scale, shift_x, shift_y.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.contracts.errors import DataAltered
from benchmark.datasets.layout import numbers, table_of
from benchmark.files import file_sha256, write_text

COLUMNS = ["index", "scale", "shift_x", "shift_y"]


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


def write_crops(path: Path, crops: np.ndarray) -> str:
    """Write the file whole and return the sha256 that the protocol states as `crops_sha256`."""
    rows = (f"{i},{s:.4f},{x:.4f},{y:.4f}\n" for i, (s, x, y) in enumerate(crops))
    write_text(path, ",".join(COLUMNS) + "\n" + "".join(rows))
    return file_sha256(path)


def read_crops(path: Path, sha256: str) -> np.ndarray:
    """(N, 3) float64; refuses a file that is not the one the protocol states."""
    cure = "restore the file as the protocol was published, or make a new protocol version"
    if not path.is_file():
        raise DataAltered(f"the protocol's crops file {path} is not there", cure=cure)
    found = file_sha256(path)
    if found != sha256:
        stated = sha256[:12] or "none"
        raise DataAltered(
            f"{path} has sha256 {found[:12]}…, the protocol states {stated}", cure=cure
        )
    header, rows = table_of(path)
    if header != COLUMNS or [words[0] for _, words in rows] != [str(i) for i in range(len(rows))]:
        raise DataAltered(
            f"{path}: expected the columns {','.join(COLUMNS)}, index from 0", cure=cure
        )
    return np.stack([numbers(path, line, words[1:], 3) for line, words in rows])
