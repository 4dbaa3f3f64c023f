"""The CC0 cars with the corners of their boxes as landmarks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from benchmark.contracts.dataset import Sample
from benchmark.datasets.readers.cc0_cars import Cc0Cars
from benchmark.metrics.camera import project


class Cc0CarsCorners(Cc0Cars):
    """`Cc0Cars`, and where the eight corners of each model's box appear in each of its views.

    The box has the object's axes and holds the true cloud. Corner 4 i + 2 j + k has the lower (0) or
    upper (1) x, y, z: x to the right, y up, z to the back of a car. A corner is a landmark wherever it
    appears, in front of the car or behind it, as networks that predict poses by way of boxes have it.
    """

    def samples(self, split: str) -> list[Sample]:
        corners: dict[str, np.ndarray] = {}
        found = []
        for sample in super().samples(split):
            if sample.identity not in corners:
                cloud = self.cloud(sample)
                assert cloud is not None  # every model that is drawn has one
                corners[sample.identity] = corners_of(cloud)
            seen = Rotation.from_quat(sample.extra["quaternions"], scalar_first=True).apply(
                corners[sample.identity]
            )
            distance, focal = sample.extra["translations"][0], sample.extra["focals"]
            right_up = project(seen, float(focal), float(distance))
            points = (0.5 + right_up * [1, -1]) * self.drawn.size - 0.5
            found.append(replace(sample, points=points))
        return found


def corners_of(cloud: np.ndarray) -> np.ndarray:
    """The corners (8, 3) of the box that holds a cloud (P, 3), in the order of `Cc0CarsCorners`.

    >>> corners_of(np.array([[0.0, 0, 0], [1, 2, 3]]))[[0, 1, 2, 4]].tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 3.0], [0.0, 2.0, 0.0], [1.0, 0.0, 0.0]]
    """
    low, high = cloud.min(axis=0).astype(np.float64), cloud.max(axis=0).astype(np.float64)
    return low + (high - low) * np.indices((2, 2, 2)).reshape(3, 8).T
