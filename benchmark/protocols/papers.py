"""What papers print, table by table: `reported/<paper>.toml` in a folder of protocols.

A file holds whole tables as they are printed, so that they can be held against the paper. A column says
which metric of which protocol it belongs to, if one measures it; rows may differ from their column.
Nothing here is part of a protocol's digest.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from benchmark.files import listed
from benchmark.protocols.data import Strict
from benchmark.protocols.files import Broken, broken_protocols, read_model
from benchmark.protocols.model import ProtocolInvalid, ReadFrom

FOLDER = "reported"
PRINTED = re.compile(r"(-?\d+(?:\.\d+)?)(?: ± (\d+(?:\.\d+)?))?")
"""A number as it is printed, with the spread behind it."""


class Column(Strict):
    """A column of numbers.

    `protocol` is "id" (all its versions) or "id@version"; a column without one says what is measured by
    `metric`, `unit` and `better` alone. A printed value times `times` is in the metric's unit. Where a
    column is a variant of the row's method, `variant` names it and `settings` join the row's.
    """

    head: str
    protocol: str = ""
    metric: str
    unit: str = ""
    better: Literal["lower", "higher"] = "lower"
    times: float = 1.0
    variant: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    tolerance: float | None = Field(default=None, gt=0)
    not_comparable: str = ""


class PaperRow(Strict):
    """A row: the method in the paper's words, and its numbers as printed ("-" where there is none).

    `plugin` is the method's id here, with the `preset` ("" for a run without one) and the
    `settings` that the numbers belong to. Where a table mixes
    conventions, `measured` says by a column's head "protocol:metric", or "" for no protocol, and
    `apart` why that one number can't be compared.
    """

    method: str
    values: tuple[str, ...]
    plugin: str = ""
    preset: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    measured: dict[str, str] = Field(default_factory=dict)
    apart: dict[str, str] = Field(default_factory=dict)
    not_comparable: str = ""


class PaperTable(Strict):
    """A table, or what a figure or a sentence says in numbers; `place` is "table 3.2", "appendix C"."""

    place: str
    title: str
    read_from: ReadFrom = "table"
    columns: tuple[Column, ...]
    rows: tuple[PaperRow, ...]
    not_comparable: str = ""

    @model_validator(mode="after")
    def _filled(self) -> PaperTable:
        heads = {column.head for column in self.columns}
        for row in self.rows:
            if len(row.values) != len(self.columns):
                raise ValueError(
                    f"{self.place}, {row.method}: {len(row.values)} values for {len(heads)} columns"
                )
            if unknown := (row.measured.keys() | row.apart.keys()) - heads:
                raise ValueError(f"{self.place}, {row.method}: no column {sorted(unknown)[0]!r}")
            for text in row.values:
                if text != "-" and not PRINTED.fullmatch(text):
                    raise ValueError(f"{self.place}, {row.method}: {text!r} is no number")
        return self


class Paper(Strict):
    """A paper, short name first ("Karmali 2022"); `silent` names its tables that hold no results."""

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    name: str
    title: str
    notes: str = ""
    silent: dict[str, str] = Field(default_factory=dict)
    tables: tuple[PaperTable, ...] = ()


@dataclass(frozen=True)
class PaperValue:
    """One number of a paper, in the unit of its metric, with everything that is said of it."""

    source: str
    place: str
    read_from: ReadFrom
    method: str
    plugin: str
    preset: str
    settings: Mapping[str, Any]
    unit: str
    better: str
    tolerance: float | None
    protocol: str
    metric: str
    value: float
    spread: float | None
    not_comparable: str


def read_paper(path: Path) -> Paper:
    """Read and check one file; its name must be the paper's id."""
    paper = read_model(path, Paper)
    if paper.id != path.stem:
        raise ProtocolInvalid(f"{path} says {paper.id}", cure=f"name it {paper.id}.toml")
    return paper


@cache
def papers(folder: Path) -> tuple[Paper, ...]:
    """The papers of a folder of protocols that can be read, by id; `broken_papers` has the others."""
    return tuple(found for found in _read(folder) if isinstance(found, Paper))


def broken_papers(folder: Path) -> list[Broken]:
    """The papers of a folder that are refused, each alone."""
    return [found for found in _read(folder) if isinstance(found, Broken)]


def broken_files(folders: tuple[Path, ...]) -> list[Broken]:
    """All that is refused alone in these folders of protocols."""
    return [*broken_protocols(folders), *(b for folder in folders for b in broken_papers(folder))]


def _read(folder: Path) -> Iterator[Paper | Broken]:
    for path in listed(folder / FOLDER, "*.toml"):
        try:
            yield read_paper(path)
        except ProtocolInvalid as error:
            yield Broken(f"{FOLDER}/{path.stem}", path, error)


def values(paper: Paper) -> Iterator[PaperValue]:
    """Every number of a paper, table by table, row by row."""
    for table in paper.tables:
        for row in table.rows:
            for column, text in zip(table.columns, row.values, strict=True):
                if (printed := PRINTED.fullmatch(text)) is None:
                    continue
                reasons = (
                    table.not_comparable,
                    column.not_comparable,
                    row.not_comparable,
                    row.apart.get(column.head, ""),
                )
                spread = float(printed[2]) * column.times if printed[2] else None
                measured = f"{column.protocol}:{column.metric}" if column.protocol else ""
                protocol, _, metric = row.measured.get(column.head, measured).partition(":")
                yield PaperValue(
                    source=paper.name,
                    place=table.place,
                    read_from=table.read_from,
                    method=f"{row.method} ({column.variant})" if column.variant else row.method,
                    plugin=row.plugin,
                    preset=row.preset,
                    settings={**row.settings, **column.settings} if row.plugin else {},
                    unit=column.unit,
                    better=column.better,
                    tolerance=column.tolerance,
                    protocol=protocol,
                    metric=metric or column.metric,
                    value=round(float(printed[1]) * column.times, 10),
                    spread=spread,
                    not_comparable="; ".join(dict.fromkeys(r for r in reasons if r)),
                )


@cache
def by_protocol(folder: Path) -> Mapping[str, list[PaperValue]]:
    """The numbers of a folder's papers by the protocol they name ("" for none)."""
    found: dict[str, list[PaperValue]] = defaultdict(list)
    for paper in papers(folder):
        for value in values(paper):
            found[value.protocol].append(value)
    return dict(found)
