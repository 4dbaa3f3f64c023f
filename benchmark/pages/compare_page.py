"""A page that sets two rows of a board side by side: one HTML file that stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from markupsafe import Markup

from benchmark.boards.compare import Comparison, Side
from benchmark.files import write_text
from benchmark.pages.board_charts import cumulative, differences_chart, scatter
from benchmark.pages.protocol_facts import formula
from benchmark.pages.rendering import asset, environment
from benchmark.protocols import Protocol


def write_comparison(
    found: Comparison, protocol: Protocol, target: Path, names: Sequence[str] = ()
) -> None:
    """Write the page of a comparison; `names` are those of all items, where they are known."""
    title = f"{found.metric} [{found.unit}]" if found.unit else found.metric
    charts: list[tuple[str, Markup, str]] = []
    if found.wins is not None:
        one, two = (_per_item(side, found.metric) for side in (found.first, found.second))
        named = {f"A: {found.first.name}": one, f"B: {found.second.name}": two}
        better = "above" if found.better == "lower" else "below"
        charts = [
            (
                "Item by item",
                scatter(one, two, f"A, {found.first.name}: {title}", f"B, {found.second.name}"),
                f"Each point is a {found.on} item. On the line both are equal; {better} it A is better.",
            ),
            (
                "Differences",
                differences_chart(one - two, f"A − B: {title}"),
                "How many items differ by how much; dashed lines at zero and at the mean (orange). The "
                "outermost half percent on each side is drawn at the ends.",
            ),
            (
                "Cumulative values",
                cumulative(named, title),
                f"Share of {found.on} items with at most this value.",
            ),
        ]
    measured = protocol.scored(twin=found.twin).metrics
    text = (
        environment()
        .get_template("compare.html")
        .render(
            c=found,
            names=names,
            sides=(("A", found.first), ("B", found.second)),
            formula=formula(next(m for m in measured if m.id == found.metric)),
            charts=charts,
            css=Markup(asset("site.css")),  # a file of bench
            up="",
            crumbs=(),
        )
    )
    write_text(target, text)


def _per_item(side: Side, metric: str) -> np.ndarray:
    """Values (N,) of the test items, averaged over the side's seeds."""
    values: np.ndarray = np.mean([entry.errors(metric) for entry in side.entries], axis=0)
    return values
