"""What papers report as a page shows it: what is the same for all values said once, the best first."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from benchmark.boards.plot import Axis, Plot
from benchmark.boards.reported import Agreement
from benchmark.pages.reported_tables import legend, words

YEAR = re.compile(r"\b(?:19|20)\d\d\b")


@dataclass(frozen=True)
class ReportedTable:
    """The values of one metric, best first. `same` holds what all of them share, as (what, words);
    `columns` names what differs and so has a column."""

    metric: str
    unit: str
    better: str
    values: list[Agreement]
    same: list[tuple[str, str]]
    columns: list[str]

    @property
    def ours(self) -> bool:
        """Whether a run of ours stands beside any of them."""
        return any(one.value is not None for one in self.values)

    def cells(self, one: Agreement) -> list[str]:
        """What a value says under each of `columns`."""
        return [SAID[name](one) for name in self.columns]


@dataclass(frozen=True)
class Reported:
    """All that is reported under a board or of a method."""

    heading: str
    tables: list[ReportedTable]
    plot: Markup
    legend: str


SAID: dict[str, Callable[[Agreement], str]] = {
    "board": lambda one: one.published.protocol,
    "state": lambda one: words(one.state),
    "source": lambda one: f"{one.published.source}, {one.published.place}".rstrip(", "),
    "read from": lambda one: one.published.read_from,
    "note": lambda one: one.published.not_comparable,
}
"""What may be said of each value, and is said once where it is the same for all."""


def reported_shown(agreements: Sequence[Agreement]) -> Reported | None:
    """The tables of these values, one for each metric; None where there are none."""
    if not agreements:
        return None
    groups: dict[tuple[str, str, str], list[Agreement]] = {}
    for one in agreements:
        about = one.published
        groups.setdefault((about.metric, about.unit, about.better), []).append(one)
    tables = [_table(*key, values) for key, values in groups.items()]
    ours = any(one.value is not None for one in agreements)
    return Reported(
        "Reported against reproduced" if ours else "What papers report",
        tables,
        years_plot(agreements),
        legend(agreements),
    )


def _table(metric: str, unit: str, better: str, values: list[Agreement]) -> ReportedTable:
    sign = 1 if better == "lower" else -1
    ordered = sorted(values, key=lambda one: (one.published.protocol, sign * one.published.value))
    same, columns = [], []
    for name, say in SAID.items():
        said = {say(one) for one in values}
        if len(said) == 1:
            same += [(name, text) for text in said if text]
        else:
            columns.append(name)
    return ReportedTable(metric, unit, better, ordered, same, columns)


def year_of(source: str) -> int | None:
    """The year that a source's name holds.

    >>> year_of("Karmali 2023"), year_of("jamt9000/DVE @ 2085144, README")
    (2023, None)
    """
    found = YEAR.search(source)
    return int(found[0]) if found else None


def years_plot(agreements: Sequence[Agreement]) -> Markup:
    """The first metric's values by the year of the source that prints them; empty for a single year."""
    metric, unit = agreements[0].published.metric, agreements[0].published.unit
    points = [
        (float(year), one.published.value, one.published.method)
        for one in agreements
        if one.published.metric == metric and (year := year_of(one.published.source))
    ]
    if len({year for year, _, _ in points}) < 2:
        return Markup("")
    years = [year for year, _, _ in points]
    plot = Plot(
        Axis(min(years) - 0.5, max(years) + 0.5, 444),
        Axis.around([value for _, value, _ in points], 210),
        names=("year of the source", f"{metric} [{unit}]" if unit else metric),
    )
    says = [f"{method}: {value:g}, printed {year:.0f}" for year, value, method in points]
    plot.dots([(year, value) for year, value, _ in points], opacity=0.7, says=says)
    return plot.svg()
