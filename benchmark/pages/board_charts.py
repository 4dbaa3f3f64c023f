"""Charts of a board as SVG: how seeds and errors are distributed, and two methods item by item."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from benchmark.boards.entries import Entry
from benchmark.boards.rows import Row
from benchmark.protocols import Protocol

SHOWN, MOST_ROWS = 8, 12
POINTS = 60
DOTS = 1500
WIDTH, HEIGHT = 480, 300
QUANTILES = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


def board_charts(
    protocol: Protocol, rows: list[Row], entries: list[Entry]
) -> list[tuple[str, Markup, str]]:
    """(title, SVG, words) for each chart that the headline's per-item values allow."""
    metric = protocol.metrics[0]
    title = f"{metric.id} [{metric.unit}]" if metric.unit else metric.id
    charts = []
    if seeds := _seeds(protocol, rows, entries):
        words = "Each dot is a run, the stroke the mean over a row's seeds."
        charts.append(("Seeds", seeds_chart(seeds, title), words))
    errors = _errors(protocol, rows, entries)
    if len(errors) < 1 or metric.aggregate not in ("mean", "median", "upper_median"):
        return charts
    lower = metric.better == "lower"
    what = "errors" if lower else "values"
    charts += [
        (
            f"Distribution of {what}",
            distribution(errors, title),
            f"Over test items, averaged over seeds: the line spans 5 to 95 %, the bar the middle half, "
            f"the stroke is the median, the dot the mean. The best {len(errors)} rows, "
            "methods before floors."
            if len(errors) > 1
            else "Over test items: the line spans 5 to 95 %, the bar the middle half, the stroke is "
            "the median, the dot the mean.",
        ),
        (
            f"Cumulative {what}",
            cumulative(errors, title),
            f"Share of test items with at most this {what[:-1]}; {what} are "
            "averaged over seeds, and the horizontal axis ends at the 99th percentile.",
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


def _seeds(protocol: Protocol, rows: list[Row], entries: list[Entry]) -> dict[str, list[float]]:
    """The headline of each seed, of the best rows that have several: methods first, then floors."""
    values = {e.record.run_id: e.value(protocol.metrics[0].id).value for e in entries}
    chosen = [
        r
        for role in ("method", "floor")
        for r in rows
        if r.role == role and not r.withdrawn and len(r.seeds) > 1
    ]
    return {
        f"{row.method} {row.variant}".strip(): [values[run] for run in row.runs]
        for row in chosen[:MOST_ROWS]
    }


def seeds_chart(seeds: dict[str, list[float]], title: str) -> Markup:
    """A dot per seed, a stroke at their mean, a line per row."""
    import altair

    values = [
        {"row": name, "value": _short(value), "mean": _short(float(np.mean(group)))}
        for name, group in seeds.items()
        for value in group
    ]
    axis = altair.Axis(labelLimit=280, title=None, domain=False, ticks=False, grid=True)
    base = altair.Chart(altair.Data(values=values)).encode(
        y=altair.Y("row:N", sort=list(seeds), axis=axis)
    )
    scale = altair.Scale(zero=False)
    layers = (
        base.mark_tick(height=16, thickness=2, color="#f58518").encode(
            x=altair.X("mean:Q", title=title, scale=scale)
        ),
        base.mark_circle(size=40, opacity=0.7, color="#4c78a8").encode(
            x=altair.X("value:Q", title=title, scale=scale)
        ),
    )
    return svg(altair.layer(*layers).properties(width=WIDTH - 140, height=26 * len(seeds)))


def _errors(protocol: Protocol, rows: list[Row], entries: list[Entry]) -> dict[str, np.ndarray]:
    """Per-item errors of the best rows, averaged over seeds: methods first, then floors."""
    metric = protocol.metrics[0]
    by_run = {entry.record.run_id: entry for entry in entries}
    chosen = [r for role in ("method", "floor") for r in rows if r.role == role and not r.withdrawn]
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
    import altair

    values = []
    for name, items in errors.items():
        quantiles = np.quantile(items, list(QUANTILES.values()))
        said = {k: _short(q) for k, q in zip(QUANTILES, quantiles, strict=True)}
        values.append({"row": name, "mean": _short(items.mean()), **said})
    axis = altair.Axis(labelLimit=280, title=None, domain=False, ticks=False)
    y = altair.Y("row:N", sort=list(errors), axis=axis)
    base = altair.Chart(altair.Data(values=values)).encode(y=y)

    def across(field: str) -> Any:
        return altair.X(f"{field}:Q", title=title)

    layers = (
        base.mark_rule(color="#888").encode(x=across("p5"), x2="p95"),
        base.mark_bar(height=10, color="#4c78a8").encode(x=across("p25"), x2="p75"),
        base.mark_tick(height=16, thickness=2, color="#f58518").encode(x=across("p50")),
        base.mark_point(filled=True, size=28, color="#f58518").encode(x=across("mean")),
    )
    return svg(altair.layer(*layers).properties(width=WIDTH - 140, height=26 * len(errors)))


def cumulative(errors: dict[str, np.ndarray], title: str) -> Markup:
    """The share of items with at most a value, one line per row."""
    import altair

    end = max(float(np.quantile(v, 0.99)) for v in errors.values()) or 1.0
    start = min(0.0, *(float(v.min()) for v in errors.values()))
    ticks = np.linspace(start, end, POINTS)
    values = [
        {"x": round(float(x), 5), "share": round(float((v <= x).mean()), 4), "row": name}
        for name, v in errors.items()
        for x in ticks
    ]
    chart = (
        altair.Chart(altair.Data(values=values))
        .mark_line()
        .encode(
            x=altair.X("x:Q", title=title),
            y=altair.Y("share:Q", title="share of items", axis=altair.Axis(format="%")),
            color=altair.Color(
                "row:N",
                title=None,
                sort=list(errors),
                legend=altair.Legend(labelLimit=320, orient="bottom", columns=2),
            ),
        )
    )
    return svg(chart.properties(width=WIDTH, height=HEIGHT))


def scatter(one: np.ndarray, other: np.ndarray, first: str, second: str) -> Markup:
    """A point per item, and the line on which both are equal."""
    import altair

    step = max(1, len(one) // DOTS)
    values = [
        {"a": _short(a), "b": _short(b)} for a, b in zip(one[::step], other[::step], strict=True)
    ]
    end = float(np.quantile(np.concatenate([one, other]), 0.995)) or 1.0
    scale = altair.Scale(domain=[min(0.0, float(one.min()), float(other.min())), end], clamp=True)
    points = (
        altair.Chart(altair.Data(values=values))
        .mark_circle(size=14, opacity=0.5)
        .encode(
            x=altair.X("a:Q", title=first, scale=scale),
            y=altair.Y("b:Q", title=second, scale=scale),
        )
    )
    ends = altair.Data(values=[{"a": v, "b": v} for v in scale.domain])
    line = altair.Chart(ends).mark_line(color="#888", strokeDash=[4, 4]).encode(x="a:Q", y="b:Q")
    return svg((points + line).properties(width=HEIGHT, height=HEIGHT))


def differences_chart(differences: np.ndarray, title: str) -> Markup:
    """How items' differences are distributed; dashed lines at zero and (orange) at their mean."""
    import altair

    low, high = np.quantile(differences, [0.005, 0.995])
    kept = np.clip(differences, low, high)
    counts, edges = np.histogram(kept, bins=40)
    values = [
        {"from": _short(a), "to": _short(b), "items": int(n)}
        for a, b, n in zip(edges, edges[1:], counts, strict=False)
    ]
    bars = (
        altair.Chart(altair.Data(values=values))
        .mark_bar(color="#4c78a8")
        .encode(
            x=altair.X("from:Q", title=title, scale=altair.Scale(zero=False)),
            x2="to:Q",
            y=altair.Y("items:Q", title="items"),
            y2=altair.datum(0),
        )
    )
    lines = [
        altair.Chart(altair.Data(values=[{"from": value}]))
        .mark_rule(color=colour, strokeDash=[4, 4], strokeWidth=1.5)
        .encode(x="from:Q")
        for value, colour in ((0.0, "#888"), (_short(differences.mean()), "#f58518"))
    ]
    return svg(altair.layer(bars, *lines).properties(width=WIDTH, height=200))


def _short(value: float) -> float:
    return round(float(value), 4)


def svg(chart: Any) -> Markup:
    """A chart as inline SVG, made without a browser; it holds no script and fetches nothing."""
    import vl_convert

    return Markup(
        vl_convert.vegalite_to_svg(
            chart.configure(background="transparent").to_json(validate=False)
        )
    )
