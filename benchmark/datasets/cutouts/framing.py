"""How large an object stands in its frame: the ratio of object to frame, and padding that gives it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmark.contracts.errors import DataMissing, InvalidInput
from benchmark.image_files import decode


def ratio_of(alpha: np.ndarray) -> float:
    """Pixels with alpha above 0 for each pixel with alpha 0: the car-to-frame ratio.

    alpha: (H, W). Raises `InvalidInput` where no pixel is empty. Source: thesis of B. Jourdan (2020),
    definition 1.

    >>> ratio_of(np.array([[0, 0], [255, 0]]))
    0.3333333333333333
    """
    empty = int((alpha == 0).sum())
    if not empty:
        raise InvalidInput("a picture without an empty pixel has no ratio of object to frame")
    return (alpha.size - empty) / empty


def fitted_ratios(pictures: Iterable[Path]) -> tuple[float, float]:
    """Mean and standard deviation (of the population) of the ratios of pictures with alpha.

    Raises `DataMissing` where there are none, `InvalidInput` for one that its object fills wholly.
    """
    ratios = [ratio_of(np.asarray(decode(path, "RGBA"))[..., 3]) for path in pictures]
    if not ratios:
        raise DataMissing(
            "there are no pictures with alpha to take the ratio of object to frame from"
        )
    return float(np.mean(ratios)), float(np.std(ratios))


def drawn_ratio(mean: float, spread: float, random: np.random.Generator) -> float:
    """A ratio from the normal distribution; drawn again until it is above 0."""
    while True:
        if (ratio := random.normal(mean, spread)) > 0:
            return float(ratio)


def squared(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Pad the shorter sides with zeros, half on each; an odd pixel goes to a side that is drawn.

    picture: (H, W, C) → (S, S, C), S the longer side.
    """
    height, width = picture.shape[:2]
    side = max(height, width)
    rows, columns = (_halves(side - length, random) for length in (height, width))
    return np.pad(picture, (rows, columns, (0, 0)))


def margin_for(ratio: float, area: int, side: int) -> int:
    """Pixels to pad on each side of a square so that an object of `area` pixels stands in the ratio.

    Below 0 where the square is too large already. With S the whole side, area / (S² − area) is the
    ratio. Source: the same thesis, figure 3.13.

    >>> margin_for(0.25, area=2000, side=60)
    20
    """
    return round((np.sqrt(area * (1 + 1 / ratio)) - side) / 2)


def _halves(missing: int, random: np.random.Generator) -> tuple[int, int]:
    half, odd = divmod(missing, 2)
    first = half + odd * int(random.integers(2))
    return first, missing - first
