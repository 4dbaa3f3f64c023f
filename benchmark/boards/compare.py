"""Two rows of one board, or two validation runs: how they differ, how surely, and where most."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmark.boards.certainty import Certainty
from benchmark.boards.entries import Entry
from benchmark.boards.finding import NamedRow, find_row, fitting, named_rows, validation_run
from benchmark.boards.rows import imitates
from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.metrics.aggregates import aggregate
from benchmark.metrics.uncertainty import Source, difference, interval, p_values
from benchmark.protocols import Protocol


@dataclass(frozen=True)
class Side:
    """The runs of one row: `name` for people, its seeds, and the mean over them."""

    name: str
    seeds: tuple[int, ...]
    value: float
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Comparison:
    """`difference` is first − second; `ci95` and `p` ask over `groups` of items alone, `seeds_ci95` and
    `seeds_p` over seeds as well (None where a side has one), both as `benchmark.metrics.uncertainty`
    says. `wins` is the share of items on which the first is better, ties counting half; `most` holds
    (item, first, second) where they differ most, either way.

    For metrics whose items are columns (a sum over joints, say) `wins` and `most` are empty. `on` says
    whether the items are of test or of validation images.
    """

    protocol: str
    twin: bool
    on: str
    metric: str
    unit: str
    better: str
    first: Side
    second: Side
    items: int
    groups: int
    difference: float
    ci95: tuple[float, float]
    p: float
    seeds_ci95: tuple[float, float] | None
    seeds_p: float | None
    wins: float | None
    most: tuple[tuple[int, float, float], ...]

    @property
    def where(self) -> str:
        """The board's name, or that of the protocol whose validation images were scored."""
        words = ["twin"] * self.twin + ["validation images"] * (self.on == "validation")
        return f"{self.protocol} ({', '.join(words)})" if words else self.protocol

    @property
    def clear(self) -> bool:
        """Whether the interval excludes zero: over seeds too where both sides have several."""
        low, high = self.seeds_ci95 or self.ci95
        return low > 0 or high < 0

    @property
    def verdict(self) -> str:
        """What may be said, for people."""
        better = "A" if (self.difference < 0) == (self.better == "lower") else "B"
        low, high = self.ci95
        if self.seeds_ci95:
            if self.clear:
                return f"{better} is clearly better"
            if low > 0 or high < 0:
                return f"no clear difference: with these seeds {better} is better, but others may not be"
            return "no clear difference"
        if not self.clear:
            return "no clear difference"
        lone = [n for n, side in zip("AB", (self.first, self.second), strict=True)
                if len(side.seeds) == 1]  # fmt: skip
        few = f"{lone[0]} has" if len(lone) == 1 else "both have"
        return f"{better} is clearly better with these seeds; {few} one seed, others may differ"


def compare(
    protocol: Protocol, first: str, second: str, *, twin: bool, metric: str = "", most: int = 5
) -> Comparison:
    """Compare two rows in the metric (the headline by default), averaged over each side's seeds.

    A row is named by its method, or "method:words" with the words that the board prints for it
    ("lead:64", "lead:small version 2") or other settings ("lead:batch=64"), or a run id's beginning.
    Both sides are paired by item; a method and its own network untrained also by seed, where both have
    the same. Raises `UnknownName` for what no row or several
    rows fit, `InvalidInput` for a metric without items, or items that differ.
    """
    board = named_rows(protocol, twin=twin)
    rows = [_row(protocol, name, board, twin=twin) for name in (first, second)]
    return _paired(rows, metric, most)


def compare_runs(first: str, second: str, *, metric: str = "", most: int = 5) -> Comparison:
    """Compare two runs that were scored on validation images, by prefixes of their ids.

    They stand on no board; what they left lies in `$BENCH_HOME/runs`. Raises as `compare` does, and
    `InvalidInput` for runs of different protocols, or of the same name with other content.
    """
    rows = [validation_run(name) for name in (first, second)]
    one, two = (row.entries[0].record.protocol for row in rows)
    if one != two:
        parts = [
            f"{row.entries[0].record.run_id[:8]} is of {p.id}@{p.version}{' (twin)' if p.twin else ''}"
            f", digest {p.digest[:8]}"
            for row, p in zip(rows, (one, two), strict=True)
        ]
        raise InvalidInput(
            f"runs of one protocol can be compared: {'; '.join(parts)}",
            cure="compare two of one protocol; where its file was changed, run both again",
        )
    return _paired(rows, metric, most)


