"""The page of all that papers report: a line for each board and metric, and the papers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmark.boards.sources import PublishedValue, all_papers
from benchmark.pages.boards import Board


@dataclass(frozen=True)
class PapersLine:
    """What is reported of one metric of a board: how many values, the best, and beside how many of them
    a run of ours stands."""

    board: Board
    metric: str
    better: str
    count: int
    best: PublishedValue
    compared: int
    sources: list[str]


def papers_page(boards: Iterable[Board]) -> dict[str, Any]:
    """The values of `papers.html`."""
    lines = list(_lines(boards))
    return {
        "lines": lines,
        "count": sum(line.count for line in lines),
        "papers": all_papers(),
    }


def _lines(boards: Iterable[Board]) -> Iterator[PapersLine]:
    for board in boards:
        metrics = dict.fromkeys(one.published.metric for one in board.agreements)
        for metric in metrics:
            some = [one for one in board.agreements if one.published.metric == metric]
            better = some[0].published.better
            sign = 1 if better == "lower" else -1
            yield PapersLine(
                board,
                metric,
                better,
                len(some),
                min((one.published for one in some), key=lambda value: sign * value.value),
                sum(one.value is not None for one in some),
                sorted({one.published.source for one in some}),
            )
