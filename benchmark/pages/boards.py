"""A board as the site shows it: how it stands, its records, and where its page lies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from benchmark.boards.entries import Entry
from benchmark.boards.rows import Row
from benchmark.boards.standings import Standing, with_entries
from benchmark.protocols import Protocol, versions_of
from benchmark.records.model import Record


@dataclass(frozen=True)
class Board(Standing):
    """A board on the site, with the records that it counts."""

    entries: list[Entry]

    @property
    def href(self) -> str:
        twin = "-twin" if self.twin else ""
        return f"boards/{self.protocol.id}-{self.protocol.version}{twin}.html"

    @property
    def metric(self) -> str:
        return self.headline.id

    @property
    def data(self) -> str:
        """The test images' data set."""
        return self.protocol.data.test.partition(":")[0]

    @property
    def stem(self) -> str:
        """Its page's place without the ending, for the files beside it."""
        return self.href.removesuffix(".html")

    @property
    def newest(self) -> Protocol:
        """The newest version of its protocol: another one, where this one is superseded."""
        return versions_of(self.protocol)[-1]

    @cached_property
    def entry(self) -> dict[str, Entry]:
        """Records with their files, by run id."""
        return {entry.record.run_id: entry for entry in self.entries}

    @cached_property
    def row(self) -> dict[str, Row]:
        """The row that each run is part of, by run id."""
        return {run: row for row in self.rows for run in row.runs}

    @cached_property
    def record(self) -> dict[str, Record]:
        """Records by run id."""
        return {entry.record.run_id: entry.record for entry in self.entries}

    def source(self, row: Row) -> str:
        """The tree of files that a row was scored on, as its record names it."""
        part = self.record[row.runs[0]].data.get("test")
        return part.source or part.split if part else ""


def boards_of(protocols: Iterable[Protocol], *, requested: bool = False) -> list[Board]:
    """The boards of these protocols with records, and those of real data with values that papers
    report (`benchmark.boards.standings.standings`)."""
    return [
        Board(**vars(standing), entries=entries)
        for standing, entries in with_entries(protocols, requested=requested)
    ]