def _paired(rows: list[NamedRow], metric: str, most: int) -> Comparison:
    groups = [row.entries for row in rows]
    first = groups[0][0].record
    metric = metric or first.headline.metric
    asked = next((v for v in first.metrics if v.metric == metric), None)
    if asked is None:
        raise UnknownName("metric", metric, [v.metric for v in first.metrics])
    if asked.aggregate == "single":
        itemised = [v.metric for v in first.metrics if v.aggregate != "single"]
        raise InvalidInput(
            f"{metric} is one number for all items; there is nothing to pair",
            cure=f"name one with items: --metric {itemised[0]}"
            if itemised
            else "the intervals and ranks of its board say what the seeds tell",
        )
    data = [{(n, d.pixels, d.labels) for e in g for n, d in e.record.data.items() if n == "test"}
            for g in groups]  # fmt: skip
    if data[0] != data[1]:
        raise InvalidInput("the two were scored on different files, so items can't be paired")
    if len({e.value(metric).version for g in groups for e in g}) > 1:
        raise InvalidInput(
            f"the two were scored by different versions of {metric}", cure="bench rescore --all"
        )
    certainty = Certainty(metric, (e for g in groups for e in g))
    errors = [[e.errors(metric) for e in g] for g in groups]
    sides = [_side(r, v, asked.aggregate) for r, v in zip(rows, errors, strict=True)]
    apart = difference(sides[0].value, sides[1].value)
    items = certainty.of_same_items(*groups)
    if not items:
        raise InvalidInput(
            f"all items of {metric} are one group, which tells nothing of others",
            cure="compare on a protocol whose test items are of several people (or objects)",
        )
    every: list[Source] = []
    if min(len(side.seeds) for side in sides) > 1:
        paired = _untrained(groups) and sides[0].seeds == sides[1].seeds
        every = (certainty.of_pairs if paired else certainty.of_difference)(*groups)
    wins: float | None = None
    far: tuple[tuple[int, float, float], ...] = ()
    if errors[0][0].ndim == 1:
        one, two = np.mean(errors[0], 0), np.mean(errors[1], 0)
        sign = 1 if asked.better == "lower" else -1
        gain = sign * (two - one)
        wins = float(((gain > 0) + 0.5 * (gain == 0)).mean())
        order = np.argsort(-np.abs(gain), kind="stable")[:most]
        far = tuple((int(i), float(one[i]), float(two[i])) for i in order)
    return Comparison(
        protocol=f"{first.protocol.id}@{first.protocol.version}",
        twin=first.protocol.twin,
        on=first.protocol.on,
        metric=metric,
        unit=asked.unit,
        better=asked.better,
        first=sides[0],
        second=sides[1],
        items=len(errors[0][0]),
        groups=certainty.groups(groups[0][0]),
        difference=apart,
        ci95=_ends(apart, items),
        p=p_values(np.array([apart]), [items])[0],
        seeds_ci95=_ends(apart, every) if every else None,
        seeds_p=p_values(np.array([apart]), [every])[0] if every else None,
        wins=wins,
        most=far,
    )


def board_of_both(
    first: str, second: str, protocols: Iterable[Protocol], *, twin: bool
) -> Protocol:
    """The one of these protocols on whose board both names stand for a row; refuses none and several."""
    boards = [(protocol, named_rows(protocol, twin=twin)) for protocol in protocols]
    there = {
        name: [p.name for p, rows in boards if len(fitting(rows, name)) == 1]
        for name in (first, second)
    }
    both = [p for p, _ in boards if all(p.name in names for names in there.values())]
    if len(both) == 1:
        return both[0]
    cure = "name the board: --protocol PROTOCOL (and --twin for its twin)"
    if both:
        names = ", ".join(protocol.name for protocol in both)
        raise InvalidInput(f"{first!r} and {second!r} are each a single row on {names}", cure=cure)
    for name in (first, second):
        if not there[name]:
            rows = [row for _, rows in boards for row in rows]
            elsewhere = _elsewhere(name, [p for p, _ in boards], twin=twin)
            find_row(rows, name, "any twin's board" if twin else "any board", elsewhere=elsewhere)
    boards_of_names = ", ".join(
        f"{name!r} on {' and '.join(names)}" for name, names in there.items()
    )
    raise InvalidInput(f"no board has a single row of both: {boards_of_names}", cure=cure)


def _row(protocol: Protocol, name: str, rows: list[NamedRow], *, twin: bool) -> NamedRow:
    elsewhere = "" if fitting(rows, name) else _elsewhere(name, [protocol], twin=twin)
    board = f"{protocol.name}{' (twin)' if twin else ''}"
    return find_row(rows, name, board, elsewhere=elsewhere)


def _elsewhere(name: str, protocols: list[Protocol], *, twin: bool) -> str:
    """Whether the other boards, twins' or real ones, have the row, and what to do then."""
    if not any(len(fitting(named_rows(p, twin=not twin), name)) == 1 for p in protocols):
        return ""
    if twin:
        return "the board on real data has it: leave --twin out"
    return "the twin's board has it: add --twin"


def _untrained(groups: list[tuple[Entry, ...]]) -> bool:
    """Whether one row is the network of the other untrained."""
    one, two = (group[0].record for group in groups)
    return any(
        imitates(a)
        == (b.method.id, b.method.version, json.dumps(b.method.settings, sort_keys=True))
        for a, b in ((one, two), (two, one))
    )


def _ends(apart: float, sources: list[Source]) -> tuple[float, float]:
    ends = interval(apart, sources)
    assert ends is not None  # there is a source
    return ends


def _side(row: NamedRow, errors: list[np.ndarray], by: str) -> Side:
    value = float(np.mean([aggregate(v, by) for v in errors]))
    return Side(row.name, tuple(e.record.seed for e in row.entries), value, row.entries)
