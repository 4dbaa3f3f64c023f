"""What a row says of its numbers: each metric with its interval, and how far it is from floors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Floor(NamedTuple):
    """The difference to the same network untrained, with its 95 % interval, paired by seed over the
    `seeds` that both were run with, of the row's `of`."""

    value: float
    low: float
    high: float
    seeds: int
    of: int

    @property
    def over(self) -> str:
        """ "over 1 of 3 seeds" where some of the row's have no pair, which its value counts; else ""."""
        return f"over {self.seeds} of {self.of} seeds" if self.seeds < self.of else ""

    def __str__(self) -> str:
        """ "-1.88 (-2.52 to -1.24)", with * where there is one seed, and what `over` says."""
        ends = f"({self.low:+.2f} to {self.high:+.2f}){'*' * (self.seeds == 1)}"
        return f"{self.value:+.2f} {ends} {self.over}".rstrip()


class Gain(NamedTuple):
    """How much better a method is than the best floor beside it (negative: worse), in the metric's unit,
    and the 95 % interval of that over seeds and items, with one seed over items alone; `ends` None where
    no source of error is known. `marks` are those of the row's own interval."""

    value: float
    ends: tuple[float, float] | None
    marks: str = ""

    @property
    def clear(self) -> bool:
        """Whether it is better beyond the interval, or better where there is none."""
        return (self.ends[0] if self.ends else self.value) > 0

    def __str__(self) -> str:
        """ "+1.02 (-0.34 to +2.38)"."""
        ends = " ({:+.2f} to {:+.2f})".format(*self.ends) if self.ends else ""
        return f"{self.value:+.2f}{ends}{self.marks if ends else ''}"


@dataclass(frozen=True)
class Measured:
    """A metric of a row: its mean over seeds, in its unit, and its 95 % interval, found as the row's."""

    metric: str
    value: float
    ci95: tuple[float, float] | None

    @property
    def half(self) -> float | None:
        """The longer half of the interval, which is cut where the metric ends: 44 (0 to 100) has 56."""
        return max(self.value - self.ci95[0], self.ci95[1] - self.value) if self.ci95 else None
