"""Tables and JSON on the terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import click

from benchmark.contracts.names import LONGEST_TEXT, shown

GAP, NARROWEST, READABLE = 2, 12, 30
"""Characters between two columns; those that a cell keeps however narrow the terminal is; and those that
a column of text keeps while there is another to leave out."""


def as_json(content: Any) -> None:
    """Print JSON for programs, in letters that the output's encoding has."""
    plain = not (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf")
    click.echo(json.dumps(content, indent=2, ensure_ascii=plain, default=str))


def room() -> int | None:
    """How many characters a line has; None in a file or a pipe, which keep all."""
    if not (sys.stdout.isatty() or "COLUMNS" in os.environ):
        return None
    return shutil.get_terminal_size((100, 24)).columns


def paragraph(text: str, **style: Any) -> None:
    """Print a sentence, in lines that the terminal has room for."""
    if width := room():
        text = textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
    click.secho(text, **style)


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[Any]],
    cut: Sequence[str] = (),
    *,
    drop: Sequence[str] = (),
    right: Sequence[str] = (),
    styles: Sequence[Mapping[str, Any]] = (),
) -> list[str]:
    """Columns aligned by two spaces, headers dim; those in `right` end where their heads end, and a row
    may have a style of its own.

    On a terminal that is too narrow columns of `drop` are left out, the first one first, until those
    of `cut` (else the last) keep something to read; then the widest cells of these lose their ends. What
    goes into a file or a pipe keeps all. Returns the columns that were left out.
    """
    cells = [[_plain("" if c is None else str(c)) for c in row] for row in rows]
    columns = {h: [row[i] for row in cells] for i, h in enumerate(headers)}
    names = cut or headers[-1:]
    for name in drop:
        if _fits(columns, names):
            break
        columns.pop(name, None)
    heads = list(columns)
    widths = _fitting(
        [_width(h, columns[h]) for h in heads], [i for i, h in enumerate(heads) if h in names]
    )
    lean = [h in right for h in heads]
    click.secho(_line(heads, widths, lean), dim=True)
    looks = styles or [{}] * len(cells)
    for row, look in zip(zip(*columns.values(), strict=True), looks, strict=True):
        click.secho(_line(row, widths, lean), **look)
    return [h for h in headers if h not in columns]


def _plain(cell: str) -> str:
    """A cell in one line: what it shows may come from anybody's record or plugin."""
    return shown(cell, quote=False, most=LONGEST_TEXT)


def _width(head: str, cells: Sequence[str]) -> int:
    return max(map(len, (head, *cells)))


def _fits(columns: Mapping[str, Sequence[str]], cut: Sequence[str]) -> bool:
    """Whether the terminal has room for all columns, those of `cut` no longer than readable."""
    least = [
        min(_width(h, c), max(READABLE, len(h))) if h in cut else _width(h, c)
        for h, c in columns.items()
    ]
    width = room()
    return width is None or sum(least) + GAP * (len(least) - 1) <= width


def _fitting(widths: list[int], which: list[int]) -> list[int]:
    """Widths of columns, the widest of `which` smaller until all fit, or none has more to give."""
    if (width := room()) is None:
        return widths
    left = width - GAP * (len(widths) - 1)
    found = list(widths)
    while sum(found) > left and max((found[i] for i in which), default=0) > NARROWEST:
        found[max(which, key=lambda i: found[i])] -= 1
    return found


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    shown = (c if len(c) <= w else c[: w - 1] + "…" for c, w in zip(row, widths, strict=True))
    padded = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(shown, widths, right, strict=True)]
    return (" " * GAP).join(padded).rstrip()


def size(count: float) -> str:
    """Bytes for people: 1536 → "1.5 KiB"."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
