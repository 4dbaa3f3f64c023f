"""Tables and JSON on the terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any

import click

from benchmark.contracts.names import LONGEST_TEXT, shown

GAP, NARROWEST = 2, 12
"""Characters between two columns, and those that a cell keeps however narrow the terminal is."""


def as_json(content: Any) -> None:
    """Print JSON for programs, in letters that the output's encoding has."""
    plain = not (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf")
    click.echo(json.dumps(content, indent=2, ensure_ascii=plain, default=str))


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]], cut: Sequence[str] = ()) -> None:
    """Columns aligned by two spaces, headers dim.

    On a terminal that is too narrow the columns named by `cut`, or else the last one, lose the ends of
    their widest cells. What goes into a file or a pipe keeps all.
    """
    cells = [[_plain("" if c is None else str(c)) for c in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    names = cut or headers[-1:]
    widths = _fitting(widths, [i for i, name in enumerate(headers) if name in names])
    click.secho(_line(headers, widths), dim=True)
    for row in cells:
        click.echo(_line(row, widths))


def _plain(cell: str) -> str:
    """A cell in one line: what it shows may come from anybody's record or plugin."""
    return shown(cell, quote=False, most=LONGEST_TEXT)


def _fitting(widths: list[int], which: list[int]) -> list[int]:
    """Widths of columns, the widest of `which` smaller until all fit, or none has more to give."""
    if not (sys.stdout.isatty() or "COLUMNS" in os.environ):
        return widths
    room = shutil.get_terminal_size((100, 24)).columns - GAP * (len(widths) - 1)
    found = list(widths)
    while sum(found) > room and max((found[i] for i in which), default=0) > NARROWEST:
        found[max(which, key=lambda i: found[i])] -= 1
    return found


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    shown = (c if len(c) <= w else c[: w - 1] + "…" for c, w in zip(row, widths, strict=True))
    padded = [c.ljust(w) for c, w in zip(shown, widths, strict=True)]
    return (" " * GAP).join(padded).rstrip()


def size(count: float) -> str:
    """Bytes for people: 1536 → "1.5 KiB"."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
