"""A board as Markdown and CSV, made from its records alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tabulate import tabulate

from benchmark.boards.frames import board_csv
from benchmark.boards.rows import Row
from benchmark.boards.standings import KINDS, Standing, standings
from benchmark.files import held, sweep_beside, write_text
from benchmark.home import checkout, leaderboards
from benchmark.pages.reported_tables import reported_csv, reported_page, reported_section
from benchmark.protocols import Protocol

SHOWN = re.compile(r"<!-- board (\w+) -->.*?<!-- end -->", re.DOTALL)
"""Where a README shows a board's table, each method once."""

EXTERNAL = "scored from a file of predictions; the method was not run by bench."

ROLES = {"method": "", "floor": "floor", "reference": "reference", "ceiling": "ceiling"}

READING = (
    "Values are means over seeds. The 95 % interval is over seeds and over the groups that test items"
    " come in (the images of a person, say): what other seeds and other people would give. With one "
    "seed, marked \\*, it is over items alone; where no record says which items belong together, "
    "marked °, items are taken as independent, and it is too narrow. The rank is the best and the "
    "worst place that a method may have among the others: all pairs are tested over seeds and items, "
    "with 5 % for the whole board (Holm). Few seeds, and seeds far apart, tell little: with three a "
    "rank of a board of nine is seldom settled. Single seeds, floors, references and ceilings have "
    "none, nor has a method without another to be ranked with. A floor is to be beaten, the best of "
    "them, be it an untrained network or a trivial answer, first of all; a reference says what a "
    "known thing scores (a copy of the training set, say), and a method behind it has not failed; a "
    "ceiling is given the truth. *vs untrained* is the difference to the same network untrained, by "
    "the same rule, paired by the seeds that both were run with, which the cell counts where the row "
    "has more. board.csv keeps seeds and items apart as well. † marks a method that is known not to "
    "keep a part of the contract; its board says which."
)
"""What the columns of a board mean, for people: it stands once, in the index."""


def generated_files(protocols: Iterable[Protocol]) -> dict[Path, str]:
    """All that is made from records, by path: tables, the index, and a checkout's README."""
    found = standings(protocols)
    folder = leaderboards() / "reported"
    only = [
        (b.protocol.name, b.protocol.title, b.agreements) for b in found if b.kind == "reported"
    ]
    files = {leaderboards() / "README.md": index_text(found)}
    if _says_what_is_reported():
        files |= {
            folder / "README.md": reported_page(only, [one for b in found for one in b.agreements]),
            folder / "reported.csv": reported_csv(b.agreements for b in found),
        }
    for board in found:
        if board.kind != "reported":
            files[board.folder / "README.md"] = board_text(board)
            files[board.folder / "board.csv"] = board_csv(board.scored, board.rows)
    readme = checkout() / "README.md"
    if leaderboards() == checkout() / "leaderboards" and readme.exists():
        newest = {b.protocol.id: b for b in found if not b.twin}  # versions are in order

        def shown(match: re.Match[str]) -> str:
            table = summary_table(newest[match[1]])
            return f"<!-- board {match[1]} -->\n\n{table}\n\n<!-- end -->"

        files[readme] = SHOWN.sub(shown, readme.read_text("utf-8"))
    return files


def _says_what_is_reported() -> bool:
    """Not in another folder of a checkout than its boards', a study's: those say it already."""
    here = leaderboards()
    return here == checkout() / "leaderboards" or not here.is_relative_to(checkout())


def stale(files: dict[Path, str]) -> list[Path]:
    """Those that are not on disk as they should be."""
    return [p for p, text in files.items() if not p.is_file() or p.read_bytes() != text.encode()]


def stale_files(protocols: Iterable[Protocol]) -> list[Path]:
    """Generated files that are not what the records say; empty when all is well."""
    return stale(generated_files(protocols))


