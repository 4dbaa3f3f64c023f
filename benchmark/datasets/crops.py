"""Crops drawn once and stored: scale and shift per image, so that position alone tells little.

A protocol's crops file has one row per sample of the data set's split "all", in its order, and no
names: columns index, scale, shift_x, shift_y.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.contracts.errors import DataAltered
from benchmark.datasets.layout import frozen_table

COLUMNS = ("index", "scale", "shift_x", "shift_y")


def read_crops(path: Path, sha256: str) -> np.ndarray:
    """(N, 3) float64; refuses a file that is not the one the protocol states."""
    rows = [row for _, row in frozen_table(path, sha256, COLUMNS)]
    if [row[0] for row in rows] != list(range(len(rows))):
        raise DataAltered(f"{path}: its rows must be numbered from 0, in order")
    return np.stack([row[1:] for row in rows])
