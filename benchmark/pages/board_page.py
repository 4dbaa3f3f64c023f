"""What the page of a board says: measure, data, rows, charts, constants, and the history of versions."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

from benchmark.boards.words import flat
from benchmark.contracts.errors import UnknownName
from benchmark.datasets.places import spec_of
from benchmark.metrics.catalogue import explained
from benchmark.pages.board_charts import board_charts
from benchmark.pages.boards import Board
from benchmark.pages.protocol_pages import AGGREGATES, differences, splits_of
from benchmark.pages.reported_tables import legend
from benchmark.pages.tables import EXTERNAL, external_methods, known_failures
from benchmark.probes.constants import constants
from benchmark.protocols import Protocol, versions_of


class Step(NamedTuple):
    """From one version of a protocol to the next: links to their boards where there are any."""

    before: str
    before_href: str
    after: str
    after_href: str
    reason: str
    changes: list[tuple[str, Any, Any]]


def board_page(board: Board, boards: list[Board]) -> dict[str, Any]:
    """The values of `board.html`."""
    protocol, scored = board.protocol, board.scored
    sources = {row.runs[0]: board.source(row) for row in board.rows}
    return {
        "board": board,
        "protocol": protocol,
        "metric": scored.metrics[0],
        "measured": [
            (m, explained(m.id, m.measure).formula, AGGREGATES[m.aggregate]) for m in scored.metrics
        ],
        "splits": splits_of(protocol),
        "datasets": [spec_of(name) for name in protocol.data.datasets()],
        "sources": sources,
        "any_reported": any(r.reported for r in board.rows),
        "any_labels": any(r.supervision != "none" for r in board.rows),
        "supervisions": sorted({r.supervision for r in board.rows}),
        "origins": sorted(set(sources.values())),
        "charts": board_charts(scored, board.rows, board.entries),
        "any_weights": any(r.weights for r in board.rows),
        "agreements": board.agreements,
        "legend": legend(board.agreements),
        "failures": known_failures(board.rows),
        "elsewhere": external_methods(board.rows),
        "elsewhere_words": EXTERNAL,
        "constants": _constants(scored),
        "history": _history(board, boards),
    }


def _constants(protocol: Protocol) -> list[tuple[str, Any]]:
    """Every field that counts, by name, and what the probes fill in where the file is silent."""
    left = {"id", "version", "title", "summary", "notes", "reported", "supersedes", "probes"}
    content: dict[str, Any] = protocol.model_dump(mode="json", exclude=left)
    for kind, probe in protocol.probes.items():
        try:
            filled = constants(probe.name, probe.settings)
        except UnknownName:
            filled = probe.settings
        content[f"probe of {kind}"] = {"name": probe.name, **filled}
    return [(k, v) for k, v in flat(content).items() if v not in ("", None, [], {})]


def _history(board: Board, boards: list[Board]) -> list[Step]:
    hrefs = {b.protocol.name: b.href for b in boards if b.twin == board.twin}
    versions = versions_of(board.protocol)
    return [
        Step(
            before.name,
            hrefs.get(before.name, ""),
            after.name,
            hrefs.get(after.name, ""),
            after.supersedes,
            [(key, old, new) for key, old, new, counts in differences(before, after) if counts],
        )
        for before, after in pairwise(versions)
    ]
