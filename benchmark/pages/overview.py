"""The first page: boards by what is asked for, newest versions on real data first, others folded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.boards.rows import Row
from benchmark.boards.standings import KINDS
from benchmark.contracts.spec import MethodSpec
from benchmark.pages.boards import Board

GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Landmarks": (
        "Points that a method finds without labels, read by a small probe, against annotated ones.",
        ("landmark_regression", "landmark_scale"),
    ),
    "Landmarks from few labels": (
        "The same, with the probe fitted on 1 to 100 annotated images.",
        ("landmark_limited",),
    ),
    "Matching": (
        "Points of one image found in another by descriptors alone, without a probe.",
        ("landmark_matching",),
    ),
    "Foreground": (
        "Parts that a method finds without labels, joined to a foreground and held against masks.",
        ("foreground_segmentation", "mask_disagreement"),
    ),
    "Generation": (
        "Generated images held against real ones, through the features of a network.",
        ("image_generation",),
    ),
    "Shape and pose": (
        "A cloud of points and a camera from a single picture, held against models.",
        ("shape_and_pose",),
    ),
}
"""Heading → a sentence, and the tasks whose boards stand under it."""


@dataclass(frozen=True)
class Line:
    """A board in the overview. `best` is its first method, ahead of the floors or not; `gain` how much
    better than the best floor that is, in the metric's unit (negative: a loss)."""

    board: Board
    best: Row | None
    floor: Row | None
    gain: float | None
    last: str

    @classmethod
    def of(cls, board: Board) -> Line:
        """The line of a board.

        Example: of a method with 57.5 and a floor with 40.3, lower being better, a gain of −17.2.
        """
        floor = board.best("floor")
        standing = [row for row in board.rows if not row.withdrawn and row.role == "method"]
        there = [r for r in standing if floor is None or r.scored_on == floor.scored_on]
        best = board.best("method") or (there[0] if there else None)
        sign = 1 if board.headline.better == "lower" else -1
        gain = sign * (floor.value - best.value) if best and floor else None
        last = max((entry.record.finished[:10] for entry in board.entries), default="")
        return cls(board, best, floor, gain, last)


@dataclass(frozen=True)
class Group:
    """The boards of some tasks: `first` are the newest versions on real data, `folded` the others by
    (what they are, a sentence, boards)."""

    heading: str
    words: str
    first: list[Line]
    folded: list[tuple[str, str, list[Line]]]

    @property
    def key(self) -> str:
        return self.heading.lower().replace(" ", "-")


def groups_of(boards: Sequence[Board]) -> list[Group]:
    """All boards in their groups; tasks that plugins bring come last."""
    known = {task for _, tasks in GROUPS.values() for task in tasks}
    others = sorted({b.protocol.task for b in boards} - known)
    every = {**GROUPS, "Further tasks": ("Tasks that plugins bring.", tuple(others))}
    found = []
    for heading, (words, tasks) in every.items():
        some = [board for board in boards if board.protocol.task in tasks]
        if some:
            found.append(Group(heading, words, *_parted(some)))
    return found


def _parted(boards: Iterable[Board]) -> tuple[list[Line], list[tuple[str, str, list[Line]]]]:
    first: list[Board] = []
    superseded: list[Board] = []
    twins: list[Board] = []
    reported: list[Board] = []
    drafts: list[Board] = []
    for board in boards:
        if board.kind == "twin":
            twins.append(board)
        elif board.kind == "reported":
            reported.append(board)
        elif board.kind == "draft":
            drafts.append(board)
        elif board.newest.version != board.protocol.version:
            superseded.append(board)
        else:
            first.append(board)
    folded = (
        ("Drafts", KINDS["draft"][1], drafts),
        ("Superseded versions", "Later versions of these protocols take their place.", superseded),
        ("Reported in papers only", KINDS["reported"][1], reported),
        ("On twins", KINDS["twin"][1], twins),
    )
    return (
        _lines(first),
        [(what, words, _lines(some)) for what, words, some in folded if some],
    )


def _lines(boards: Iterable[Board]) -> list[Line]:
    """Boards with a method first, those of most runs before others, then those that are open."""
    lines = [Line.of(board) for board in boards]
    return sorted(lines, key=lambda line: (line.best is None, -len(line.board.entries)))


def overview(
    boards: Sequence[Board], methods: Mapping[str, MethodSpec] | None = None
) -> dict[str, Any]:
    """The values of `index.html`; `methods` are those of which it is said what they are."""
    known = methods or {}
    shown = _methods(boards)
    there = {name for name, *_ in shown}
    return {
        "groups": groups_of(boards),
        "data": sorted({b.data for b in boards}),
        "kinds": sorted({kind for b in boards for kind in b.protocol.needs}),
        "runs": sum(len(b.entries) for b in boards if not b.twin),
        "real": sum(b.kind == "real" for b in boards),
        "last": max((e.record.finished[:10] for b in boards for e in b.entries), default=""),
        "methods": shown,
        "summaries": {name: spec.summary for name, spec in known.items()},
        "without": [known[name] for name in sorted(known.keys() - there)],
    }


def _methods(boards: Iterable[Board]) -> list[tuple[str, str, int, int]]:
    """(method, role, boards on real data, on twins) of every method with a row, methods first."""
    found: dict[str, tuple[str, set[str], set[str]]] = {}
    for board in boards:
        for row in board.rows:
            _, real, twins = found.setdefault(row.method, (row.role, set(), set()))
            (twins if board.twin else real).add(board.href)
    lines = [(name, role, len(real), len(twins)) for name, (role, real, twins) in found.items()]
    return sorted(lines, key=lambda line: (line[1] != "method", line[0]))
