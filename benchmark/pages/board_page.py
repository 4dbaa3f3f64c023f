"""What the page of a board says: what a number means, rows, items, charts, constants, how to cite it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.boards.rows import Row
from benchmark.datasets.places import spec_of
from benchmark.home import builtin_folder
from benchmark.pages.board_charts import board_charts
from benchmark.pages.board_files import FORMATS, citation
from benchmark.pages.board_rows import ShownBoard, shown_board
from benchmark.pages.boards import Board
from benchmark.pages.meanings import meaning
from benchmark.pages.numbers import digits
from benchmark.pages.protocol_facts import (
    AGGREGATES,
    fields,
    formula,
    history,
    roles_of,
    sections,
    splits_of,
)
from benchmark.pages.reported_shown import reported_shown
from benchmark.pages.run_page import shown_pictures
from benchmark.pages.same_items import same_items
from benchmark.pages.tables import EXTERNAL, external_methods, known_failures
from benchmark.protocols import versions_of


def board_page(
    board: Board, boards: list[Board], pictures: str = "", *, private: bool = False
) -> dict[str, Any]:
    """The values of `board.html`; `pictures` names the JPEG of its items, where they may be shown."""
    protocol, scored = board.protocol, board.scored
    parts = parts_of(board)
    shown = shown_board(board) if board.rows else None
    hrefs = {b.protocol.name: b.href for b in boards if b.twin == board.twin}
    return {
        "board": board,
        "protocol": protocol,
        "builtin": protocol.path.is_relative_to(builtin_folder()),  # the documentation has those
        "metric": scored.metrics[0],
        "meaning": meaning(scored.metrics[0]),
        "trivial": trivial(board),
        "dates": dates(board),
        "measured": [(m, formula(m), AGGREGATES[m.aggregate]) for m in scored.metrics],
        "splits": parts,
        "sizes": sizes(parts),
        "datasets": [spec_of(name) for name in protocol.data.datasets()],
        "shown": shown,
        "any_reported": any(r.reported for r in board.rows),
        "strip": same_items(shown, pictures) if shown else None,
        "generated": generated(board, private=private),
        "charts": board_charts(scored, board.rows, board.entries),
        "by_point": by_point(board),
        "reported": reported_shown(board.agreements),
        "failures": known_failures(board.rows),
        "elsewhere": external_methods(board.rows),
        "elsewhere_words": EXTERNAL,
        "constants": fields(sections(scored)),
        "history": history(versions_of(protocol)),
        "hrefs": hrefs,
        "superseded": superseded(board),
        "formats": [name for name in FORMATS if name != "md"] if board.rows else [],
        "citation": citation(board, when=max(dates(board)["last"], "")) if board.rows else "",
        "filters": filters(shown) if shown else [],
    }


def parts_of(board: Board) -> list[tuple[str, str, int | None]]:
    """(what it is for, split, images) of each part of the data: of a twin what its records saw, since
    the protocol's splits are those of the real data.

    Example: of the twin of ytf5@1, ("scored", "twin:test", 300) is one.
    """
    if not board.twin:
        return splits_of(board.protocol)
    seen = {role: part for one in board.entries for role, part in one.record.data.items()}
    return [
        (words, seen[role].split, seen[role].images)
        for role, words in roles_of(board.protocol).items()
        if role in seen
    ]


def sizes(parts: Sequence[tuple[str, str, int | None]]) -> list[str]:
    """How many images there are to learn from and to score, in words, as far as it is known.

    >>> sizes([("methods are fitted on", "twin:fit", 1200), ("scored", "twin:test", 300)])
    ['1,200 images to learn from', '300 images to score']
    """
    known = [(role, images) for role, _, images in parts if images]
    return [
        f"{images:,} images {'to score' if role == 'scored' else 'to learn from'}"
        for i, (role, images) in enumerate(known)
        if i == 0 or role == "scored"
    ]


def filters(shown: ShownBoard) -> list[tuple[str, str, list[str]]]:
    """(name, label, choices) of what the rows can be filtered by: only what tells them apart."""
    methods = [one.row for one in shown.methods]
    found = [
        ("supervision", "Supervision", sorted({row.supervision for row in methods})),
        ("weights", "Pretrained", sorted({w for row in methods for w in row.weights or ("none",)})),
        ("preset", "Preset", shown.presets),
        *((column.key, column.name, column.values) for column in shown.columns),
    ]
    if len({row.scored_on for row in methods}) > 1:
        found.append(("data", "Data", sorted({one.source for one in shown.methods})))
    return [one for one in found if len(one[2]) > 1]


def trivial(board: Board) -> list[tuple[str, str]]:
    """What answers score that need no method, in words: floors and the ceiling."""
    found = []
    standing = [row for row in board.rows if not row.withdrawn]
    if floor := board.best("floor"):
        found.append((f"the best floor, {floor.method},", digits(floor.value)))
    plain = [r for r in standing if r.role == "floor" and r.method != "random-features"]
    if plain and floor and plain[0] is not floor:
        found.append((plain[0].method, digits(plain[0].value)))
    if ceiling := next((r for r in standing if r.role == "ceiling"), None):
        found.append(
            (
                f"the truth itself, read as predictions are ({ceiling.method}),",
                digits(ceiling.value),
            )
        )
    return found


def dates(board: Board) -> dict[str, str]:
    """The day of the last run, and the commits that runs were made by."""
    records = [entry.record for entry in board.entries]
    commits = sorted({r.code.commit[:12] for r in records if r.code.commit})
    return {
        "last": max((r.finished[:10] for r in records), default=""),
        "first": min((r.finished[:10] for r in records), default=""),
        "commits": ", ".join(commits),
    }


MOST_GENERATORS = 8
"""Rows whose generated images are shown on the board."""


def generated(board: Board, *, private: bool = False) -> list[tuple[Row, str]]:
    """Rows with the address of images that their first run generated, where these lie on this machine
    and may be shown; methods first."""
    if board.protocol.task != "image_generation":
        return []
    found = []
    for row in sorted(board.rows, key=lambda row: row.role != "method"):
        record = board.record[row.runs[0]]
        names = {p.name for p in shown_pictures(record, board.protocol, private=private)}
        if "generated" in names and not row.withdrawn:
            found.append((row, f"runs/{record.run_id}-generated.jpg"))
    return found[:MOST_GENERATORS]


@dataclass(frozen=True)
class ByPoint:
    """The error of each landmark by row, mean over seeds, in the headline's unit."""

    heads: list[str]
    rows: list[tuple[str, str, str, list[float]]]


