"""The images that a task has predicted: by name, in order, each with a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.contracts.images import Images
from benchmark.contracts.method import Progress

if TYPE_CHECKING:
    from benchmark.datasets.prepared import PreparedSplit


def nothing() -> None:
    """No truth to show."""


@dataclass(frozen=True)
class ImageSet:
    """Some images that a method is asked to predict.

    `name` is the folder that predictions go to, `keys` tell the images apart, in the order in which they
    are asked for. `images` makes them, which may take long; `truth` (N, …) is what ceilings are shown.
    `split` is where they are the first images of a prepared split as they are, None for warped copies.

    Example: `landmark_regression` has the sets "train" and "test", `landmark_matching` has "views".
    """

    name: str
    keys: Sequence[str]
    images: Callable[[Progress], Images]
    truth: Callable[[], np.ndarray | None] = nothing
    split: PreparedSplit | None = None

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def of_split(
        cls,
        name: str,
        split: PreparedSplit,
        truth: Callable[[], np.ndarray | None] = nothing,
        count: int | None = None,
    ) -> ImageSet:
        """The images of a split as they are, or the first `count` of them."""
        return cls(name, split.keys[:count], lambda _: split.images(), truth, split)


def copy_keys(split: PreparedSplit, rows: np.ndarray) -> list[str]:
    """Keys of copies of images: the image's, and the number of the copy.

    Example: the second copy, of the image "0007.jpg", is "0007.jpg#1".
    """
    return [f"{split.keys[row]}#{i}" for i, row in enumerate(rows)]
