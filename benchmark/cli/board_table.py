"""A board's table on the terminal: as much of it as the terminal has room for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.boards.measured import Measured
from benchmark.boards.rows import Row
from benchmark.cli.output import GAP, room, table
from benchmark.pages.tables import ROLES, cells
from benchmark.protocols import Metric

NUMBERS = ("value", "±")
NOTED = ("weights", "supervision", "reported")
"""What a table that is too wide says beneath it, not in columns of their own."""


@dataclass(frozen=True)
class Layout:
    """Heads, a line of cells for each row, and what is said beneath of columns that were left out."""

    heads: list[str]
    lines: list[list[str]]
    notes: list[str]

    @property
    def width(self) -> int:
        """Characters of its longest line."""
        columns = zip(self.heads, *self.lines, strict=True)
        return sum(max(map(len, column)) + GAP for column in columns) - GAP


def print_rows(rows: Sequence[Row]) -> list[str]:
    """Print rows: floors dim, the best method bold. Returns what is to be said beneath the table."""
    layouts = list(_layouts(rows))
    width = room()
    chosen = next((one for one in layouts if width is None or one.width <= width), layouts[-1])
    table(chosen.heads, chosen.lines, cut=["method"], right=NUMBERS, styles=_looks(rows))
    return chosen.notes


def print_metrics(metrics: Sequence[Metric], rows: Sequence[Row]) -> list[str]:
    """Print rows that stand with all metrics, each with the longer half of its interval; a narrow
    terminal leaves out the last ones. Returns what is to be said beneath the table."""
    standing = [row for row in rows if not row.withdrawn]
    heads = [metric.head for metric in metrics]
    lines = [
        [
            f"{row.method}{row.marks} {row.words}".strip(),
            ROLES[row.role],
            *(_measured(metric, row.interval_marks) for metric in row.metrics),
        ]
        for row in standing
    ]
    left_out = table(["method", "", *heads], lines, cut=["method"], drop=heads[:0:-1], right=heads,
                     styles=_looks(standing))  # fmt: skip
    narrow = f"no room for {', '.join(left_out)}: a wider terminal, or --format csv"
    return [HALVES, *([narrow] if left_out else [])]


HALVES = (
    "±: the longer half of the 95 % interval over seeds and items, of what is one number for all items "
    "over seeds; * one seed: over items alone"
)


def _measured(metric: Measured, marks: str) -> str:
    half = f" ±{metric.half:.2f}{marks}" if metric.half is not None else ""
    return f"{metric.value:.2f}{half}"


def _looks(rows: Sequence[Row]) -> list[dict[str, Any]]:
    best = next((r for r in rows if r.role == "method" and not r.withdrawn), None)
    return [
        {"bold": True} if row is best else {"dim": True} if row.role != "method" else {}
        for row in rows
    ]


def _layouts(rows: Sequence[Row]) -> Iterator[Layout]:
    """From all columns to those that a narrow terminal holds."""
    every = [{k: str(v) for k, v in cells(row).items()} for row in rows]
    yield _layout(every, [])
    notes = [note for head in NOTED if (note := _note(every, head))]
    fewer = [{k: v for k, v in one.items() if k not in NOTED} for one in every]
    yield _layout(fewer, notes)
    named = [_named(one, row) for one, row in zip(fewer, rows, strict=True)]
    yield _layout(named, notes)
    yield _layout([_short(one, row) for one, row in zip(named, rows, strict=True)], notes)


def _layout(lines: list[dict[str, str]], notes: list[str]) -> Layout:
    """Columns that no row has anything to say in are left away."""
    heads = [head for head in lines[0] if any(one[head] for one in lines)]
    return Layout(heads, [[one[head] for head in heads] for one in lines], notes)


def _note(lines: list[dict[str, str]], head: str) -> str:
    """A column as a sentence: "weights: squeezenet1_1 (imm)"."""
    by_cell: dict[str, dict[str, None]] = {}
    for one in lines:
        if one[head]:
            by_cell.setdefault(one[head], {})[one["method"]] = None
    said = "; ".join(f"{cell} ({', '.join(methods)})" for cell, methods in by_cell.items())
    return f"{head}: {said}" if said else ""


def _named(cell: dict[str, str], row: Row) -> dict[str, str]:
    """Method and settings in one column; what is no method says so where methods have a rank."""
    role = "withdrawn" if row.withdrawn else ROLES[row.role]
    kept = {k: v for k, v in cell.items() if k not in ("rank", "method", "settings", "")}
    return {"rank": role or row.places(), "method": f"{cell['method']} {row.words}".strip(), **kept}


def _short(cell: dict[str, str], row: Row) -> dict[str, str]:
    """The interval as the longer of its halves, of "vs untrained" the difference alone."""
    marks = "".join(mark for mark in "*°" if mark in cell["95 % interval"])
    half = row.metrics[0].half
    return {
        "rank": cell["rank"],
        "method": cell["method"],
        "value": cell["value"],
        "±": "" if half is None else f"{half:.2f}{marks}",
        "vs untrained": f"{row.floor.value:+.2f} {row.floor.over}".rstrip() if row.floor else "",
    }
