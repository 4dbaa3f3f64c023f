"""What a site's search finds: boards, methods, metrics, and what its documentation holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from benchmark.metrics.catalogue import CATALOGUE
from benchmark.pages.boards import Board
from benchmark.pages.links import Links
from benchmark.pages.prose import sentence
from benchmark.pages.protocol_facts import formula
from benchmark.protocols import Metric

BOARD, METHOD, OTHER, DETAIL = range(4)
"""Ranks: of hits that fit alike the lower comes first, and a detail comes after all that is none."""


class Found(NamedTuple):
    """One thing that can be found: its title, what kind of thing it is, a sentence about it, where it
    stands, from the site's root, and its `rank` among hits: `BOARD`, `METHOD`, `OTHER` or `DETAIL`."""

    title: str
    kind: str
    words: str
    href: str
    rank: int = OTHER

    @property
    def letter(self) -> str:
        """Under what it stands in an index: a capital of the alphabet, or "0–9" for all else.

        >>> Found("“mean-shape”", "method", "", "").letter, Found("300-W", "data set", "", "").letter
        ('M', '0–9')
        """
        first = next((c for c in self.title.upper() if c.isalnum()), "")
        return first if "A" <= first <= "Z" else "0–9"


MOST_WORDS = 160
"""Characters of the sentence that stands beside a title."""

BOARDS = {
    "real": "board",
    "draft": "board of a draft",
    "reported": "reported values",
    "twin": "board of a twin",
}
"""What a board is called, by its kind."""


def search_page(
    boards: Sequence[Board], documents: Iterable[Found], links: Links
) -> dict[str, Any]:
    """The values of `search.html`: all that can be found, by letter."""
    found = {*_boards(boards), *_methods(boards), *_metrics(boards, links), *documents}
    every = sorted(
        (one._replace(words=shortened(one.words)) for one in found),
        key=lambda one: (one.letter == "0–9", one.letter, one.title.lower(), one),
    )
    letters = [(letter, list(some)) for letter, some in groupby(every, lambda one: one.letter)]
    return {"letters": letters, "count": len(every)}


def shortened(words: str) -> str:
    """A text of one line, cut between words where it is long.

    >>> shortened("a " * 100)[-5:]
    ' a a…'
    """
    words = " ".join(words.split())
    if len(words) <= MOST_WORDS:
        return words
    return words[:MOST_WORDS].rpartition(" ")[0].rstrip(",;:.") + "…"


def _boards(boards: Iterable[Board]) -> Iterator[Found]:
    for board in boards:
        words = sentence("by " + ", ".join(dict.fromkeys(m.measured for m in board.scored.metrics)))
        if not board.twin:  # its images are not those that the summary counts
            words += f" {sentence(board.protocol.summary)}"
        title = f"{board.name}: {board.protocol.title}"
        current = board.newest.version == board.protocol.version
        rank = OTHER if board.twin else BOARD if current else METHOD
        yield Found(title, BOARDS[board.kind], words, board.href, rank)


def _methods(boards: Iterable[Board]) -> Iterator[Found]:
    names: dict[str, set[str]] = {}
    roles: dict[str, str] = {}
    for board in boards:
        for row in board.rows:
            names.setdefault(row.method, set()).add(board.protocol.id)
            roles[row.method] = row.role
    for name, on in names.items():
        words = f"On {', '.join(sorted(on))}."
        yield Found(name, roles[name], words, f"methods/{name}.html", METHOD)


def _metrics(boards: Iterable[Board], links: Links) -> Iterator[Found]:
    """Each measure once: where the documentation explains all, or where the first board says it."""
    first: dict[str, tuple[Metric, Board]] = {}
    for board in boards:
        for metric in board.scored.metrics:
            first.setdefault(metric.measured, (metric, board))
    for name, (metric, board) in first.items():
        documented = links.docs and name in CATALOGUE
        href = (
            f"{links.page('reference/metrics')}#{name}" if documented else f"{board.href}#measured"
        )
        yield Found(name, "metric", sentence(formula(metric)), href)
