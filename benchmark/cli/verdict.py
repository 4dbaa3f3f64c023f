"""What the end of a run says of its number, and what may be done next."""

from __future__ import annotations

from benchmark.boards.rows import Row
from benchmark.boards.scale import Scale, scale
from benchmark.boards.standings import standing
from benchmark.records.model import Record
from benchmark.registry.protocols import find_protocol
from benchmark.runner.request import command


def verdict(record: Record) -> tuple[list[str], list[str]]:
    """Sentences about the run's row on its board, and commands that would tell more; none for a run that
    has no place on a board."""
    asked = record.protocol
    board = standing(find_protocol(f"{asked.id}@{asked.version}"), twin=asked.twin)
    better = board.headline.better
    found = scale(board.rows, record.run_id, better) if board.runs else None
    if not found:
        return [], []
    return said(found), commands(found, record)


def said(found: Scale) -> list[str]:
    """The scale in a line, and where the row stands on it."""
    row = found.row
    others = {"best floor": found.floor, "best other method": found.best, "ceiling": found.ceiling}
    marks = [f"{word} {_name(other)} {other.value:.2f}" for word, other in others.items() if other]
    lines = ["beside it: " + ", ".join(marks)] if marks else []
    if row.ci95 is not None:
        lines.append(_on_the_board(row))
    if row.role != "method":
        return lines
    if found.ahead is None:
        lines.append("no floor is on this board yet, so nothing says whether that is good")
    else:
        lines.append("ahead of the best floor" if found.ahead else
                     "NOT ahead of the best floor: what learns nothing does as well")  # fmt: skip
    words = {
        "better": "training helps",
        "worse": "training makes it WORSE",
        "undecided": "whether training helps is not decided",
    }
    if row.floor and found.training:
        lines.append(f"{words[found.training]}: {row.floor} against the same network untrained")
    return lines


def _on_the_board(row: Row) -> str:
    """The row's value, and why its interval is not that of the run, which the reader has just seen."""
    seeds = len(row.seeds)
    if seeds == 1:
        return (
            f"on the board: {row.value:.2f} ({row.interval()}), over items too, but by Student's t, "
            "which allows for few groups of them; * one seed says nothing of others"
        )
    return (
        f"on the board: mean over {seeds} seeds {row.value:.2f} ({row.interval()}), over seeds and "
        "items; the run's own interval is over its items alone"
    )


def commands(found: Scale, record: Record) -> list[str]:
    """What lacks for a verdict, and the board."""
    again = command(record)
    twin = " --twin" if record.protocol.twin else ""
    more = []
    if found.row.role == "method":
        if found.floor is None:
            more.append(f"{again} --with-floors")
        if len(found.row.seeds) < 3:
            more.append(again.replace(f"--seed {record.seed}", "--seed 0-2"))
    return [*more, f"bench board {record.protocol.id}@{record.protocol.version}{twin}"]


def _name(row: Row) -> str:
    return f"{row.method} {row.variant.replace('settings.', '')}".strip()