MOST_POINTS = 20
"""Landmarks that make columns; more say nothing in a table."""


def by_point(board: Board) -> ByPoint | None:
    """The errors of single landmarks, where runs wrote them down."""
    rows = []
    for row in board.rows:
        records = [board.record[run] for run in row.runs]
        errors: Sequence[Any] = [r.probe.get("error_by_point") for r in records]
        if row.withdrawn or not all(isinstance(e, list) and len(e) <= MOST_POINTS for e in errors):
            continue
        if len({len(e) for e in errors}) == 1 and all(
            isinstance(v, int | float) for e in errors for v in e
        ):
            means = np.mean(np.array(errors, float), axis=0)
            rows.append((row.method, row.variant, row.role, [float(v) for v in means]))
    rows = [row for row in rows if len(row[3]) == len(rows[0][3])]
    if not rows or len(rows[0][3]) < 2:
        return None
    return ByPoint([str(i + 1) for i in range(len(rows[0][3]))], rows)


def superseded(board: Board) -> tuple[str, str] | None:
    """The newest version, if this is an older one, and why it took this one's place."""
    newest = board.newest
    if newest.version == board.protocol.version:
        return None
    steps = history(versions_of(board.protocol))
    reason = next((s.reason for s in steps if s.before == board.protocol.name), newest.supersedes)
    return newest.name, reason
