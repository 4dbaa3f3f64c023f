"""The page of all that papers report: a line for each board and metric, and the papers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmark.boards.sources import PublishedValue, all_papers
from benchmark.pages.boards import Board
from benchmark.pages.reported_tables import legend, words


@dataclass(frozen=True)
class PapersLine:
    """What is reported of one metric of a board: how many values, how they stand in words, the best of
    those that can be compared (None where none can), and beside how many a run of ours stands."""

    board: Board
    metric: str
    better: str
    count: int
    states: str
    best: PublishedValue | None
    compared: int
    sources: list[str]


def papers_page(boards: Iterable[Board]) -> dict[str, Any]:
    """The values of `papers.html`."""
    boards = list(boards)
    every = [one for board in boards for one in board.agreements]
    return {
        "lines": list(_lines(boards)),
        "count": len(every),
        "apart": sum(one.state == "not_comparable" for one in every),
        "legend": legend(every) if every else "",
        "papers": all_papers(),
    }


def _lines(boards: Iterable[Board]) -> Iterator[PapersLine]:
    for board in boards:
        metrics = dict.fromkeys(one.published.metric for one in board.agreements)
        for metric in metrics:
            some = [one for one in board.agreements if one.published.metric == metric]
            better = some[0].published.better
            sign = 1 if better == "lower" else -1
            states = Counter(words(one.state) for one in some)
            comparable = [one.published for one in some if one.state != "not_comparable"]
            yield PapersLine(
                board,
                metric,
                better,
                len(some),
                ", ".join(f"{number} {state}" for state, number in states.most_common()),
                min(comparable, key=lambda value: sign * value.value, default=None),
                sum(one.value is not None for one in some),
                sorted({one.published.source for one in some}),
            )
