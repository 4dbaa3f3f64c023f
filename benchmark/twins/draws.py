"""Random draws and colours, as every recipe makes them."""

from __future__ import annotations

import numpy as np

Colour = tuple[float, float, float]


def linear(colour: Colour) -> Colour:
    """Linear rgb of display bytes, by the renderer's gamma of 2."""
    r, g, b = colour
    return (r / 255) ** 2, (g / 255) ** 2, (b / 255) ** 2


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`a` with that share of `b`."""
    return tuple(x + share * (y - x) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


class Dice:
    """Named kinds of draws from one PCG64 stream."""

    def __init__(self, *key: int) -> None:
        self.random = np.random.Generator(np.random.PCG64(key))

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * float(self.random.random())

    def around(self, spread: float) -> float:
        """A number in (-spread, spread), near 0 more often (mean of two draws)."""
        return spread * (float(self.random.random()) + float(self.random.random()) - 1)

    def chance(self, probability: float) -> bool:
        return float(self.random.random()) < probability

    def pick(self, weights: tuple[float, ...]) -> int:
        """An index, as often as its weight says."""
        place = float(self.random.random()) * sum(weights)
        for index, weight in enumerate(weights):
            place -= weight
            if place < 0:
                return index
        return len(weights) - 1


def shade(colour: Colour, factor: float) -> Colour:
    """`colour` with that much of its light."""
    r, g, b = colour
    return r * factor, g * factor, b * factor
