"""What changed between two states of the leaderboards: rows added, removed, moved, withdrawn.

Compares tables (`board.csv`), which `bench board build --check` holds against their records, so that a
state may be any commit, written by any version of bench.
"""

from __future__ import annotations

import csv
import io
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tabulate import tabulate

from benchmark.contracts.errors import BenchError, UnknownName
from benchmark.files import listed
from benchmark.home import leaderboards
from benchmark.records.code import git

TABLE = "board.csv"

Kind = Literal["added", "removed", "moved", "withdrawn", "restored"]


class NotComparable(BenchError):
    """A table that should be a board's is none."""

    exit_code = 2


@dataclass(frozen=True)
class Line:
    """A row as its table says it, with value and rank as printed there."""

    method: str
    settings: str
    value: float
    rank: str
    seeds: str
    withdrawn: str
    runs: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.settings}".strip()


@dataclass(frozen=True)
class Change:
    """One row that is not what it was; `before` or `after` is None where it is not there."""

    board: str
    kind: Kind
    before: Line | None
    after: Line | None

    @property
    def row(self) -> Line:
        found = self.after or self.before
        assert found is not None
        return found


State = Mapping[str, list[Line]]
"""Rows by board: "ytf5@1", or "ytf5@1 (twin)"."""


def state(name: str) -> State:
    """The leaderboards in a folder, or at a git revision of the checkout they lie in."""
    folder = Path(name)
    if folder.is_dir():
        tables = listed(folder, f"**/{TABLE}")
        return _read((p.relative_to(folder), p.read_text("utf-8")) for p in tables)
    return _read(_at_revision(name))


def changes(before: State, after: State) -> list[Change]:
    """Board by board, in the order of the rows that are there now."""
    found: list[Change] = []
    for board in sorted(before.keys() | after.keys()):
        found += _board(board, before.get(board, []), after.get(board, []))
    return found


def markdown(found: list[Change], before: str, after: str) -> str:
    """For the summary of a pull request."""
    lines = [f"## Leaderboards: {before} → {after}", ""]
    if not found:
        return "\n".join([*lines, "No row changed."]) + "\n"
    rows = [
        [c.board, c.kind, c.row.name, *change_cells(c), f"`{' '.join(r[:8] for r in c.row.runs)}`"]
        for c in found
    ]
    heads = ["board", "", "row", "value", "rank", "seeds", "runs"]
    return (
        "\n".join([*lines, tabulate(rows, heads, tablefmt="github", disable_numparse=True)]) + "\n"
    )


def change_cells(change: Change) -> tuple[str, str, str]:
    """Value, rank and seeds as "old → new", or one of them where they are the same."""
    ends = (change.before, change.after)
    told = change.kind == "moved" and any(end.rank for end in ends if end)
    no_rank = "none" if told else ""
    value, rank, seeds = (
        _arrow(*(text(end) if end else "" for end in ends))
        for text in (
            lambda e: f"{e.value:.4g}",
            lambda e: e.rank or no_rank,
            lambda e: e.seeds,
        )
    )
    if change.kind == "withdrawn" and change.after:
        value += f" ({change.after.withdrawn})"
    return value, rank, seeds


def _arrow(old: str, new: str) -> str:
    return new or old if old == new or not (old and new) else f"{old} → {new}"


def _board(board: str, before: list[Line], after: list[Line]) -> Iterator[Change]:
    """Rows are matched by method and settings, those that stand before those that are withdrawn.

    A row whose runs were withdrawn is one change, not one that vanished and one that came.
    """
    old, new = _stack(before), _stack(after)
    pairs = [(old.pop(key, None), row) for key, row in new.items()]
    for was, now in pairs:
        if was is not None:
            if (was.value, was.rank, was.seeds) != (now.value, now.rank, now.seeds):
                yield Change(board, "moved", was, now)
            continue
        twin = (now.method, now.settings, not now.withdrawn, 0)
        other = old.get(twin)
        if other is not None and set(other.runs) & set(now.runs):
            del old[twin]
            yield Change(board, "withdrawn" if now.withdrawn else "restored", other, now)
        else:
            yield Change(board, "withdrawn" if now.withdrawn else "added", None, now)
    yield from (Change(board, "removed", row, None) for row in old.values())


def _stack(rows: Iterable[Line]) -> dict[tuple[str, str, bool, int], Line]:
    count: dict[tuple[str, str, bool], int] = defaultdict(int)
    found = {}
    for row in rows:
        key = (row.method, row.settings, bool(row.withdrawn))
        found[*key, count[key]] = row
        count[key] += 1
    return found


def _read(tables: Iterable[tuple[Path, str]]) -> State:
    found: dict[str, list[Line]] = {}
    for path, text in tables:
        parts = path.parent.parts
        twin = parts[:1] == ("twins",)
        if len(parts) != 2 + twin:
            continue
        board = f"{parts[-2]}@{parts[-1]}{' (twin)' if twin else ''}"
        try:
            found[board] = [
                Line(
                    line["method"],
                    line["settings"],
                    float(line["value"]),
                    line["rank"],
                    line["seeds"],
                    line["withdrawn"],
                    tuple(line["runs"].split()),
                )
                for line in csv.DictReader(io.StringIO(text))
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise NotComparable(f"{path} is no table of a board: {error}") from None
    return found


def _at_revision(revision: str) -> Iterator[tuple[Path, str]]:
    root = leaderboards()
    if (
        revision.startswith("-")
        or git(root, "rev-parse", "--verify", "-q", f"{revision}^{{commit}}") is None
    ):
        raise UnknownName(
            "folder or git revision", revision, (),
            cure=f"name a folder of leaderboards, or a commit of the checkout that holds {root}",
        )  # fmt: skip
    archive = git(root, "archive", "--format=tar", revision, f":(glob)**/{TABLE}")
    if archive is None:
        return  # nothing of that name was there yet: a state without boards
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            path = Path(member.name)
            if member.isfile() and (file := tar.extractfile(member)):
                yield path, file.read().decode("utf-8")
