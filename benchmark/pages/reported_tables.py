"""Reported values as Markdown and CSV: beside a board's rows, and those that have no run beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd
from tabulate import tabulate

from benchmark.boards.reported import MEANINGS, Against
from benchmark.boards.sources import TOLERANCE, Said, all_papers, said_of_none
from benchmark.protocols.papers import Paper, PaperTable
from benchmark.settings import settings_words

HEAD = ["method", "metric", "reported", "ours", "Δ", "state", "source", "read from", "note"]
SOURCE = 7
"""So many of them, to the source, suit a terminal."""


def reported_section(against: Sequence[Against], page: str) -> list[str]:
    """The lines of a board's page on what is reported under its protocol; none where nothing is.

    `page` is the way to the page of all reported values, which says what the states mean.
    """
    if not against:
        return []
    link = f"[What the states mean]({page})"
    return ["## Reported against reproduced", "", reported_table(against), "", link, ""]


def reported_cells(one: Against) -> list[str]:
    """What a reported value shows under each of `HEAD`."""
    return [
        one.said.method,
        one.said.metric,
        printed(one.said),
        "" if one.value is None else f"{one.row}: {one.value:.2f}",
        "" if one.difference is None else f"{one.difference:+.2f}",
        words(one.state),
        f"{one.said.source}, {one.said.place}".rstrip(", "),
        one.said.read_from,
        one.said.not_comparable,
    ]


def reported_table(against: Iterable[Against]) -> str:
    """One line for each reported value."""
    body = [reported_cells(one) for one in against]
    return tabulate(body, HEAD, tablefmt="github", disable_numparse=True)


def printed(said: Said) -> str:
    """The value with its spread and unit, as far as it has them."""
    spread = "" if said.spread is None else f" ± {said.spread:g}"
    return f"{said.value:g}{spread} {said.unit}".rstrip()


def words(state: str) -> str:
    """A state for people: "not comparable"."""
    return state.replace("_", " ")


TOLERATED = (
    f"The tolerance is {TOLERANCE:.0%} of the reported value unless its source declares another."
)


def legend(against: Iterable[Against]) -> str:
    """What the states that occur mean."""
    there = {one.state for one in against}
    told = "; ".join(f"{words(s)}: {text}" for s, text in MEANINGS.items() if s in there)
    return f"{told[:1].upper()}{told[1:]}. {TOLERATED}"


def reported_csv(boards: Iterable[Sequence[Against]]) -> str:
    """Every reported value, those of no protocol last; numbers to 6 significant digits."""
    lines = [_line(one.said, one) for board in boards for one in board]
    lines += [_line(said, None) for said in said_of_none()]
    text: str = pd.DataFrame(lines).to_csv(index=False, float_format="%.6g", lineterminator="\n")
    return text


def _line(said: Said, one: Against | None) -> dict[str, object]:
    low, high = (one and one.ci95) or (None, None)
    return {
        "protocol": said.protocol,
        "metric": said.metric,
        "unit": said.unit,
        "better": said.better,
        "method": said.method,
        "plugin": said.plugin,
        "preset": said.preset,
        "settings": " ".join(settings_words(said.settings)),
        "reported": said.value,
        "spread": said.spread,
        "tolerance": said.tolerance,
        "ours": one.value if one else None,
        "ci95_low": low,
        "ci95_high": high,
        "difference": one.difference if one else None,
        "state": one.state if one else "no_protocol",
        "row": one.row if one else "",
        "source": said.source,
        "place": said.place,
        "read_from": said.read_from,
        "not_comparable": said.not_comparable,
        "runs": " ".join(one.runs) if one else "",
    }


def reported_page(
    only: Sequence[tuple[str, str, Sequence[Against]]], every: Iterable[Against]
) -> str:
    """The page of all that is reported: boards without runs as (name, title, values), then the papers.

    `every` holds the values of all boards, for the count of states.
    """
    counts = Counter(one.state for one in every)
    states = [[words(s), counts[s], text] for s, text in MEANINGS.items() if counts[s]]
    states.append(["no protocol", len(said_of_none()), "what no protocol here measures"])
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
    for name, title, against in only:
        lines += [f"### {name} (reported only)", "", f"{title}.", "", reported_table(against), ""]
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
