"""Tables and JSON on the terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click


def as_json(content: Any) -> None:
    """Print JSON for programs."""
    click.echo(json.dumps(content, indent=2, ensure_ascii=False, default=str))


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Columns aligned by two spaces, headers dim; the last column is cut to the terminal's width."""
    import shutil

    cells = [[("" if c is None else str(c)) for c in row] for row in rows]
    widths = [max(len(str(h)), *(len(r[i]) for r in cells)) if cells else len(h)
              for i, h in enumerate(headers)]  # fmt: skip
    room = shutil.get_terminal_size((100, 24)).columns
    last = max(20, room - sum(widths[:-1]) - 2 * (len(widths) - 1))
    click.secho(
        "  ".join(h.ljust(w) for h, w in zip(headers, widths, strict=True)).rstrip(), dim=True
    )
    for row in cells:
        if len(row[-1]) > last:
            row[-1] = row[-1][: last - 1] + "…"
        click.echo("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())


def size(count: float) -> str:
    """Bytes for people: 1536 → "1.5 KiB"."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def duration(seconds: float) -> str:
    """Seconds for people: 75 → "1 min 15 s"."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"
