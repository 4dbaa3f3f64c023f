"""A board as a file for other programs: CSV, JSON, LaTeX and Markdown, with all metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from benchmark.boards.frames import board_table
from benchmark.boards.rows import Row
from benchmark.boards.standings import Standing
from benchmark.pages.numbers import FACTORS
from benchmark.pages.tables import board_text


def as_csv(board: Standing) -> str:
    """All columns of `board_table`, numbers to 6 significant digits."""
    table = board_table(board.scored, board.rows)
    text: str = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    return text


def as_json(board: Standing) -> str:
    """The same as an object for each row, beside the protocol, its digest, and what its metrics are."""
    table = board_table(board.scored, board.rows)
    content = {
        "board": board.name,
        "title": board.protocol.title,
        "protocol": board.protocol.name,
        "digest": board.protocol.digest(),
        "kind": board.kind,
        "metrics": [{"id": m.id, "unit": m.unit, "better": m.better} for m in board.scored.metrics],
        "rows": json.loads(table.to_json(orient="records", double_precision=15)),
        "left_out": [str(one) for one in board.left_out],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def as_markdown(board: Standing) -> str:
    """The board's page as it lies beside its records."""
    return board_text(board)


def as_latex(board: Standing) -> str:
    r"""A table for a paper, methods above floors, the best method bold where seeds and items settle
    that it is the best and ahead of the floors. Its first line says what it needs: fonts of T1 have
    straight quotes.

    Values are means over seeds with the longer half of their 95 % interval; all metrics have a column.
    """
    metrics = board.scored.metrics
    best = board.best("method")
    settled = best if best and board.how_sure(best) in ("", "the only one") else None
    heads = ["method", "settings", *(_head(m.id, m.unit, m.better) for m in metrics), "rank"]
    lines = [
        f"% {board.name}, digest {board.protocol.digest()[:16]}; needs \\usepackage{{booktabs}} and "
        "\\usepackage[T1]{fontenc}",
        r"\begin{tabular}{ll" + "r" * len(metrics) + "l}",
        r"\toprule",
        " & ".join(heads) + r" \\",
    ]
    for roles in (("method",), ("floor", "reference", "ceiling")):
        rows = [row for row in board.rows if row.role in roles and not row.withdrawn]
        lines += [r"\midrule"] if rows else []
        lines += [_latex_row(row, bold=row is settled) for row in rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _head(metric: str, unit: str, better: str) -> str:
    factor = {"1e-3": "$10^{-3}$", "x100": "$10^{-2}$"}
    words = factor[unit] if unit in FACTORS else latex(unit)
    arrow = r"$\downarrow$" if better == "lower" else r"$\uparrow$"
    return " ".join(part for part in (latex(metric), f"[{words}]" if words else "", arrow) if part)


def _latex_row(row: Row, *, bold: bool) -> str:
    name = latex(row.method) + r"$^\dagger$" * bool(row.known_failures) + r"$^\S$" * row.external
    values: list[str] = []
    for metric in row.metrics:
        shown = f"{metric.value:.2f}"
        if bold and not values:
            shown = rf"\textbf{{{shown}}}"
        if metric.half is not None:
            shown += rf" {{\scriptsize $\pm$ {metric.half:.2f}}}"
        values.append(shown)
    rank = row.places().replace("–", "--")
    settings = WORD.sub(r"=\1", row.words)
    return " & ".join([name, latex(settings), *values, rank]) + r" \\"


WORD = re.compile(r'="(\w+)"')
"""A setting's value that is a lone word, which is set without its quotes."""

SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    '"': r"\textquotedbl{}",
}


LIGATURE = re.compile(r"([-,'`?!])(?=[-,'`])")
"""Signs that would be set as one: two hyphens as a dash, say."""


def latex(text: str) -> str:
    r"""Text of one line as LaTeX prints it, sign by sign; letters beyond ASCII are left out.

    >>> latex("nme_iod 5 %"), latex("a--b")
    ('nme\\_iod 5 \\%', 'a-{}-b')
    """
    plain = " ".join(text.split()).replace("→", "->").replace("×", "x")
    escaped = "".join(SPECIAL.get(sign, sign) for sign in plain)
    printed = LIGATURE.sub(r"\1{}", escaped).replace("–", "--")
    return "".join(sign for sign in printed if " " <= sign <= "\x7e")


FORMATS: Mapping[str, Callable[[Standing], str]] = {
    "csv": as_csv,
    "md": as_markdown,
    "tex": as_latex,
    "json": as_json,
}
"""How a board may be written, by the ending of its file."""


def citation(board: Standing, *, when: str, address: str = "") -> str:
    """A BibTeX entry of the board: protocol, version, digest, and the day of its last run.

    Example: `@misc{bench-ytf5-1, …}` says "board ytf5@1, digest 9c1f…, 21 runs".
    """
    fields: dict[str, Any] = {
        "title": f"{{{board.protocol.title}: board {board.name}}}",
        "howpublished": f"\\url{{{address}}}" if address else "bench",
        "year": when[:4],
        "note": f"{board.runs} runs, the last on {when[:10]}; "
        f"protocol digest {board.protocol.digest()[:16]}",
    }
    twin = "-twin" if board.twin else ""
    key = f"bench-{board.protocol.id}-{board.protocol.version}{twin}"
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{key},", *lines, "}"])
