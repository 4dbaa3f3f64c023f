"""What the page of a method says: what its records say it is, all its results, how it was run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmark.contracts.spec import MethodSpec
from benchmark.pages.boards import Board
from benchmark.pages.reported_shown import reported_shown
from benchmark.runner.request import command


def method_page(method: str, boards: list[Board], spec: MethodSpec | None = None) -> dict[str, Any]:
    """The values of `method.html`; `spec`, where it is known, says what the method is."""
    results = [(board, row) for board in boards for row in board.rows if row.method == method]
    records = [board.record[run] for board, row in results for run in row.runs]
    parts = [record.method for record in records]
    code = [record.code.plugin for record in records if record.code.plugin]
    failures = {check: why for part in parts for check, why in part.known_failures.items()}
    return {
        "id": method,
        "summary": spec.summary if spec else "",
        "paper": spec.paper if spec else "",
        "floors": {board.href: board.best("floor") for board, _ in results},
        "facts": [
            ("gives", _words(kind for part in parts for kind in part.gives)),
            ("role", _words(part.role for part in parts)),
            ("version", _words(str(part.version) for part in parts)),
            ("whose code", _words(part.origin for part in parts)),
            ("package", _words(f"{c.distribution} {c.version}".rstrip() for c in code)),
            ("supervision", _words(part.supervision for part in parts)),
            (
                "pretrained weights",
                _words(w["name"] for p in parts for w in p.pretrained) or "none",
            ),
            ("presets run", _words(part.preset for part in parts)),
            *((f"can't keep “{check}”", why) for check, why in failures.items()),
        ],
        "results": results,
        "command": command(next((r for r in records if not r.protocol.twin), records[0])),
        "reported": reported_shown(
            [one for b in boards for one in b.agreements if one.published.plugin == method]
        ),
        "any_labels": any(row.supervision != "none" for _, row in results),
        "data": sorted({board.data for board, _ in results}),
        "supervisions": sorted({row.supervision for _, row in results}),
    }


def _words(words: Iterable[str]) -> str:
    return ", ".join(sorted({word for word in words if word}))
