"""What the page of a board says: measure, data, rows, charts, constants, and the history of versions."""

from __future__ import annotations

from typing import Any

from benchmark.datasets.places import spec_of
from benchmark.pages.board_charts import board_charts
from benchmark.pages.boards import Board
from benchmark.pages.protocol_facts import AGGREGATES, fields, formula, history, sections, splits_of
from benchmark.pages.reported_tables import legend
from benchmark.pages.tables import EXTERNAL, external_methods, known_failures
from benchmark.protocols import versions_of


def board_page(board: Board, boards: list[Board]) -> dict[str, Any]:
    """The values of `board.html`."""
    protocol, scored = board.protocol, board.scored
    sources = {row.runs[0]: board.source(row) for row in board.rows}
    return {
        "board": board,
        "protocol": protocol,
        "metric": scored.metrics[0],
        "measured": [(m, formula(m), AGGREGATES[m.aggregate]) for m in scored.metrics],
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
        "constants": fields(sections(scored)),
        "history": history(versions_of(protocol)),
        "hrefs": {b.protocol.name: b.href for b in boards if b.twin == board.twin},
    }
