"""Charts of a board as SVG: how seeds and errors are distributed, and two methods item by item."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from benchmark.boards.entries import Entry
from benchmark.boards.plot import BLUE, GREY, ORANGE, Axis, Plot, Rows, looks, number
from benchmark.boards.rows import Row
from benchmark.protocols import Protocol

SHOWN, MOST_ROWS = 8, 12
CHARTED = ("method", "reference", "floor")
"""Whose rows are drawn, in this order: a ceiling's errors would flatten those of others."""
POINTS = 60
DOTS = 1500
WIDTH, HEIGHT, ROWS_WIDTH = 330, 240, 340
MOST_LINES = 5
"""Curves in one chart: more can't be told apart."""


def board_charts(
    protocol: Protocol, rows: list[Row], entries: list[Entry]
) -> list[tuple[str, Markup, str]]:
    """(title, SVG, words) for each chart that the headline's per-item values allow."""
    metric = protocol.metrics[0]
    title = f"{metric.id} [{metric.unit}]" if metric.unit else metric.id
    charts = [*labels_charts(protocol, rows), *cost_charts(rows, title, metric.better)]
    if seeds := _seeds(protocol, rows, entries):
        words = "Each dot is a run, the stroke the mean over a row's seeds."
        charts.append(("Seeds", seeds_chart(seeds, title), words))
    errors = _errors(protocol, rows, entries)
    if len(errors) < 1 or metric.aggregate not in ("mean", "median", "upper_median"):
        return charts
    curves = _errors(protocol, _each_once(rows), entries)
    lower = metric.better == "lower"
    what = "errors" if lower else "values"
    charts += [
        (
            f"Distribution of {what}",
            distribution(errors, title),
            f"Over test items, averaged over seeds: the line spans 5 to 95 %, the bar the middle half, "
            f"the stroke is the median, the dot the mean. The best {len(errors)} rows, "
            "methods before references and floors."
            if len(errors) > 1
            else "Over test items: the line spans 5 to 95 %, the bar the middle half, the stroke is "
            "the median, the dot the mean.",
        ),
        (
            f"Cumulative {what}",
            cumulative(curves, title),
            f"Share of test items with at most this {what[:-1]}; {what} are "
            "averaged over seeds, and the horizontal axis ends at the 99th percentile. The best row of "
            f"each method and of the floors, at most {MOST_LINES}.{coinciding(curves)}",
        ),
    ]
    pair = list(errors)[:2]
    if len(pair) == 2:
        charts.append(
            (
                "Item by item",
                scatter(errors[pair[0]], errors[pair[1]], *pair),
                f"Each point is a test item. On the line both are equal; "
                f"{'above' if lower else 'below'} it {pair[0]} is better.",
            )
        )
    return charts


def labels_charts(protocol: Protocol, rows: list[Row]) -> list[tuple[str, Markup, str]]:
    """The error against the number of annotated images, where metrics differ in that alone."""
    few = {m.id: int(m.on) for m in protocol.metrics if m.on.isdigit()}
    measured = {(m.measured, m.unit) for m in protocol.metrics if m.id in few}
    chosen = [r for role in CHARTED for r in _each_once(rows) if r.role == role]
    if not chosen or len(few) < 2 or len(measured) > 1:
        return []
    shown = {
        f"{row.method} {row.variant}".strip(): sorted(
            (m for m in row.metrics if m.metric in few), key=lambda m: few[m.metric]
        )
        for row in chosen
    }
    ((measure, unit),) = measured
    heights = [m.value for line in shown.values() for m in line]
    spare = (max(heights) - min(heights)) / 4  # a wider interval would flatten the curves
    low, high = min(heights) - spare, max(heights) + spare
    ends = [min(max(e, low), high) for line in shown.values() for m in line for e in m.ci95 or ()]
    names = ("annotated images", f"{measure} [{unit}]" if unit else measure)
    across = Axis.around(map(float, few.values()), WIDTH, log=True)
    plot = Plot(across, Axis.around([*heights, *ends], HEIGHT), names=names)
    for (name, line), (colour, dash) in zip(shown.items(), looks(), strict=False):
        points = [(float(few[m.metric]), m.value) for m in line]
        for (x, _), m in zip(points, line, strict=True):
            if m.ci95:
                plot.line([(x, min(max(e, low), high)) for e in m.ci95], colour=colour, width=1)
        plot.line(points, colour=colour, dash=dash, says=name, legend=True)
        says = [f"{name}: {x:g} images, {number(y)}" for x, y in points]
        plot.dots(points, colour=colour, says=says)
    words = (
        "Means over seeds, of a probe fitted on so many annotated images, and their 95 % intervals (cut "
        f"where very wide); the best row of each method and of the floors, at most {MOST_LINES}."
    )
    return [("Error against number of labels", plot.svg(), words)]


