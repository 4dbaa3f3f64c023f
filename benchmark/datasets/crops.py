"""Crops drawn once and stored: scale and shift per image, so that position alone tells little.

A protocol's crops file has one row per sample of the data set's split "all", in its order, and no
names: columns index, scale, shift_x, shift_y.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.contracts.errors import DataAltered
from benchmark.datasets.layout import numbers, table_of
from benchmark.files import file_sha256

COLUMNS = ["index", "scale", "shift_x", "shift_y"]


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
