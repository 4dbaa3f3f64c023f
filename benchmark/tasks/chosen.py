"""Which images are annotated where few are: drawn once, stored beside the protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.datasets.layout import frozen_table

COLUMNS = ("number", "repeat", "index")
Chosen = Mapping[tuple[int, int], np.ndarray]
"""(number of images, repeat) → rows (number,) of the training split."""


def draw_chosen(images: int, numbers: Sequence[int], repeats: int, seed: int = 0) -> Chosen:
    """Rows without repetition for each number and repeat, each drawn independently of the others.

    Ranks of raw 64-bit words of PCG64, so that no library's way of shuffling decides.

    >>> {key: rows.tolist() for key, rows in draw_chosen(5, [1, 2], 1).items()}
    {(1, 0): [3], (2, 0): [3, 1]}
    """
    if max(numbers) > images:
        raise InvalidInput(f"{max(numbers)} images cannot be chosen from {images}")
    generator = np.random.PCG64(seed)
    return {
        (number, repeat): np.argsort(generator.random_raw(images), kind="stable")[:number]
        for number in numbers
        for repeat in range(repeats)
    }


def read_chosen(path: Path, sha256: str) -> Chosen:
    """The rows back; refuses a file that is not the one the protocol states."""
    chosen: dict[tuple[int, int], list[int]] = {}
    for _, row in frozen_table(path, sha256, COLUMNS):
        number, repeat, index = map(int, row)
        chosen.setdefault((number, repeat), []).append(index)
    return {key: np.array(found) for key, found in chosen.items()}
