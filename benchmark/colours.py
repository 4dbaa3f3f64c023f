"""Colours that tell points and parts apart."""

from __future__ import annotations

from colorsys import hsv_to_rgb

Colour = tuple[int, int, int]


def colours(count: int) -> list[Colour]:
    """`count` colours around the circle of hues, every second one darker.

    >>> colours(1)
    [(255, 51, 51)]
    """
    found = []
    for i in range(count):
        red, green, blue = hsv_to_rgb(i / count, 0.8, 1.0 if i % 2 == 0 else 0.75)
        found.append((round(red * 255), round(green * 255), round(blue * 255)))
    return found
