"""Which boards there are, and how each stands: its rows, and what papers report beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from benchmark.boards.entries import Entry, LeftOut, board_folder, read_entries
from benchmark.boards.reported import Against, against
from benchmark.boards.rows import Row, make_rows
from benchmark.protocols import Metric, Protocol, all_protocols

Kind = Literal["real", "reported", "twin"]

KINDS: dict[Kind, tuple[str, str]] = {
    "real": ("On real data", "Numbers that may be quoted, with their protocol and version."),
    "reported": (
        "Reported in papers only",
        "No run of these is here yet; the numbers are what papers print.",
    ),
    "twin": (
        "On twins",
        "Rendered stand-ins with the same schema: they show that a path works, nothing about real "
        "images.",
    ),
}
"""What a board can be: heading and sentence of its section in an index."""


@dataclass(frozen=True)
class Standing:
    """A board as it stands: its rows, how many runs they are made from, why others are left out, and
    what is reported under its protocol (beside real data alone)."""

    protocol: Protocol
    twin: bool
    runs: int
    rows: list[Row]
    left_out: list[LeftOut]
    against: list[Against]

    @property
    def name(self) -> str:
        """ "ytf5@1", "ytf5@1 (twin)" or "mafl@1 (reported only)"."""
        words = {"real": "", "twin": " (twin)", "reported": " (reported only)"}
        return f"{self.protocol.name}{words[self.kind]}"

    @property
    def folder(self) -> Path:
        return board_folder(self.protocol, twin=self.twin)

    @property
    def kind(self) -> Kind:
        """ "reported" is a board that holds no record of ours."""
        return "twin" if self.twin else "real" if self.folder.exists() else "reported"

    @property
    def scored(self) -> Protocol:
        """The protocol with what a twin is measured by, if it is one."""
        return self.protocol.scored(twin=self.twin)

    @property
    def headline(self) -> Metric:
        return self.scored.metrics[0]


def standings(protocols: Iterable[Protocol] | None = None) -> list[Standing]:
    """Every board that has a folder or reported values, real before twin, each read once."""
    return [board for board, _ in with_entries(protocols)]


def with_entries(
    protocols: Iterable[Protocol] | None = None,
) -> Iterator[tuple[Standing, list[Entry]]]:
    """The same, each with the records that it counts, which are many."""
    known = all_protocols()
    newest = {protocol.id: protocol for protocol in known}
    for protocol in known if protocols is None else protocols:
        twins, rendered = _read(protocol, twin=True)
        real, entries = _read(protocol, twin=False)
        on_twin = {r.method for r in twins.rows if not r.withdrawn}
        # what papers report under a protocol stands once, beside its newest version
        if real.kind == "real" or newest[protocol.id] == protocol:
            real = replace(real, against=against(protocol, entries, on_twin))
        if real.kind == "real" or real.against:
            yield real, entries
        if twins.folder.exists():
            yield twins, rendered


def _read(protocol: Protocol, *, twin: bool) -> tuple[Standing, list[Entry]]:
    entries, left_out = read_entries(protocol, twin=twin)
    rows = make_rows(protocol.scored(twin=twin), entries) if entries else []
    return Standing(protocol, twin, len(entries), rows, left_out, []), entries
