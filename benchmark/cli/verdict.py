"""What the end of a run says of its number, and what may be done next."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.boards.rows import Row
from benchmark.boards.scale import Scale, scale
from benchmark.boards.standings import standing
from benchmark.records.model import Record
from benchmark.registry.protocols import find_protocol
from benchmark.runner.request import command


@dataclass(frozen=True)
class Verdict:
    """What a run's row on its board says: the metric it is about, and the row's interval, in words;
    sentences; and commands that would tell more."""

    metric: str
    interval: str
    lines: list[str]
    commands: list[str]


def verdict(record: Record) -> Verdict | None:
    """The verdict on a run; None for one that has no place on a board."""
    asked = record.protocol
    board = standing(find_protocol(f"{asked.id}@{asked.version}"), twin=asked.twin)
    better = board.headline.better
    found = scale(board.rows, record.run_id, better) if board.runs else None
    if not found:
        return None
    return Verdict(
        board.headline.id, interval_words(found.row), said(found), commands(found, record)
    )


def said(found: Scale) -> list[str]:
    """Where the row stands, and beside what."""
    row = found.row
    others = {"best floor": found.floor, "best other method": found.best, "ceiling": found.ceiling}
    marks = [f"{word} {_name(other)} {other.value:.2f}" for word, other in others.items() if other]
    beside = ["beside it: " + ", ".join(marks)] if marks else []
    lines: list[str] = []
    if len(row.seeds) > 1 and row.ci95 is not None:
        lines.append(
            f"on the board: mean over {len(row.seeds)} seeds {row.value:.2f} ({row.interval()}), over "
            "seeds and items"
        )
    if row.role != "method":
        return [*lines, *beside]
    if found.ahead is None:
        lines.append("no floor is on this board yet, so nothing says whether that is good")
    elif not found.ahead:
        lines.append("NOT ahead of the best floor: what learns nothing does as well")
    elif found.clear:
        lines.append("ahead of the best floor")
    else:
        lines.append(f"not clearly ahead of the best floor: {row.over_floor}")
    words = {
        "better": "training helps",
        "worse": "training makes it WORSE",
        "undecided": "whether training helps is not decided",
    }
    if row.floor and found.training:
        lines.append(f"{words[found.training]}: {row.floor} against the same network untrained")
    return [*lines, *beside]


def interval_words(row: Row) -> str:
    """The board's interval as that of a run of one seed; of several seeds it is of their mean, and is
    said with that."""
    if len(row.seeds) > 1 or row.ci95 is None:
        return ""
    return f"95 %: {row.interval()}  (* one seed, over test items alone)"


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
