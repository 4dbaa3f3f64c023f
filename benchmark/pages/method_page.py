"""What the page of a method says: what it is, what it is shown, all its results, how to run it."""

from __future__ import annotations

from typing import Any

from benchmark.boards.words import flat
from benchmark.contracts.spec import DERIVED
from benchmark.pages.boards import Board
from benchmark.plugins import plugins
from benchmark.protocols import all_protocols


def method_page(method: str, boards: list[Board]) -> dict[str, Any]:
    """The values of `method.html`."""
    spec = plugins().methods.get(method)
    results = [(board, row) for board in boards for row in board.rows if row.method == method]
    records = [board.record[row.runs[0]] for board, row in results]
    gives = {kind for given in (spec.gives if spec else ()) for kind in _kinds(given)}
    return {
        "id": method,
        "spec": spec,
        "distribution": plugins().distribution.get(method, ""),
        "presets": [(name, flat(chosen)) for name, chosen in spec.presets.items()] if spec else [],
        "shown": sorted({r.method.supervision for r in records}),
        "weights": sorted({w["name"] for r in records for w in r.method.pretrained}),
        "results": results,
        "against": [one for b in boards for one in b.against if one.said.plugin == method],
        "any_labels": any(row.supervision != "none" for _, row in results),
        "data": sorted({board.data for board, _ in results}),
        "supervisions": sorted({row.supervision for _, row in results}),
        "protocols": [p for p in all_protocols() if gives & set(p.needs)],
        "hrefs": {b.protocol.name: b.href for b in sorted(boards, key=lambda b: not b.twin)},
    }


def _kinds(given: str) -> tuple[str, ...]:
    return (given, *DERIVED.get(given, ()))
