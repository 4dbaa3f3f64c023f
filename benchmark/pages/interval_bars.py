"""A row's value with its interval, its untrained network and the best floor, as a small SVG."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from benchmark.pages.numbers import digits

WIDTH, HEIGHT, MIDDLE = 170, 18, 9
SPARE = 5
"""Pixels at both ends, so that a dot there is whole."""


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high`, over the width of a bar; what lies outside is drawn at its end."""

    low: float
    high: float

    @classmethod
    def around(cls, values: Iterable[float]) -> Scale:
        """A scale that holds all of these."""
        found = list(values)
        low, high = min(found), max(found)
        return cls(low, high if high > low else low + (abs(low) or 1.0))

    def at(self, value: float) -> float:
        """Pixels from the left.

        >>> Scale(0, 10).at(5), Scale(0, 10).at(99)
        (85.0, 165.0)
        """
        share = min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        return round(SPARE + share * (WIDTH - 2 * SPARE), 1)


def bar(
    scale: Scale,
    value: float,
    ends: tuple[float, float] | None,
    *,
    untrained: float | None = None,
    floor: float | None = None,
) -> Markup:
    """A dot at `value`, a line over its interval, an upright stroke at the untrained network, a dashed
    one at the best floor. All of it is said in words, too, for those who hear the page."""
    says = [digits(value)]
    marks = []
    if floor is not None:
        marks.append(f'<path class="f" d="M{scale.at(floor):g} 0v{HEIGHT}"/>')
    if ends is not None:
        low, high = ends
        says.append(f"95 % {digits(low)} to {digits(high)}")
        marks.append(f'<path d="M{scale.at(low):g} {MIDDLE}H{scale.at(high):g}"/>')
    if untrained is not None:
        says.append(f"untrained {digits(untrained)}")
        marks.append(f'<path class="u" d="M{scale.at(untrained):g} 2v{HEIGHT - 4}"/>')
    if floor is not None:
        says.append(f"best floor {digits(floor)}")
    marks.append(f'<circle cx="{scale.at(value):g}" cy="{MIDDLE}" r="4"/>')
    return Markup(
        f'<svg class="bar" role="img" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'aria-label="{escape(", ".join(says))}">{"".join(marks)}</svg>'
    )
