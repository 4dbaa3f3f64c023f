"""Which boards there are, and how each stands: its rows, and what papers report beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from benchmark.boards.entries import Entry, LeftOut, board_folder, read_entries
from benchmark.boards.reported import Agreement, agreements
from benchmark.boards.rows import Row, make_rows
from benchmark.home import builtin_folder
from benchmark.protocols import Metric, Protocol, is_frozen, versions_of

Kind = Literal["real", "draft", "reported", "twin"]

KINDS: dict[Kind, tuple[str, str]] = {
    "real": ("On real data", "Numbers that may be quoted, with their protocol and version."),
    "draft": (
        "On real data, drafts",
        "Their protocols are not frozen and may still change: numbers to work with, not to quote.",
    ),
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
    agreements: list[Agreement]

    @property
    def name(self) -> str:
        """ "ytf5@1", "ytf5@1 (twin)" or "mafl@1 (reported only)"."""
        words = {"twin": " (twin)", "reported": " (reported only)"}
        return f"{self.protocol.name}{words.get(self.kind, '')}"

    @property
    def folder(self) -> Path:
        return board_folder(self.protocol, twin=self.twin)

    @property
    def kind(self) -> Kind:
        """A board is "reported" without a record of ours, a "draft" while its protocol isn't frozen."""
        if self.twin:
            return "twin"
        if not self.folder.exists():
            return "reported"
        return "real" if is_frozen(self.protocol) else "draft"

    @property
    def scored(self) -> Protocol:
        """The protocol with what a twin is measured by, if it is one."""
        return self.protocol.scored(twin=self.twin)

    @property
    def headline(self) -> Metric:
        return self.scored.metrics[0]

    def best(self, role: str) -> Row | None:
        """The best row of a role that stands; of rows scored on different files, one of those on which
        most runs were. No method is named that is not ahead of the floors beside it."""
        standing = [row for row in self.rows if not row.withdrawn]
        runs: Counter[str] = Counter()
        for row in standing:
            runs[row.scored_on] += len(row.runs)
        most = max(runs, key=lambda data: runs[data], default="")
        there = [row for row in standing if row.scored_on == most and row.role != "ceiling"]
        found = next((row for row in there if row.role == role), None)
        floor = next((row for row in there if row.role == "floor"), None)
        if role == "method" and found and floor:
            sign = 1 if self.headline.better == "lower" else -1
            return found if sign * found.value < sign * floor.value else None
        return found

    @property
    def floor_words(self) -> str:
        """The best floor for people, an untrained network among floors; "" where there is none.

        Example: "random-features lead-small dimension=64, 8.92".
        """
        floor = self.best("floor")
        if floor is None:
            return ""
        return f"{floor.method} {floor.words}".rstrip() + f", {floor.value:.2f}"

    def how_sure(self, best: Row) -> str:
        """What to say beside the best method: whether it is ahead of the best floor beyond the interval,
        and whether its place among the methods is settled.

        "" where it is clearly the first; "the only one", "not decided" or "not clear of the best floor".
        """
        if best.over_floor is not None and not best.over_floor.clear:
            return "not clear of the best floor"
        others = [
            row
            for row in self.rows
            if row is not best
            and row.role == "method"
            and not row.withdrawn
            and row.scored_on == best.scored_on
        ]
        if not others:
            return "the only one"
        settled = best.rank == (1, 1) and all(row.rank for row in others)
        return "" if settled else "not decided"


def standings(protocols: Iterable[Protocol], *, requested: bool = False) -> list[Standing]:
    """The boards of these protocols that have a folder or reported values, real before twin.

    Boards that papers alone fill are those of bench's own protocols, and of others where they were
    `requested` for by name: a plugin that is installed adds none to an index.
    """
    return [board for board, _ in with_entries(protocols, requested=requested)]


def standing(protocol: Protocol, *, twin: bool) -> Standing:
    """One board by itself, without what papers report under its protocol."""
    return _read(protocol, twin=twin)[0]


def with_entries(
    protocols: Iterable[Protocol], *, requested: bool = False
) -> Iterator[tuple[Standing, list[Entry]]]:
    """The same, each with the records that it counts, which are many."""
    for protocol in protocols:
        twins, rendered = _read(protocol, twin=True)
        real, entries = _read(protocol, twin=False)
        on_twin = {r.method for r in twins.rows if not r.withdrawn}
        listed = requested or protocol.path.is_relative_to(builtin_folder())
        # what papers report under a protocol stands once, beside its newest version
        if real.kind != "reported" or (listed and versions_of(protocol)[-1] == protocol):
            real = replace(real, agreements=agreements(protocol, entries, on_twin))
        if real.kind != "reported" or real.agreements:
            yield real, entries
        if twins.folder.exists():
            yield twins, rendered


def _read(protocol: Protocol, *, twin: bool) -> tuple[Standing, list[Entry]]:
    entries, left_out = read_entries(protocol, twin=twin)
    rows = make_rows(protocol.scored(twin=twin), entries) if entries else []
    return Standing(protocol, twin, len(entries), rows, left_out, []), entries
