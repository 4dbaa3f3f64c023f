"""Which test items belong together: they are drawn together where an interval is asked for."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmark.datasets.prepared import PreparedSplit


def image_groups(split: PreparedSplit, drawn_by: str) -> np.ndarray | None:
    """The group of each image of a split, as `group_numbers`; by "identities", "clips" or "images"."""
    if drawn_by == "images":
        return None
    if drawn_by == "clips":
        return group_numbers([int(clip) for clip in split.labels["clips"]])
    return group_numbers(split.identities)


def group_numbers(names: Sequence[Hashable]) -> np.ndarray | None:
    """(N,) int64 numbers from 0 in order of first appearance, equal for equal names.

    None where names tell nothing apart: all are one, or each is another; an empty name is no name.

    >>> group_numbers(["Ann", "Bob", "Ann"])
    array([0, 1, 0])
    >>> group_numbers(["Ann", "Bob", "Eve"]) is None, group_numbers(["", "", ""]) is None
    (True, True)
    """
    numbers: dict[Hashable, int] = {}
    for i, name in enumerate(names):
        numbers.setdefault(name if name != "" else (i,), len(numbers))
    if len(numbers) in (1, len(names)):
        return None
    return np.array([numbers[name if name != "" else (i,)] for i, name in enumerate(names)])
