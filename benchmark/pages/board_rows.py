"""The rows of a board as its page shows them: methods apart from what they are held against, settings in
columns, the interval as a bar, and the distance to the best floor."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from markupsafe import Markup

from benchmark.boards.rows import Row, imitates
from benchmark.pages.boards import Board
from benchmark.pages.interval_bars import Scale, bar
from benchmark.records.model import Record
from benchmark.settings import flat, settings_words, word

MOST_COLUMNS = 5
"""Settings that have a column of their own; others stand behind the method's name."""


@dataclass(frozen=True)
class ShownRow:
    """A row with what the page says beside it.

    `settings` holds under each of the board's columns the setting's value in words and whether it was
    given (None where the method has no such setting), `further` the other words of the row. `untrained`
    is the value of the same network untrained, `gain` how much better than the best floor the row is
    (negative where it is worse).
    """

    row: Row
    settings: tuple[tuple[str, bool] | None, ...]
    further: str
    preset: str
    untrained: float | None
    gain: float | None
    source: str
    bar: Markup
    given: str
    """The settings with columns that were given, in words, for where those columns have no room."""


@dataclass(frozen=True)
class Column:
    """A setting with a column: its name, that of its filter, and the values that occur."""

    name: str
    key: str
    values: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ShownBoard:
    """All rows of a board, in the order of their values; withdrawn ones last."""

    board: Board
    columns: list[Column]
    rows: list[ShownRow]

    @property
    def methods(self) -> list[ShownRow]:
        """What the board is about; where there is no method, all rows but the ceiling."""
        found = [shown for shown in self.rows if shown.row.role == "method"]
        return found or [shown for shown in self.rows if shown.row.role != "ceiling"]

    @cached_property
    def others(self) -> list[ShownRow]:
        """Floors, references and ceilings."""
        first = {shown.row.runs for shown in self.methods}
        return [shown for shown in self.rows if shown.row.runs not in first]

    @property
    def presets(self) -> list[str]:
        return sorted({shown.preset for shown in self.methods if shown.preset})


def shown_board(board: Board) -> ShownBoard:
    """The rows of `board` with their settings, bars and gains."""
    records = {row.runs[0]: board.record[row.runs[0]] for row in board.rows}
    columns = _columns([records[r.runs[0]] for r in board.rows if r.role == "method"])
    untrained = _untrained(board, records)
    floor = board.best("floor")
    scale = _scale(board, untrained, floor)
    sign = 1 if board.headline.better == "lower" else -1
    rows = []
    for row in board.rows:
        record = records[row.runs[0]]
        cells = tuple(_cell(record, column.name) for column in columns)
        compared = floor is not None and not row.withdrawn and row.scored_on == floor.scored_on
        judged = compared and row.role == "method"
        rows.append(
            ShownRow(
                row,
                cells if row.role == "method" else (None,) * len(columns),
                _further(row, record, columns if row.role == "method" else ()),
                record.method.preset if row.role == "method" else "",
                untrained.get(row.runs[0]),
                sign * (floor.value - row.value) if judged and floor is not None else None,
                board.source(row),
                bar(
                    scale,
                    row.value,
                    row.ci95,
                    untrained=untrained.get(row.runs[0]),
                    floor=floor.value if floor else None,
                ),
                ", ".join(
                    f"{column.name} {cell[0]}"
                    for column, cell in zip(columns, cells, strict=True)
                    if cell and cell[1]
                ),
            )
        )
    for i, column in enumerate(columns):
        found = {shown.settings[i][0] for shown in rows if shown.settings[i]}  # type: ignore[index]
        column.values.extend(sorted(found, key=_natural))
    return ShownBoard(board, columns, rows)


def _natural(text: str) -> tuple[Any, ...]:
    """A key that sorts numbers within words by their size."""
    return tuple(
        (0, float(part), "") if re.fullmatch(r"\d+(\.\d+)?", part) else (1, 0.0, part)
        for part in re.split(r"(\d+(?:\.\d+)?)", text)
        if part
    )


def _columns(records: Sequence[Record]) -> list[Column]:
    """Settings that were given in some row, or in which rows of one method and preset differ, and that
    have at least two values among the rows; those of most rows first."""
    names: Counter[str] = Counter()
    alike: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in records:
        names.update(flat(record.method.settings_given).keys())
        alike.setdefault((record.method.id, record.method.preset), []).append(
            flat(record.method.settings)
        )
    for group in alike.values():
        for name in group[0]:
            if name not in names and any(one.get(name) != group[0][name] for one in group):
                names[name] += len(group)
    found = []
    for name, _ in names.most_common():
        cells = {cell[0] for record in records if (cell := _cell(record, name))}
        if len(cells) > 1:
            found.append(Column(name, "s_" + re.sub(r"\W", "_", name).lower()))
    return found[:MOST_COLUMNS]


def _cell(record: Record, name: str) -> tuple[str, bool] | None:
    settings = flat(record.method.settings)
    if name not in settings:
        return None
    return value_words(name, settings[name]), name in flat(record.method.settings_given)


def value_words(name: str, value: Any) -> str:
    """A setting's value for people: no quotes around a lone word.

    >>> value_words("reduction", "none"), value_words("dimension", None), value_words("sizes", [1, 2])
    ('none', 'not set', '[1, 2]')
    """
    return "not set" if value is None else word(name, value).partition("=")[2].strip('"')


def _further(row: Row, record: Record, columns: Iterable[Column]) -> str:
    """What a row says of itself besides its preset and the settings that have columns."""
    shown = {column.name for column in columns}
    text = f" {row.variant} "
    given = flat(record.method.settings_given)
    if record.method.preset and row.role == "method":
        text = text.replace(f" {record.method.preset} ", " ", 1)
    settings = flat(record.method.settings)
    for name in shown:
        for source in (given, settings):
            if name in source:
                for said in settings_words({name: source[name]}):
                    text = text.replace(f" {said} ", " ", 1)
    return text.strip()


def _untrained(board: Board, records: dict[str, Record]) -> dict[str, float]:
    """By a row's first run, the value of the same network untrained on the same data."""
    found: dict[Any, float] = {}
    for row in board.rows:
        if (of := imitates(records[row.runs[0]])) and not row.withdrawn:
            found.setdefault((*of, row.scored_on), row.value)
    values = {}
    for row in board.rows:
        part = records[row.runs[0]].method
        settings = json.dumps(part.settings, sort_keys=True)
        if (key := (part.id, part.version, settings, row.scored_on)) in found:
            values[row.runs[0]] = found[key]
    return values


def _scale(board: Board, untrained: dict[str, float], floor: Row | None) -> Scale:
    """One scale for all bars: from methods, their untrained networks and the best floor. An interval
    that is much wider than the values are apart ends at its ends."""
    standing = [row for row in board.rows if not row.withdrawn]
    chosen = [row for row in standing if row.role == "method"] or standing
    values = [row.value for row in chosen] + [*untrained.values()]
    values += [floor.value] if floor else []
    ends = [end for row in chosen for end in row.ci95 or ()]
    low, high = min(values), max(values)
    spread = (high - low) or abs(high) or 1.0
    return Scale.around(
        [*values, *(min(max(e, low - spread / 2), high + spread / 2) for e in ends)]
    )
