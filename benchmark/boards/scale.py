"""A row beside what gives its number a scale: floors, its own network untrained, the best method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benchmark.boards.rows import Row


@dataclass(frozen=True)
class Scale:
    """A row, the best floor beside it, the best method and the ceiling, scored on the same data.

    `sign` is 1 where lower is better, -1 where higher is.
    """

    row: Row
    floor: Row | None
    best: Row | None
    ceiling: Row | None
    sign: int

    @property
    def ahead(self) -> bool | None:
        """Whether the row is ahead of the best floor; None without one."""
        return None if self.floor is None else self.sign * (self.row.value - self.floor.value) < 0

    @property
    def clear(self) -> bool:
        """Whether it is ahead beyond the interval, as far as one is known."""
        return bool(self.ahead) and (self.row.over_floor is None or self.row.over_floor.clear)

    @property
    def training(self) -> Literal["", "better", "worse", "undecided"]:
        """What training made of the network, by the interval of "vs untrained"; "" where that lacks."""
        if self.row.floor is None:
            return ""
        ends = sorted((self.sign * self.row.floor.low, self.sign * self.row.floor.high))
        return "better" if ends[1] < 0 else "worse" if ends[0] > 0 else "undecided"


def scale(rows: Sequence[Row], run_id: str, better: str) -> Scale | None:
    """The scale of the row that a run is in, of a board's rows, the best first; None if in none."""
    row = next((row for row in rows if run_id in row.runs and not row.withdrawn), None)
    if row is None:
        return None
    beside = [r for r in rows if r.scored_on == row.scored_on and not r.withdrawn and r is not row]
    first = {r.role: r for r in reversed(beside)}
    return Scale(
        row,
        floor=first.get("floor"),
        best=first.get("method"),
        ceiling=first.get("ceiling"),
        sign=1 if better == "lower" else -1,
    )
