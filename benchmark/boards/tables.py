"""A board as Markdown and CSV, made from its records alone."""

from __future__ import annotations

import re
from pathlib import Path

import filelock
import pandas as pd
from tabulate import tabulate

from benchmark.boards.rows import Row, board_folder, make_rows, read_entries
from benchmark.files import write_text
from benchmark.home import checkout, leaderboards
from benchmark.protocols import Protocol, all_protocols, find_protocol

SHOWN = re.compile(r"<!-- board (\w+) -->.*?<!-- end -->", re.DOTALL)
"""Where a README shows a board's table."""

ROLES = {"method": "", "floor": "floor", "ceiling": "ceiling"}


def update_board(protocol: Protocol, *, twin: bool) -> None:
    """Write a board's tables and the index anew; processes that end together take turns."""
    leaderboards().mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(leaderboards() / ".lock"):
        for path, text in (board_files(protocol, twin=twin) | index_files()).items():
            if not path.exists() or path.read_text("utf-8") != text:
                write_text(path, text)


def index_files() -> dict[Path, str]:
    """The index of all boards, and a checkout's README with the board it shows."""
    files = {leaderboards() / "README.md": index_text()}
    readme = checkout() / "README.md"
    if leaderboards() == checkout() / "leaderboards" and readme.exists():
        shown = SHOWN.sub(_shown, readme.read_text("utf-8"))
        files[readme] = shown
    return files


def _shown(found: re.Match[str]) -> str:
    protocol = find_protocol(found[1])
    rows = make_rows(protocol, read_entries(protocol, twin=False)[0])
    return f"<!-- board {found[1]} -->\n\n{markdown_table(rows)}\n\n<!-- end -->"


def board_files(protocol: Protocol, *, twin: bool) -> dict[Path, str]:
    """The generated files of a board, by path."""
    folder = board_folder(protocol, twin=twin)
    entries, left_out = read_entries(protocol, twin=twin)
    rows = make_rows(protocol.scored(twin=twin), entries)
    return {
        folder / "README.md": board_text(protocol, rows, left_out, twin=twin),
        folder / "board.csv": board_csv(rows),
    }


def stale_files() -> list[Path]:
    """Generated files that are not what the records say; empty when all is well."""
    files = index_files()
    for protocol in all_protocols():
        for twin in (False, True):
            if board_folder(protocol, twin=twin).exists():
                files |= board_files(protocol, twin=twin)
    return [p for p, text in files.items() if not p.exists() or p.read_text("utf-8") != text]


def board_text(protocol: Protocol, rows: list[Row], left_out: list[str], *, twin: bool) -> str:
    """The Markdown page of a board."""
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
        markdown_table(rows),
        "",
        "Values are means over seeds; the interval draws seeds and test items (with one seed, marked *, "
        "items alone; board.csv keeps both apart). The rank is one more than the number of methods "
        "that are better beyond Holm's correction of paired bootstrap tests; single seeds, floors and "
        "ceilings have none. “vs untrained” is the difference to the same network untrained, with its "
        "paired bootstrap interval over test items.",
        "",
        f"Protocol digest `{protocol.digest()[:16]}`.",
    ]
    if left_out:
        lines += ["", "Left out: " + "; ".join(left_out) + "."]
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


def index_text() -> str:
    """The index of all boards."""
    rows = []
    for protocol in all_protocols():
        for twin in (False, True):
            folder = board_folder(protocol, twin=twin)
            if not folder.exists():
                continue
            entries, _ = read_entries(protocol, twin=twin)
            scored = protocol.scored(twin=twin)
            rows_here = make_rows(scored, entries)
            stands = (r for r in rows_here if r.role == "method" and not r.withdrawn)
            best = next(stands, None)
            link = folder.relative_to(leaderboards()) / "README.md"
            rows.append(
                [
                    f"[{protocol.name}]({link})" + (" (twin)" if twin else ""),
                    protocol.title,
                    len(entries),
                    f"{best.method} {best.variant}: {best.value:.2f} {scored.metrics[0].unit}"
                    if best
                    else "",
                ]
            )
    table = tabulate(
        rows, ["board", "what", "runs", "best method"], tablefmt="github", disable_numparse=True
    )
    return (
        f"# Leaderboards\n\nMade from the records beside them by `bench board build`.\n\n{table}\n"
    )
