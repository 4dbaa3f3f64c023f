"""A board as Markdown and CSV, made from its records alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import filelock
import pandas as pd
from tabulate import tabulate

from benchmark.boards.entries import LeftOut, board_folder, read_entries
from benchmark.boards.rows import Row, make_rows
from benchmark.files import sweep_beside, write_text
from benchmark.home import checkout, leaderboards
from benchmark.protocols import Protocol, all_protocols, find_protocol

SHOWN = re.compile(r"<!-- board (\w+) -->.*?<!-- end -->", re.DOTALL)
"""Where a README shows a board's table."""

ROLES = {"method": "", "floor": "floor", "ceiling": "ceiling"}


@dataclass(frozen=True)
class Standing:
    """A board as it stands: its rows, how many runs they are made from, and why others are left out."""

    protocol: Protocol
    twin: bool
    runs: int
    rows: list[Row]
    left_out: list[LeftOut]

    @property
    def folder(self) -> Path:
        return board_folder(self.protocol, twin=self.twin)


def standings() -> list[Standing]:
    """Every board that has a folder, real before twin, each read once."""
    found = []
    for protocol in all_protocols():
        for twin in (False, True):
            if board_folder(protocol, twin=twin).exists():
                entries, left_out = read_entries(protocol, twin=twin)
                rows = make_rows(protocol.scored(twin=twin), entries)
                found.append(Standing(protocol, twin, len(entries), rows, left_out))
    return found


def generated_files() -> dict[Path, str]:
    """All that is made from records, by path: tables, the index, and a checkout's README."""
    found = standings()
    files = {leaderboards() / "README.md": index_text(found)}
    for board in found:
        files[board.folder / "README.md"] = board_text(board)
        files[board.folder / "board.csv"] = board_csv(board.rows)
    readme = checkout() / "README.md"
    if leaderboards() == checkout() / "leaderboards" and readme.exists():
        real = {board.protocol.name: board for board in found if not board.twin}

        def shown(match: re.Match[str]) -> str:
            rows = real[find_protocol(match[1]).name].rows
            return f"<!-- board {match[1]} -->\n\n{markdown_table(rows)}\n\n<!-- end -->"

        files[readme] = SHOWN.sub(shown, readme.read_text("utf-8"))
    return files


def stale(files: dict[Path, str]) -> list[Path]:
    """Those that are not on disk as they should be."""
    return [p for p, text in files.items() if not p.exists() or p.read_text("utf-8") != text]


def stale_files() -> list[Path]:
    """Generated files that are not what the records say; empty when all is well."""
    return stale(generated_files())


def update_boards() -> int:
    """Write what is not what the records say; how many files. Processes that end together take turns."""
    leaderboards().mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(leaderboards() / ".lock"):
        files = generated_files()
        old = stale(files)
        for path in old:
            sweep_beside(path)
            write_text(path, files[path])
    return len(old)


def board_text(board: Standing) -> str:
    """The Markdown page of a board."""
    protocol, twin = board.protocol, board.twin
    metric = protocol.scored(twin=twin).metrics[0]
    lines = [
        f"# {protocol.name}{' (twin)' if twin else ''}",
        "",
        f"{protocol.title}. {metric.id}{f' in {metric.unit}' if metric.unit else ''}, "
        f"{metric.better} is better.",
        "",
    ]
    if twin:
        lines += ["Rendered data: these numbers say that the path works, nothing about faces.", ""]
    lines += [
        markdown_table(board.rows),
        "",
        "Values are means over seeds; the interval draws seeds and test items (with one seed, marked *, "
        "items alone; board.csv keeps both apart). The rank is one more than the number of methods "
        "that are better beyond Holm's correction of paired bootstrap tests; single seeds, floors and "
        "ceilings have none. “vs untrained” is the difference to the same network untrained, with its "
        "paired bootstrap interval over test items.",
        "",
        f"Protocol digest `{protocol.digest()[:16]}`.",
    ]
    if board.left_out:
        told = [
            f"[{x.path.name}]({x.path.relative_to(board.folder)}): {x.reason}"
            for x in board.left_out
        ]
        lines += ["", "Left out: " + "; ".join(told) + "."]
    return "\n".join(lines) + "\n"


def markdown_table(rows: list[Row]) -> str:
    """Rows as a Markdown table."""
    headers = ["rank", "method", "settings", "", "value", "95 % interval", "vs untrained", "seeds",
               "reported", "labels seen", "cost"]  # fmt: skip
    body = []
    for row in rows:
        strike = "~~" if row.withdrawn else ""
        body.append(
            [
                "" if row.rank is None else row.rank,
                f"{strike}{row.method}{strike}",
                row.variant,
                "withdrawn: " + row.withdrawn if row.withdrawn else ROLES[row.role],
                f"{strike}{row.value:.2f}{strike}",
                row.interval(),
                f"{row.floor[0]:+.2f} ({row.floor[1]:+.2f} to {row.floor[2]:+.2f})"
                if row.floor
                else "",
                len(row.seeds),
                _said(row),
                "" if row.supervision == "none" else row.supervision,
                f"{row.seconds / 60:.1f} min",
            ]
        )
    return tabulate(body, headers, tablefmt="github", disable_numparse=True)


def _said(row: Row) -> str:
    if row.reported is None:
        return ""
    value, _, why_not = row.reported
    return f"{value:.2f}" + (f" (not comparable: {why_not})" if why_not else "")


def _ends(name: str, interval: tuple[float, float] | None) -> dict[str, float | None]:
    low, high = interval or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}


def board_csv(rows: list[Row]) -> str:
    """Rows as CSV, numbers unrounded to 6 significant digits."""
    frame = pd.DataFrame(
        [
            {
                "method": r.method,
                "settings": r.variant,
                "role": r.role,
                "value": r.value,
                **_ends("ci95", r.ci95),
                **_ends("items", r.ci_items),
                **_ends("seeds", r.ci_seeds),
                "rank": "" if r.rank is None else r.rank,
                "vs_untrained": r.floor[0] if r.floor else None,
                "vs_untrained_low": r.floor[1] if r.floor else None,
                "vs_untrained_high": r.floor[2] if r.floor else None,
                "seeds": " ".join(map(str, r.seeds)),
                "items": r.items,
                "supervision": r.supervision,
                "reported": r.reported[0] if r.reported else None,
                "seconds": r.seconds,
                "withdrawn": r.withdrawn,
                "runs": " ".join(r.runs),
            }
            for r in rows
        ]
    )
    text: str = frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    return text


def index_text(boards: list[Standing]) -> str:
    """The index of all boards."""
    rows = []
    for board in boards:
        stands = (r for r in board.rows if r.role == "method" and not r.withdrawn)
        best = next(stands, None)
        unit = board.protocol.scored(twin=board.twin).metrics[0].unit
        link = board.folder.relative_to(leaderboards()) / "README.md"
        rows.append(
            [
                f"[{board.protocol.name}]({link})" + (" (twin)" if board.twin else ""),
                board.protocol.title,
                board.runs,
                f"{best.method} {best.variant}: {best.value:.2f} {unit}".rstrip() if best else "",
            ]
        )
    table = tabulate(
        rows, ["board", "what", "runs", "best method"], tablefmt="github", disable_numparse=True
    )
    return (
        f"# Leaderboards\n\nMade from the records beside them by `bench board build`.\n\n{table}\n"
    )
