"""Pictures of any size as the square that a method sees, and back to the picture's own pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

FitRule = Literal["centre", "pad", "stretch"]


@dataclass(frozen=True)
class PictureCrop:
    """What a square image of `size` pixels shows of a picture.

    `picture` is (width, height) and `window` (left, top, width, height), all in pixels of the picture; a
    window may reach beyond it. Points are (x, y), the centre of the top-left pixel at (0, 0), in both.
    """

    picture: tuple[int, int]
    window: tuple[int, int, int, int]
    size: int

    @classmethod
    def of(cls, picture: tuple[int, int], size: int, rule: FitRule) -> PictureCrop:
        """The crop of a picture by a rule.

        - "centre": the middle square of the shorter side
        - "pad": all of it, in the middle of a black square of the longer side
        - "stretch": all of it, aspect ratio lost

        >>> [PictureCrop.of((300, 200), 100, rule).window for rule in ("centre", "pad")]
        [(50, 0, 200, 200), (0, -50, 300, 300)]
        """
        width, height = picture
        if rule == "stretch":
            return cls(picture, (0, 0, width, height), size)
        side = min(picture) if rule == "centre" else max(picture)
        return cls(picture, ((width - side) // 2, (height - side) // 2, side, side), size)

    def image(self, picture: Image.Image, resampling: Image.Resampling) -> np.ndarray:
        """uint8 (size, size, 3) of an RGB picture; what lies beyond it is black."""
        left, top, width, height = self.window
        cut = picture.crop((left, top, left + width, top + height))
        return np.asarray(cut.resize((self.size, self.size), resampling))

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2) of the crop in pixels of the picture, float64.

        >>> PictureCrop.of((300, 200), 100, "centre").to_picture(np.array([0.0, 49.5])).tolist()
        [50.5, 99.5]
        """
        left, top, width, height = self.window
        found: np.ndarray = (points + 0.5) * (width / self.size, height / self.size)
        return found - 0.5 + (left, top)

    def labels(self, labels: np.ndarray, outside: int) -> np.ndarray:
        """Labels (size, size) of the crop's pixels at those of the picture (height, width), nearest.

        Pixels that the crop does not show are `outside`.
        """
        left, top, width, height = self.window
        columns = np.floor((np.arange(self.picture[0]) - left + 0.5) * self.size / width).astype(
            int
        )
        rows = np.floor((np.arange(self.picture[1]) - top + 0.5) * self.size / height).astype(int)
        found = np.full(self.picture[::-1], outside, labels.dtype)
        seen_rows, seen_columns = ((i >= 0) & (i < self.size) for i in (rows, columns))
        found[np.ix_(seen_rows, seen_columns)] = labels[
            np.ix_(rows[seen_rows], columns[seen_columns])
        ]
        return found
