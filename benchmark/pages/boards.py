"""A board as the site shows it: its protocol, records and rows, and where its page lies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from benchmark.boards.entries import Entry, LeftOut, read_entries
from benchmark.boards.reported import Against, against
from benchmark.boards.rows import Row, make_rows
from benchmark.contracts.record import Record
from benchmark.protocols import Protocol, all_protocols


@dataclass(frozen=True)
class Board:
    """A board on the site; `left_out` says which records it does not count, and why, `against` what is
    reported under its protocol beside real data."""

    protocol: Protocol
    twin: bool
    entries: list[Entry]
    rows: list[Row]
    left_out: list[LeftOut]
    against: list[Against]

    @property
    def name(self) -> str:
        words = {"real": "", "twin": " (twin)", "reported": " (reported only)"}
        return f"{self.protocol.name}{words[self.state]}"

    @property
    def href(self) -> str:
        twin = "-twin" if self.twin else ""
        return f"boards/{self.protocol.id}-{self.protocol.version}{twin}.html"

    @property
    def metric(self) -> str:
        return self.scored.metrics[0].id

    @property
    def scored(self) -> Protocol:
        """The protocol with what a twin is measured by, if it is one."""
        return self.protocol.scored(twin=self.twin)

    @property
    def state(self) -> str:
        """ "real", "twin", or "reported" where there are no runs."""
        return "twin" if self.twin else "real" if self.entries else "reported"

    @property
    def data(self) -> str:
        """The test images' data set."""
        return self.protocol.data.test.partition(":")[0]

    def best(self, role: str) -> Row | None:
        """The best row of a role that stands."""
        return next((r for r in self.rows if r.role == role and not r.withdrawn), None)

    @cached_property
    def record(self) -> dict[str, Record]:
        """Records by run id."""
        return {entry.record.run_id: entry.record for entry in self.entries}

    def source(self, row: Row) -> str:
        """The tree of files that a row was scored on, as its record names it."""
        part = self.record[row.runs[0]].data.get("test")
        return part.source or part.split if part else ""


def all_boards() -> list[Board]:
    """Every board with records, and those of real data with values that papers report."""
    found = []
    for protocol in all_protocols():
        real, twins = (read_entries(protocol, twin=twin) for twin in (False, True))
        beside = against(protocol, real[0], {entry.record.method.id for entry in twins[0]})
        for twin, (entries, left_out) in ((False, real), (True, twins)):
            if entries or left_out or (not twin and beside):
                rows = make_rows(protocol.scored(twin=twin), entries) if entries else []
                beside = [] if twin else beside
                found.append(Board(protocol, twin, entries, rows, left_out, beside))
    return found