def cost_charts(rows: list[Row], title: str, better: str) -> list[tuple[str, Markup, str]]:
    """The value against the time of a run; the line joins those methods than which none is faster and
    better."""
    methods = [r for r in rows if r.role == "method" and not r.withdrawn and r.seconds > 0]
    if len(methods) < 3:
        return []
    floors = [r for r in rows if r.role == "floor" and not r.withdrawn and r.seconds > 0]
    points = {r.runs: (r.seconds / 60, r.value) for r in (*methods, *floors)}
    sign = 1 if better == "lower" else -1
    front: list[Row] = []
    for row in sorted(methods, key=lambda r: (r.seconds, sign * r.value)):
        if not front or sign * row.value < sign * front[-1].value:
            front.append(row)
    values = [row.value for row in methods]
    low, high = min(values), max(values)
    spare = 2 * ((high - low) or abs(high) or 1.0)  # a floor farther off would flatten the methods
    seen = [row for row in floors if low - spare <= row.value <= high + spare]
    across = Axis.around([points[r.runs][0] for r in (*methods, *seen)], WIDTH, log=True)
    up = Axis.around([*values, *(r.value for r in seen)], HEIGHT)
    plot = Plot(across, up, names=("minutes of a run", title))
    plot.line([points[r.runs] for r in front], width=1.5)
    for group, colour in ((seen, GREY), (methods, BLUE)):
        says = [
            f"{r.method} {r.variant}: {number(r.value)} in {number(r.seconds / 60)} minutes"
            for r in group
        ]
        plot.dots([points[r.runs] for r in group], colour=colour, radius=4, says=says)
    for row in front:
        plot.label(*points[row.runs], row.method)
    return [
        (
            "Error against cost" if better == "lower" else "Value against cost",
            plot.svg(),
            "Each dot is a row: blue a method, grey a floor. The line joins those methods than "
            "which none "
            "is both faster and better. Minutes are those of one run, stages that other runs share "
            "included, on whatever machine it ran: its page says which.",
        )
    ]


def _seeds(protocol: Protocol, rows: list[Row], entries: list[Entry]) -> dict[str, list[float]]:
    """The headline of each seed, of the best rows that have several, by `CHARTED`."""
    values = {e.record.run_id: e.value(protocol.metrics[0].id).value for e in entries}
    chosen = [
        r
        for role in CHARTED
        for r in rows
        if r.role == role and not r.withdrawn and len(r.seeds) > 1
    ]
    return {
        f"{row.method} {row.variant}".strip(): [values[run] for run in row.runs]
        for row in chosen[:MOST_ROWS]
    }


def seeds_chart(seeds: dict[str, list[float]], title: str) -> Markup:
    """A dot per seed, a stroke at their mean, a line per row."""
    across = Axis.around((v for group in seeds.values() for v in group), ROWS_WIDTH)
    plot = Plot(across, Rows(list(seeds)), names=(title, ""))
    for i, (name, group) in enumerate(seeds.items()):
        mean = float(np.mean(group))
        _stroke(plot, mean, i, f"{name}: mean {number(mean)}")
        says = [f"{name}: {number(value)}" for value in group]
        plot.dots([(value, i) for value in group], radius=3.5, opacity=0.7, says=says)
    return plot.svg()


def _errors(protocol: Protocol, rows: list[Row], entries: list[Entry]) -> dict[str, np.ndarray]:
    """Per-item errors of the best rows, averaged over seeds, by `CHARTED`."""
    metric = protocol.metrics[0]
    by_run = {entry.record.run_id: entry for entry in entries}
    chosen = [r for role in CHARTED for r in rows if r.role == role and not r.withdrawn]
    found: dict[str, np.ndarray] = {}
    items = chosen[0].items if chosen else 0
    for row in chosen:
        if len(found) == SHOWN or row.items != items:
            continue
        values = np.mean([by_run[run].errors(metric.id) for run in row.runs], axis=0)
        if values.ndim == 1 and len(values) > 1:
            found[f"{row.method} {row.variant}".strip()] = values
    return found