def update_boards(protocols: Iterable[Protocol]) -> int:
    """Write what is not what the records say; how many files. Processes that end together take turns."""
    leaderboards().mkdir(parents=True, exist_ok=True)
    with held(leaderboards() / ".lock"):
        files = generated_files(protocols)
        old = stale(files)
        for path in old:
            sweep_beside(path)
            write_text(path, files[path])
    return len(old)


def board_text(board: Standing) -> str:
    """The Markdown page of a board."""
    protocol, twin = board.protocol, board.twin
    metric = board.headline
    lines = [
        f"# {board.name}",
        "",
        f"{protocol.title}. {metric.id}{f' in {metric.unit}' if metric.unit else ''}, "
        f"{metric.better} is better.",
        "",
    ]
    if twin:
        lines += [
            "Rendered data: these numbers say that the path works, nothing about real images.",
            "",
        ]
    if board.kind == "draft":
        lines += [KINDS["draft"][1], ""]
    up = "/".join([".."] * len(board.folder.relative_to(leaderboards()).parts))
    lines += [
        markdown_table(board.rows),
        "",
        *([f"Best floor: {in_markdown(board.floor_words)}.", ""] if board.floor_words else []),
        *(["## All metrics", "", metrics_table(board), ""] if _has_more(board) else []),
        f"[What the columns mean]({up}/README.md#how-to-read-a-board)",
        "",
    ]
    for method, checks in known_failures(board.rows).items():
        failed = in_markdown("; ".join(f"{check}: {reason}" for check, reason in checks))
        lines += [f"† {method} is known not to keep a part of the contract. {failed}.", ""]
    if elsewhere := external_methods(board.rows):
        lines += [f"§ {', '.join(elsewhere)}: {EXTERNAL}", ""]
    lines += reported_section(board.agreements, f"{up}/reported/README.md")
    lines.append(f"Protocol digest `{protocol.digest()[:16]}`.")
    if board.left_out:
        reasons = [
            f"[{x.path.name}]({x.path.relative_to(board.folder)}): {in_markdown(x.reason)}"
            for x in board.left_out
        ]
        lines += ["", "Left out: " + "; ".join(reasons) + "."]
    return "\n".join(lines) + "\n"


def cells(row: Row) -> dict[str, Any]:
    """What a row shows under each head of a board's table."""
    return {
        "rank": row.places(),
        "method": row.method + row.marks,
        "settings": row.variant,
        "": "withdrawn" if row.withdrawn else ROLES[row.role],
        "value": f"{row.value:.2f}",
        "95 % interval": row.interval(),
        "vs untrained": str(row.floor) if row.floor else "",
        "seeds": len(row.seeds),
        "reported": f"{row.reported[0]:.2f}" if row.reported else "",
        "supervision": "" if row.supervision == "none" else row.supervision,
        "weights": ", ".join(row.weights),
    }


def markdown_table(rows: list[Row]) -> str:
    """Rows as a Markdown table, with the reasons why some do not count."""
    body = []
    for row in rows:
        shown = cells(row) | {"cost": f"{row.seconds / 60:.1f} min"}
        if row.withdrawn:
            shown["method"] = f"~~{row.method}~~{row.marks}"
            shown["value"] = f"~~{shown['value']}~~"
            shown[""] = f"withdrawn: {row.withdrawn}"
        if row.reported and row.reported[2]:
            shown["reported"] += f" (not comparable: {row.reported[2]})"
        body.append({head: in_markdown(cell) for head, cell in shown.items()})
    return tabulate(body, headers="keys", tablefmt="github", disable_numparse=True)


def _has_more(board: Standing) -> bool:
    return len(board.scored.metrics) > 1 and not all(row.withdrawn for row in board.rows)


def metrics_table(board: Standing) -> str:
    """Rows that stand with all metrics as a Markdown table, each value with its interval."""
    body = []
    for row in board.rows:
        if not row.withdrawn:
            line = {"method": row.method + row.marks, "settings": row.variant, "": ROLES[row.role]}
            for metric, measured in zip(board.scored.metrics, row.metrics, strict=True):
                ends = row.interval(measured)
                line[metric.head] = f"{measured.value:.2f}" + (f" ({ends})" if ends else "")
            body.append({head: in_markdown(cell) for head, cell in line.items()})
    return tabulate(body, headers="keys", tablefmt="github", disable_numparse=True)


