"""Reported values as Markdown and CSV: beside a board's rows, and those that have no run beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd
from tabulate import tabulate

from benchmark.boards.reported import MEANINGS, Agreement
from benchmark.boards.sources import (
    TOLERANCE,
    PublishedValue,
    all_papers,
    published_without_protocol,
)
from benchmark.protocols.papers import Paper, PaperTable
from benchmark.settings import settings_words

HEAD = ["method", "metric", "reported", "ours", "Δ", "state", "source", "read from", "note"]
SOURCE = 7
"""So many of them, to the source, suit a terminal."""


def reported_section(agreements: Sequence[Agreement], page: str) -> list[str]:
    """The lines of a board's page on what is reported under its protocol; none where nothing is.

    `page` is the way to the page of all reported values, which says what the states mean.
    """
    if not agreements:
        return []
    link = f"[What the states mean]({page})"
    return ["## Reported against reproduced", "", reported_table(agreements), "", link, ""]


def reported_cells(one: Agreement) -> list[str]:
    """What a reported value shows under each of `HEAD`."""
    return [
        one.published.method,
        one.published.metric,
        printed(one.published),
        "" if one.value is None else f"{one.row}: {one.value:.2f}",
        "" if one.difference is None else f"{one.difference:+.2f}",
        words(one.state),
        f"{one.published.source}, {one.published.place}".rstrip(", "),
        one.published.read_from,
        one.published.not_comparable,
    ]


def reported_table(agreements: Iterable[Agreement]) -> str:
    """One line for each reported value."""
    body = [reported_cells(one) for one in agreements]
    return tabulate(body, HEAD, tablefmt="github", disable_numparse=True)


def printed(published: PublishedValue) -> str:
    """The value with its spread and unit, as far as it has them."""
    spread = "" if published.spread is None else f" ± {published.spread:g}"
    return f"{published.value:g}{spread} {published.unit}".rstrip()


def words(state: str) -> str:
    """A state for people: "not comparable"."""
    return state.replace("_", " ")


TOLERATED = (
    f"The tolerance is {TOLERANCE:.0%} of the reported value unless its source declares another."
)


def legend(agreements: Iterable[Agreement]) -> str:
    """What the states that occur mean."""
    there = {one.state for one in agreements}
    legend_text = "; ".join(f"{words(s)}: {text}" for s, text in MEANINGS.items() if s in there)
    return f"{legend_text[:1].upper()}{legend_text[1:]}. {TOLERATED}"


def reported_csv(boards: Iterable[Sequence[Agreement]]) -> str:
    """Every reported value, those of no protocol last; numbers to 6 significant digits."""
    lines = [_line(one.published, one) for board in boards for one in board]
    lines += [_line(published, None) for published in published_without_protocol()]
    text: str = pd.DataFrame(lines).to_csv(index=False, float_format="%.6g", lineterminator="\n")
    return text


def _line(published: PublishedValue, one: Agreement | None) -> dict[str, object]:
    low, high = (one and one.ci95) or (None, None)
    return {
        "protocol": published.protocol,
        "metric": published.metric,
        "unit": published.unit,
        "better": published.better,
        "method": published.method,
        "plugin": published.plugin,
        "preset": published.preset,
        "settings": " ".join(settings_words(published.settings)),
        "reported": published.value,
        "spread": published.spread,
        "tolerance": published.tolerance,
        "ours": one.value if one else None,
        "ci95_low": low,
        "ci95_high": high,
        "difference": one.difference if one else None,
        "state": one.state if one else "no_protocol",
        "row": one.row if one else "",
        "source": published.source,
        "place": published.place,
        "read_from": published.read_from,
        "not_comparable": published.not_comparable,
        "runs": " ".join(one.runs) if one else "",
    }


def reported_page(
    only: Sequence[tuple[str, str, Sequence[Agreement]]], every: Iterable[Agreement]
) -> str:
    """The page of all that is reported: boards without runs as (name, title, values), then the papers.

    `every` holds the values of all boards, for the count of states.
    """
    counts = Counter(one.state for one in every)
    states = [[words(s), counts[s], text] for s, text in MEANINGS.items() if counts[s]]
    states.append(
        ["no protocol", len(published_without_protocol()), "what no protocol here measures"]
    )
    lines = [
        "# Reported in papers",
        "",
        "Numbers that others print, made from `protocols/` by `bench board build`. Nothing here was "
        "measured by bench; where it ran a method on real data, the board of that protocol sets both "
        "side by side. `reported.csv` holds every value with its state.",
        "",
        tabulate(states, ["state", "values", "means"], tablefmt="github"),
        "",
        TOLERATED,
        "",
        "## Boards without runs",
        "",
    ]
    for name, title, agreements in only:
        lines += [
            f"### {name} (reported only)",
            "",
            f"{title}.",
            "",
            reported_table(agreements),
            "",
        ]
    lines += ["## Papers, table by table", ""]
    for paper in all_papers():
        lines += _paper(paper)
    return "\n".join(lines).rstrip("\n") + "\n"


def _paper(paper: Paper) -> list[str]:
    lines = [f"### {paper.name}: {paper.title}", ""]
    if paper.notes:
        lines += [paper.notes, ""]
    for table in paper.tables:
        lines += [*_table(table), ""]
    lines += [f"{place.capitalize()}: {why}." for place, why in paper.silent.items()]
    return [*lines, ""] if paper.silent else lines


def _table(table: PaperTable) -> list[str]:
    """A table as it is printed, and where its columns belong."""
    body = [[row.method, *row.values] for row in table.rows]
    heads = ["", *(column.head for column in table.columns)]
    belongs = [
        f"{column.head}: "
        + (f"`{column.protocol}` {column.metric}" if column.protocol else "no protocol")
        for column in table.columns
    ]
    elsewhere = [
        f"{row.method}, {head}: `{where.partition(':')[0]}` {where.partition(':')[2]}"
        for row in table.rows
        for head, where in row.measured.items()
    ]
    count = sum(text != "-" for row in table.rows for text in row.values)
    head = (
        f"**{table.place.capitalize()}**, {table.title}: {count} values, read from {_from(table)}."
    )
    tail = "; ".join([*belongs, *elsewhere]) + "."
    return [head, "", tabulate(body, heads, tablefmt="github", disable_numparse=True), "", tail]


def _from(table: PaperTable) -> str:
    return {"figure": "a figure", "text": "the text"}.get(table.read_from, f"a {table.read_from}")