def distribution(errors: dict[str, np.ndarray], title: str) -> Markup:
    """A line per row with its quantiles."""
    spread = {
        row: np.quantile(items, (0.05, 0.25, 0.5, 0.75, 0.95)) for row, items in errors.items()
    }
    means = {row: float(items.mean()) for row, items in errors.items()}
    ends = [*(q for found in spread.values() for q in found), *means.values()]
    across = Axis.around([*ends, 0.0] if min(ends) >= 0 else ends, ROWS_WIDTH)
    plot = Plot(across, Rows(list(errors)), names=(title, ""))
    for i, (name, found) in enumerate(spread.items()):
        low, first, median, third, high = map(float, found)
        middle = f"{name}: middle half {number(first)} to {number(third)}"
        plot.line([(low, i), (high, i)], colour=GREY, width=1, says=f"{name}: 90 % of items")
        plot.box((first, i - 0.15), (third, i + 0.15), says=middle)
        _stroke(plot, median, i, f"{name}: median {number(median)}")
        says = f"{name}: mean {number(means[name])}"
        plot.dots([(means[name], i)], colour=ORANGE, says=[says])
    return plot.svg()


def _stroke(plot: Plot, value: float, row: int, says: str) -> None:
    plot.line([(value, row - 0.22), (value, row + 0.22)], colour=ORANGE, says=says)


def cumulative(errors: dict[str, np.ndarray], title: str) -> Markup:
    """The share of items with at most a value, one line per row."""
    end = max(float(np.quantile(v, 0.99)) for v in errors.values()) or 1.0
    start = min(0.0, *(float(v.min()) for v in errors.values()))
    names = (title, "share of items [%]")
    plot = Plot(Axis(start, end, WIDTH), Axis(0, 100, HEIGHT), names=names)
    for (name, values), (colour, dash) in zip(errors.items(), looks(), strict=False):
        line = [
            (float(x), 100 * float((values <= x).mean())) for x in np.linspace(start, end, POINTS)
        ]
        plot.line(line, colour=colour, dash=dash, says=name, legend=True)
    return plot.svg()


def coinciding(errors: dict[str, np.ndarray]) -> str:
    """Which curves can't be seen, because those of other rows with the same values lie above them.

    >>> coinciding({"a": np.array([1.0, 2.0]), "b": np.array([2.0, 1.0]), "c": np.array([0.0, 9.0])})
    ' The curves of a and b coincide.'
    """
    alike: dict[bytes, list[str]] = {}
    for name, values in errors.items():
        alike.setdefault(np.sort(values).round(6).tobytes(), []).append(name)
    said = (f" The curves of {' and '.join(some)} coincide." for some in alike.values() if some[1:])
    return "".join(said)


def _each_once(rows: list[Row]) -> list[Row]:
    """The best row of each method and the best floor, or where no method is yet the best row of each
    floor and reference: what curves are drawn of."""
    standing = [r for r in rows if not r.withdrawn and r.role in CHARTED]
    roles = {"method"} if any(r.role == "method" for r in standing) else set(CHARTED)
    names = dict.fromkeys(r.method for r in standing if r.role in roles)
    best = [next(r for r in standing if r.method == name) for name in names]
    floor = [r for r in standing if r.role == "floor" and r not in best][:1]
    return [*best[: MOST_LINES - len(floor)], *floor]


def scatter(one: np.ndarray, other: np.ndarray, first: str, second: str) -> Markup:
    """A point per item, and the line on which both are equal; the outermost lie on the frame."""
    end = float(np.quantile(np.concatenate([one, other]), 0.995)) or 1.0
    start = min(0.0, float(one.min()), float(other.min()))
    axis = Axis(start, end, HEIGHT)
    plot = Plot(axis, axis, names=(first, second))
    step = max(1, len(one) // DOTS)
    pairs = np.clip(np.stack([one, other], axis=1)[::step], start, end)
    plot.dots([(float(a), float(b)) for a, b in pairs], radius=2, opacity=0.5)
    plot.line([(start, start), (end, end)], colour=GREY, width=1.5, dash="4 4")
    return plot.svg()


def differences_chart(differences: np.ndarray, title: str) -> Markup:
    """How items' differences are distributed; dashed lines at zero and (orange) at their mean."""
    low, high = np.quantile(differences, [0.005, 0.995])
    counts, edges = np.histogram(np.clip(differences, low, high), bins=40)
    mean, most = float(differences.mean()), float(counts.max()) * 1.05
    across = Axis.around([*map(float, edges), 0.0, mean], WIDTH)
    plot = Plot(across, Axis(0, most, 180), names=(title, "items"))
    for a, b, items in zip(edges, edges[1:], counts, strict=False):
        says = f"{number(a)} to {number(b)}: {items} items"
        plot.box((float(a), 0), (float(b), float(items)), says=says)
    for value, colour in ((0.0, GREY), (mean, ORANGE)):
        plot.line(
            [(value, 0), (value, most)], colour=colour, width=1.5, dash="4 4", says=number(value)
        )
    return plot.svg()
