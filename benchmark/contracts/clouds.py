"""Point clouds of any length, one per object, seen from the images that show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Clouds:
    """The cloud of the object in each of N images.

    `points` float32 (T, 3), memory-mapped: the clouds of all objects, one after another; `extent`
    int64 (N, 2): where in it an image's cloud begins and how many points it has, 0 where the
    publisher gives none. `clouds[i]` is (P, 3) in the data set's canonical frame and unit.

    >>> clouds = Clouds(np.zeros((5, 3), np.float32), np.array([[0, 5], [0, 5], [5, 0]]))
    >>> len(clouds), clouds[1].shape, clouds[2].shape
    (3, (5, 3), (0, 3))
    """

    points: np.ndarray
    extent: np.ndarray

    def __len__(self) -> int:
        return len(self.extent)

    def __getitem__(self, image: int) -> np.ndarray:
        first, count = self.extent[image]
        return np.asarray(self.points[first : first + count])

    def take(self, rows: Sequence[int]) -> Clouds:
        """The clouds of some of the images, in that order."""
        return Clouds(self.points, self.extent[list(rows)])

    def of_objects(self) -> list[np.ndarray]:
        """The clouds themselves, each once, in the order of the images that show them.

        >>> clouds = Clouds(np.zeros((5, 3), np.float32), np.array([[2, 3], [2, 3], [0, 2], [5, 0]]))
        >>> [len(cloud) for cloud in clouds.of_objects()]
        [3, 2]
        """
        places = dict.fromkeys(map(tuple, self.extent.tolist()))
        return [np.asarray(self.points[first : first + n]) for first, n in places if n]
