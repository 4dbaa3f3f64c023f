"""Charts of a board as SVG: how errors are distributed, and two methods item by item."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from benchmark.boards.entries import Entry
from benchmark.boards.rows import Row
from benchmark.protocols import Protocol

SHOWN = 8
POINTS = 60
WIDTH, HEIGHT = 560, 300


def board_charts(
    protocol: Protocol, rows: list[Row], entries: list[Entry]
) -> list[tuple[str, Markup, str]]:
    """(title, SVG, words) for each chart that the headline's per-item values allow."""
    metric = protocol.metrics[0]
    errors = _errors(protocol, rows, entries)
    if len(errors) < 1 or metric.aggregate not in ("mean", "median", "upper_median"):
        return []
    unit = f" [{metric.unit}]" if metric.unit else ""
    lower = metric.better == "lower"
    charts = [
        (
            "Cumulative errors" if lower else "Cumulative values",
            _cumulative(errors, f"{metric.id}{unit}"),
            f"Share of test items with at most this {'error' if lower else 'value'}; errors are "
            "averaged over seeds, and the horizontal axis ends at the 99th percentile.",
        )
    ]
    pair = list(errors)[:2]
    if len(pair) == 2:
        charts.append(
            (
                "Item by item",
                _scatter(errors[pair[0]], errors[pair[1]], *pair),
                f"Each point is a test item. On the line both are equal; "
                f"{'above' if lower else 'below'} it {pair[0]} is better.",
            )
        )
    return charts


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


def _cumulative(errors: dict[str, np.ndarray], title: str) -> Markup:
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
                "row:N", title=None, sort=list(errors), legend=altair.Legend(labelLimit=320)
            ),
        )
    )
    return svg(chart.properties(width=WIDTH, height=HEIGHT))


def _scatter(one: np.ndarray, other: np.ndarray, first: str, second: str) -> Markup:
    import altair

    step = max(1, len(one) // 1500)
    values = [
        {"a": round(float(a), 4), "b": round(float(b), 4)}
        for a, b in zip(one[::step], other[::step], strict=True)
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


def svg(chart: Any) -> Markup:
    """A chart as inline SVG, made without a browser; it holds no script and fetches nothing."""
    import vl_convert

    return Markup(vl_convert.vegalite_to_svg(chart.to_json()))