def summary_table(board: Standing) -> str:
    """A board in a few lines: the best row of each method, and the best floor.

    What rows were pretrained with has a column where one of them was.
    """
    standing = [row for row in board.rows if not row.withdrawn]
    methods = {r.method: r for r in reversed(standing) if r.role == "method"}
    floor = board.best("floor")
    chosen = [row for row in standing if row in methods.values() or row is floor]
    metric = board.headline
    number = f"{metric.id} in {metric.unit}" if metric.unit else metric.id
    body = [
        {
            "": ("best floor: " if row is floor else "") + row.method + row.marks,
            "settings": row.words if row is floor else row.variant,
            f"{number}, {metric.better} is better": f"{row.value:.2f}",
            "95 % interval": row.interval(),
            "vs the same network untrained": str(row.floor) if row.floor else "",
            **({"pretrained": ", ".join(row.weights)} if any(r.weights for r in chosen) else {}),
            "minutes": f"{row.seconds / 60:.0f}",
        }
        for row in chosen
    ]
    shown = [{head: in_markdown(cell) for head, cell in line.items()} for line in body]
    return tabulate(shown, headers="keys", tablefmt="github", disable_numparse=True)


def in_markdown(cell: object) -> str:
    """A cell whose text ends no column and begins no HTML."""
    return str(cell).replace("|", r"\|").replace("<", "&lt;")


def known_failures(rows: list[Row]) -> dict[str, tuple[tuple[str, str], ...]]:
    """By method the checks of the conformance run that it can't pass, with the reasons."""
    return {row.method: row.known_failures for row in rows if row.known_failures}


def external_methods(rows: list[Row]) -> list[str]:
    """The names of rows that were scored from files."""
    return sorted({row.method for row in rows if row.external})


def index_text(boards: list[Standing]) -> str:
    """The index of all boards: those on real data, those that papers alone fill, and twins."""
    lines = ["# Leaderboards", "", "Made from the records beside them by `bench board build`."]
    reports = _says_what_is_reported()
    for kind, (heading, sentence) in KINDS.items():
        some = [board for board in boards if board.kind == kind]
        if some and (reports or kind != "reported"):
            table = _without_runs if kind == "reported" else _with_runs
            lines += ["", f"## {heading}", "", sentence, "", table(some)]
    lines += ["", "## How to read a board", "", READING]
    reported = "[Reported in papers](reported/README.md): every number with its source and state."
    return "\n".join([*lines, *(["", reported] if reports else [])]) + "\n"


def _with_runs(boards: list[Standing]) -> str:
    rows = []
    for board in boards:
        link = board.folder.relative_to(leaderboards()) / "README.md"
        rows.append(
            [
                board.name.replace(board.protocol.name, f"[{board.protocol.name}]({link})"),
                board.protocol.title,
                board.runs,
                in_markdown(best_method(board)),
            ]
        )
    heads = ["board", "what", "runs", "best method"]
    return tabulate(rows, heads, tablefmt="github", disable_numparse=True)


def best_method(board: Standing) -> str:
    """The best method and its value, if one is ahead of the best floor."""
    if best := board.best("method"):
        sure = board.how_sure(best)
        named = f"{best.method} {best.variant}: {best.value:.2f} {board.headline.unit}".rstrip()
        if sure == "not decided":
            return f"not decided; first: {named}"
        return f"{named} ({sure})" if sure else named
    stands = any(row.role == "method" and not row.withdrawn for row in board.rows)
    return "none ahead of the best floor" if stands else ""


def _without_runs(boards: list[Standing]) -> str:
    rows = [[b.name, b.protocol.title, len(b.agreements)] for b in boards]
    return tabulate(rows, ["board", "what", "values"], tablefmt="github", disable_numparse=True)
