"""How sure the rows of a board are, and their differences, from what their records keep.

Seeds and groups of test items are the sources of error (`benchmark.metrics.uncertainty`). Rows scored on
the same items share them, so that a difference asks what the same items do to both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from benchmark.boards.entries import Entry
from benchmark.metrics.intervals import interval_of, resampled
from benchmark.metrics.uncertainty import Moves, Source, group_moves, over_items, over_seeds
from benchmark.records.claims import item_groups
from benchmark.records.model import Record

Entries = Sequence[Entry]


class Certainty:
    """What is known of the sources of error of one metric, over the records of a board.

    A record of schema 3 keeps no groups of its items; it takes those of another one that was scored on
    the same labels, and where none has them, each item is taken for a group of its own.
    """

    def __init__(self, metric: str, entries: Iterable[Entry] = ()) -> None:
        self.metric = metric
        self._aggregate = ""
        self._groups: dict[Any, np.ndarray | None] = {}
        self._errors: dict[str, np.ndarray] = {}
        self._runs: dict[Any, list[str]] = defaultdict(list)
        self._moves: dict[str, Moves] = {}
        for entry in entries:
            if entry.value(metric).aggregate != "single":
                self._take(entry, entry.all_errors())

    @classmethod
    def of_all(cls, metrics: Iterable[str], entries: Iterable[Entry]) -> dict[str, Certainty]:
        """Of several metrics, by their ids; the errors of each record are read once."""
        found = {metric: cls(metric) for metric in metrics}
        for entry in entries:
            itemised = [c for m, c in found.items() if entry.value(m).aggregate != "single"]
            errors = entry.all_errors() if itemised else {}
            for certainty in itemised:
                certainty._take(entry, errors)
        return found

    def _take(self, entry: Entry, errors: Mapping[str, np.ndarray]) -> None:
        value, items = entry.value(self.metric), self._items(entry.record)
        self._aggregate = value.aggregate
        self._errors[entry.record.run_id] = errors[self.metric]
        self._runs[items].append(entry.record.run_id)
        if value.groups is not None:
            self._groups[items] = item_groups(errors, value)

    def grouped(self, entry: Entry) -> bool:
        """Whether it is known which test items of this record belong together."""
        return self._items(entry.record) in self._groups

    def groups(self, entry: Entry) -> int:
        """How many groups the test items of this record are taken to be in."""
        groups = self._groups.get(self._items(entry.record))
        return len(self._errors[entry.record.run_id]) if groups is None else int(groups.max()) + 1

    def over_items_alone(self, entries: Entries) -> tuple[float, float] | None:
        """The bootstrap interval over groups of items of the mean over these seeds."""
        if not all(self._has(entry) for entry in entries):
            return None
        return interval_of(np.mean([self._drawn[e.record.run_id] for e in entries], axis=0))

    @cached_property
    def _drawn(self) -> dict[str, np.ndarray]:
        """(DRAWS,) by run; records scored on the same items share the draws, which are the dear part."""
        found: dict[str, np.ndarray] = {}
        for items, runs in self._runs.items():
            errors = [self._errors[run] for run in runs]
            table = resampled(errors, by=self._aggregate, groups=self._groups.get(items))
            found |= {run: table[:, i] for i, run in enumerate(runs)}
        return found

    def of_row(self, entries: Entries) -> list[Source]:
        """The sources of error of the mean over these seeds."""
        return [*self._seeds(self._values(entries)), *self._items_of(self._mean(entries))]

    def of_difference(self, first: Entries, second: Entries) -> list[Source]:
        """Those of a difference of two rows that were scored on the same items."""
        seeds = [s for side in (first, second) for s in self._seeds(self._values(side))]
        return [*seeds, *self.of_same_items(first, second)]

    def of_same_items(self, first: Entries, second: Entries) -> list[Source]:
        """Of these the items alone."""
        one, other = self._mean(first), self._mean(second)
        return [] if one is None or other is None else self._items_of(one - other)

    def of_pairs(self, first: Entries, second: Entries) -> list[Source]:
        """Those of the mean difference of runs with the same seeds, in the same order."""
        apart = np.subtract(self._values(first), self._values(second))
        return [*self._seeds(apart), *self.of_same_items(first, second)]

    def _items(self, record: Record) -> Any:
        test = record.data["test"]
        return test.pixels, test.labels

    def _has(self, entry: Entry) -> bool:
        return entry.record.run_id in self._errors

    def _values(self, entries: Entries) -> np.ndarray:
        return np.array([entry.value(self.metric).value for entry in entries])

    def _seeds(self, values: np.ndarray) -> list[Source]:
        return [over_seeds(values)] if len(values) > 1 else []

    def _mean(self, entries: Entries) -> Moves | None:
        """How the groups move the mean over these seeds; None where there are not two of them."""
        if not all(self._has(entry) for entry in entries):
            return None
        each = [self._of_run(entry) for entry in entries]
        known = [moves for moves in each if moves is not None]
        if len(known) < len(each):
            return None
        return Moves(np.mean([moves.by_group for moves in known], axis=0), known[0].freedom)

    def _of_run(self, entry: Entry) -> Moves | None:
        run = entry.record.run_id
        errors, groups = self._errors[run], self._groups.get(self._items(entry.record))
        if self.groups(entry) < 2:
            return None
        if run not in self._moves:
            self._moves[run] = group_moves(errors, by=self._aggregate, groups=groups)
        return self._moves[run]

    def _items_of(self, moves: Moves | None) -> list[Source]:
        return [] if moves is None else [over_items(moves)]
