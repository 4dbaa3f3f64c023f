"""Curves of a run as SVG: error against images seen, the probe's loss, and what its fit logged.

Drawn here, as plain text: a record's page has one or two lines to show, and a site has thousands of
such pages. Colours are those of the text around, so that they suit light and dark.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup, escape

from benchmark.contracts.errors import BenchError
from benchmark.pages.training_curves import logged
from benchmark.records.model import Record

WIDTH, HEIGHT = 520, 280
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 28, 42
"""Margins for ticks and titles, in pixels."""


@dataclass(frozen=True)
class Axis:
    """Values from `low` to `high`, along `length` pixels, straight or by their logarithm."""

    low: float
    high: float
    length: float
    log: bool = False

    @classmethod
    def around(cls, values: list[float], length: float, *, log: bool = False) -> Axis:
        """An axis that holds all values, not necessarily 0."""
        low, high = min(values), max(values)
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
        return round(self.length * (value - low) / (high - low), 1)

    def ticks(self) -> list[float]:
        """Round values on the axis, about five of them.

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
        steps = (f * power for f in (1, 2, 5, 10))
        step = next(s for s in steps if (self.high - self.low) / s <= 6)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


def charts_of(record: Record) -> list[tuple[str, Markup]]:
    """All curves of a run with their headings; those of its fit only where that is on this machine."""
    charts = []
    if record.curve:
        charts.append(("Error against images seen", curve_svg(record)))
    charts += [(f"Training: {name}", svg) for name, svg in training_svgs(record).items()]
    if record.probe.get("loss_by_epoch"):
        charts.append(("Probe", loss_svg(record)))
    return charts


def training_svgs(record: Record) -> dict[str, Markup]:
    """Each value that the fit logged; none where the fit is elsewhere, or its log can't be read."""
    try:
        curves = logged(record)
    except BenchError:
        return {}
    return {
        name: line_svg(
            points := curve.thinned(),
            title=f"{name} in training",
            names=(curve.along, name.rpartition("/")[2]),
            log=(False, all(value > 0 for _, value in points)),
        )
        for name, curve in curves.items()
    }


def curve_svg(record: Record) -> Markup:
    """Error on validation people against images seen; the dashed line is the untrained network."""
    unit = f" [{record.headline.unit}]" if record.headline.unit else ""
    return line_svg(
        [(float(p.images), p.value) for p in record.curve if p.images > 0],
        title=f"{record.method.id} on {record.protocol.id}, validation people (dashed: untrained)",
        names=("images seen", f"{record.headline.metric}{unit}"),
        log=(True, False),
        level=next((p.value for p in record.curve if p.images == 0), None),
        dots=True,
    )


def loss_svg(record: Record) -> Markup:
    """The probe's training loss by epoch."""
    losses = [float(v) for v in record.probe.get("loss_by_epoch", [])]
    return line_svg(
        [(float(i), v) for i, v in enumerate(losses, start=1)],
        title=f"probe {record.probe.get('name', '')}",
        names=("epoch", "training loss"),
        log=(False, all(v > 0 for v in losses)),
    )


def line_svg(
    points: list[tuple[float, float]],
    *,
    title: str,
    names: tuple[str, str],
    log: tuple[bool, bool] = (False, False),
    level: float | None = None,
    dots: bool = False,
) -> Markup:
    """A line through `points`, and a dashed one at `level`; empty where there is neither.

    `names` are those of the axes (x, y), `log` says which of them go by logarithms: their values
    must be positive.
    """
    heights = [y for _, y in points] + ([] if level is None else [level])
    if not heights:
        return Markup("")
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    across = Axis.around([x for x, _ in points] or [1.0], width, log=log[0])
    up = Axis.around(heights, height, log=log[1])
    inside = []
    for tick in across.ticks():
        x = LEFT + across.at(tick)
        inside.append(f'<path class="grid" d="M{x} {TOP}v{height}"/>')
        inside.append(f'<text x="{x}" y="{TOP + height + 16}">{_said(tick)}</text>')
    for tick in up.ticks():
        y = TOP + height - up.at(tick)
        inside.append(f'<path class="grid" d="M{LEFT} {y}h{width}"/>')
        inside.append(f'<text x="{LEFT - 6}" y="{y + 4}" class="end">{_said(tick)}</text>')
    if level is not None:
        y = TOP + height - up.at(level)
        inside.append(f'<path class="level" d="M{LEFT} {y}h{width}"/>')
    if points:
        places = [(LEFT + across.at(x), round(TOP + height - up.at(y), 1)) for x, y in points]
        inside.append(f'<path class="line" d="M{" ".join(f"{x},{y}" for x, y in places)}"/>')
        if dots or len(places) == 1:
            inside += [f'<circle cx="{x}" cy="{y}" r="3"/>' for x, y in places]
    return Markup(  # what comes from a record is escaped
        f'<svg class="curve" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" aria-label="{escape(title)}"><style>{STYLE}</style>'
        f'<text x="{LEFT + width / 2}" y="16" class="title">{escape(title)}</text>{"".join(inside)}'
        f'<text x="{LEFT + width / 2}" y="{HEIGHT - 8}">{escape(names[0])}</text>'
        f'<text transform="translate(14 {TOP + height / 2}) rotate(-90)">{escape(names[1])}</text>'
        "</svg>"
    )


STYLE = (
    ".curve text{font:12px system-ui,sans-serif;fill:currentColor;text-anchor:middle}"
    ".curve .title{font-weight:600}.curve .end{text-anchor:end}"
    ".curve path{fill:none;stroke:currentColor}.curve .grid{opacity:.15}"
    ".curve .line{stroke:#4c78a8;stroke-width:2}.curve circle{fill:#4c78a8}"
    ".curve .level{stroke-dasharray:4 4}"
)


def _said(value: float) -> str:
    """A tick for people: 0.25, 1,500, 2M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= 10 * size or (abs(value) >= size and value % size == 0):
            return f"{value / size:g}{letter}"
    return f"{value:g}"
