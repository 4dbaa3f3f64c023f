"""The plotter: lines, dots and boxes between two axes, as SVG in plain text.

    plot = Plot(Axis.around(x, 440), Axis.around(y, 210), names=("images seen", "loss"))
    plot.line(zip(x, y), says="seed 0")
    plot.svg()

Drawn here and not by a library: a site has thousands of charts of a few lines each. Colours are those
of the text around, so that they suit light and dark; what a mark `says` is shown under the pointer.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

TOP, RIGHT, BOTTOM, TICKS = 28, 14, 42, 64
"""Margins for titles and ticks, in pixels."""
ROW, LETTER = 36, 7
"""Height of a row of `Rows`, its name above its line, and about the width of a letter."""
ROW_LINE = 0.68
"""Where a row's line lies, as a share of its height from the top: below its name."""
LONGEST = 38
"""Letters of a name that are drawn, its middle left out; all of it is shown under the pointer."""
BLUE, ORANGE, GREY = "#4c78a8", "#f58518", "#888"
COLOURS = (BLUE, ORANGE, "#009e73", "#cc79a7", "#8c6bb1")
"""Of lines in one plot, told apart by those who see few colours, and by `DASHES` too."""
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 3")


def looks() -> Iterator[tuple[str, str]]:
    """(colour, dash) of one line after another: the first 25 differ, the first five in both.

    >>> first, second, *_, sixth = itertools.islice(looks(), 6)
    >>> first, second, sixth
    (('#4c78a8', ''), ('#f58518', '7 3'), ('#4c78a8', '7 3'))
    """
    for i in itertools.count():
        yield COLOURS[i % 5], DASHES[(i + i // 5) % 5]


@dataclass(frozen=True)
class Axis:
    """Values from `low` to `high`, along `length` pixels, straight or by their logarithm."""

    low: float
    high: float
    length: float
    log: bool = False

    @classmethod
    def around(cls, values: Iterable[float], length: float, *, log: bool = False) -> Axis:
        """An axis that holds all values, not necessarily 0."""
        low, high = min(values := list(values)), max(values)
        if log:
            return cls(low / 1.05, high * 1.05, length, log=True)
        spare = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
        return cls(low - spare, high + spare, length)

    def at(self, value: float) -> float:
        """How many pixels along the axis a value lies."""
        low, high, value = (
            (math.log(v) for v in (self.low, self.high, value))
            if self.log
            else (self.low, self.high, value)
        )
        return self.length * (value - low) / (high - low)

    def ticks(self) -> list[float]:
        """Round values on the axis, about one in 60 pixels.

        >>> Axis(0.0, 1.0, 100).ticks()
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
        >>> Axis(80, 20_000, 100, log=True).ticks()
        [100.0, 1000.0, 10000.0]
        """
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            for factors in ((1,), (1, 3), (1, 2, 5)):
                round_ones = [float(f"{f}e{p}") for p in powers for f in factors]
                inside = [t for t in round_ones if self.low <= t <= self.high]
                if len(inside) > 2:
                    return inside[:: -(-len(inside) // 7)]
        power = 10.0 ** math.floor(math.log10((self.high - self.low) / 5))
        steps, most = (f * power for f in (1, 2, 5, 10)), max(6, self.length / 45)
        step = next(s for s in steps if (self.high - self.low) / s <= most)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [float(f"{i * step:.12g}") for i in range(first, last + 1)]

    def label(self, value: float) -> str:
        """A tick for people: 0.25, 1,500, 2M."""
        for size, letter in ((1e6, "M"), (1e3, "k")):
            if abs(value) >= 10 * size or (abs(value) >= size and value % size == 0):
                return number(value / size) + letter
        return number(value)


@dataclass(frozen=True)
class Rows:
    """Names from the top down, in place of an axis that goes up; row i lies at i."""

    names: Sequence[str]

    @property
    def length(self) -> float:
        return ROW * len(self.names)

    def at(self, value: float) -> float:
        return self.length - ROW * (value + ROW_LINE)

    def ticks(self) -> Sequence[int]:
        return range(len(self.names))

    def label(self, value: float) -> str:
        return self.names[int(value)]


class Plot:
    """Marks between two axes, in the axes' own terms; the later ones lie above."""

    def __init__(
        self, across: Axis, up: Axis | Rows, *, names: tuple[str, str] = ("", ""), title: str = ""
    ) -> None:
        self.across, self.up, self.names, self.title = across, up, names, title
        self.left = 2 * RIGHT if isinstance(up, Rows) else TICKS
        self.top = TOP if title else 10
        self._marks: list[str] = []
        self._legend: list[tuple[str, str, str]] = []
        self._labels: list[tuple[float, float, float]] = []

    def line(
        self,
        points: Iterable[tuple[float, float]],
        *,
        colour: str = BLUE,
        width: float = 2,
        dash: str = "",
        says: str = "",
        legend: bool = False,
    ) -> None:
        """A line through points (x, y), dashed as SVG says it; with `legend` its words stand below the
        plot too."""
        path = " ".join("{},{}".format(*self._place(x, y)) for x, y in points)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self._marks.append(
            f'<path d="M{path}" stroke="{colour}" stroke-width="{width}"{dashes}>{_title(says)}</path>'
        )
        if legend:
            self._legend.append((says, colour, dashes))

    def dots(
        self,
        points: Iterable[tuple[float, float]],
        *,
        colour: str = BLUE,
        radius: float = 3,
        opacity: float = 1,
        says: Sequence[str] = (),
    ) -> None:
        """A dot at each point (x, y)."""
        self._marks.append(f'<g fill="{colour}" opacity="{opacity:g}">')
        for i, (x, y) in enumerate(points):
            cx, cy = self._place(x, y)
            words = _title(says[i]) if says else ""
            self._marks.append(f'<circle cx="{cx}" cy="{cy}" r="{radius:g}">{words}</circle>')
        self._marks.append("</g>")

    def box(
        self,
        one: tuple[float, float],
        other: tuple[float, float],
        *,
        colour: str = BLUE,
        says: str = "",
    ) -> None:
        """A filled box between two of its corners."""
        (a, b), (c, d) = self._place(*one), self._place(*other)
        self._marks.append(
            f'<rect x="{min(a, c)}" y="{min(b, d)}" width="{abs(c - a):.1f}" height="{abs(d - b):.1f}" '
            f'fill="{colour}">{_title(says)}</rect>'
        )

    def label(self, x: float, y: float, words: str) -> None:
        """Words beside the point (x, y), to its right; to its left where they would leave the plot,
        below it where other words are."""
        cx, cy = self._place(x, y)
        room = self.left + self.across.length + RIGHT - cx - 8
        side = "start" if len(words) * LETTER <= room else "end"
        at = cx + (7 if side == "start" else -7)
        first = at if side == "start" else at - len(words) * LETTER
        last = first + len(words) * LETTER
        heights = (cy - 5, cy + 15, cy - 18, cy + 28)
        free = (y for y in heights if not any(
            a < last and b > first and abs(y - other) < 12 for a, b, other in self._labels
        ))  # fmt: skip
        y = next(free, heights[0])
        self._labels.append((first, last, y))
        self._marks.append(_words(at, y, words, side))

    def svg(self, *, alone: bool = False) -> Markup:
        """The plot, for the inside of a page or, `alone`, as a file. Words are escaped."""
        bottom, right = self.top + self.up.length, self.left + self.across.length
        width, height = right + RIGHT, bottom + BOTTOM + 18 * len(self._legend)
        parts = [
            f'<text x="{(self.left + right) / 2:g}" y="16" class="title">{escape(self.title)}</text>'
        ]
        for tick in self.across.ticks():
            x = round(self.left + self.across.at(tick), 1)
            parts.append(f'<path class="grid" d="M{x} {self.top}V{bottom}"/>')
            parts.append(f'<text x="{x}" y="{bottom + 16}">{self.across.label(tick)}</text>')
        for mark in self.up.ticks():
            y = round(bottom - self.up.at(mark), 1)
            parts.append(f'<path class="grid" d="M{self.left} {y}H{right}"/>')
            above = isinstance(self.up, Rows)
            at = (self.left, y - 11, "start") if above else (self.left - 6, y + 4, "end")
            parts.append(_words(at[0], at[1], self.up.label(mark), at[2]))
        parts += self._marks
        parts.append(
            f'<text x="{(self.left + right) / 2:g}" y="{bottom + 34}">{escape(self.names[0])}</text>'
        )
        parts.append(
            f'<text transform="translate(14 {(self.top + bottom) / 2:g}) rotate(-90)">'
            f"{escape(self.names[1])}</text>"
        )
        for i, (name, colour, dashes) in enumerate(self._legend):
            y = bottom + BOTTOM + 18 * i + 8
            parts.append(f'<path d="M10 {y}h28" stroke="{colour}" stroke-width="3"{dashes}/>')
            parts.append(_words(44, y + 4, name, "start", int((width - 50) / LETTER)))
        own = ' xmlns="http://www.w3.org/2000/svg" style="background:#fff"' if alone else ""
        says = escape(self.title or " against ".join(self.names[::-1]).removeprefix(" against "))
        return Markup(
            f'<svg class="plot" role="img" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
            f'height="{height:g}" aria-label="{says}"{own}>'
            f"<style>{STYLE}</style>{''.join(parts)}</svg>"
        )

    def _place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies in the picture, in pixels from its top left corner."""
        return (
            round(self.left + self.across.at(x), 1),
            round(self.top + self.up.length - self.up.at(y), 1),
        )


STYLE = (
    ".plot text{font:12px system-ui,sans-serif;fill:currentColor;text-anchor:middle}"
    ".plot .title{font-weight:600}.plot .end{text-anchor:end}.plot .start{text-anchor:start}"
    ".plot path{fill:none}.plot .grid{stroke:currentColor;opacity:.15}"
)


def number(value: float) -> str:
    """A number for people, to four digits.

    >>> number(-1.50004)
    '−1.5'
    """
    return f"{value:.4g}".replace("-", "−")


def _title(words: str) -> str:
    return f"<title>{escape(words)}</title>" if words else ""


def _words(x: float, y: float, words: str, side: str, most: int = LONGEST) -> str:
    """A name beside the plot; names that are long differ at their ends."""
    half = most // 2
    short = words if len(words) <= most else f"{words[: half - 1]}…{words[-half:]}"
    full = _title(words) if short != words else ""
    return f'<text x="{x:g}" y="{y:g}" class="{side}">{escape(short)}{full}</text>'
