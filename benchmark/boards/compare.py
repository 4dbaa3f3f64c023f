"""Two rows of one board on the same test items: how they differ, how surely, and where most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmark.boards.entries import Entry, read_entries
from benchmark.boards.rows import Group, flat, variant_name
from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.metrics.aggregates import aggregate
from benchmark.metrics.intervals import difference_over_seeds, interval_of, resampled, two_sided_p
from benchmark.protocols import Protocol, all_protocols


@dataclass(frozen=True)
class Side:
    """The runs of one row: `name` for people, its seeds, and the mean over them."""

    name: str
    seeds: tuple[int, ...]
    value: float
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Comparison:
    """`difference` is first − second; `ci95` and `p` draw items alone, `seeds_ci95` and `seeds_p` ask
    over seeds as well (None where a side has one). `wins` is the share of items on which the first is
    better, ties counting half; `most` holds (item, first, second) where they differ most, either way.

    For metrics whose items are columns (a sum over joints, say) `wins` and `most` are empty.
    """

    protocol: str
    twin: bool
    metric: str
    unit: str
    better: str
    first: Side
    second: Side
    items: int
    difference: float
    ci95: tuple[float, float]
    p: float
    seeds_ci95: tuple[float, float] | None
    seeds_p: float | None
    wins: float | None
    most: tuple[tuple[int, float, float], ...]

    @property
    def clear(self) -> bool:
        """Whether the interval excludes zero: over seeds too where both sides have several."""
        ends = (self.ci95, self.seeds_ci95 or self.ci95)
        return all(low > 0 or high < 0 for low, high in ends)

    @property
    def verdict(self) -> str:
        """What may be said, for people."""
        better = "A" if (self.difference < 0) == (self.better == "lower") else "B"
        if self.clear and self.seeds_ci95:
            return f"{better} is clearly better"
        if self.clear:
            lone = "A" if len(self.first.seeds) == 1 else "B"
            return (
                f"{better} is clearly better on these items; {lone} has one seed, others may differ"
            )
        if self.ci95[0] > 0 or self.ci95[1] < 0:
            return f"no clear difference: {better} is better on these items, but other seeds may not be"
        return "no clear difference"


def compare(
    protocol: Protocol, first: str, second: str, *, twin: bool, metric: str = "", most: int = 5
) -> Comparison:
    """Compare two rows in the metric (the headline by default), averaged over each side's seeds.

    A row is named by its method, or "method:words" with words of its settings ("lead:64"; also those
    that its preset chose, "lead:batch=64"), or a run id's beginning. The draws are paired: both sides
    on the same items. Raises `UnknownName` for what no row or several rows fit, `InvalidInput` for a
    metric without items, or items that differ.
    """
    entries, _ = read_entries(protocol, twin=twin)
    protocol = protocol.scored(twin=twin)
    metric = metric or protocol.metrics[0].id
    asked = next((m for m in protocol.metrics if m.id == metric), None)
    if asked is None:
        raise UnknownName("metric", metric, [m.id for m in protocol.metrics])
    if asked.aggregate == "single":
        raise InvalidInput(f"{metric} is one number for all items; there is nothing to pair")
    groups = [_find(entries, name, protocol) for name in (first, second)]
    data = [{(n, d.pixels, d.labels) for e in g for n, d in e.record.data.items() if n == "test"}
            for g in groups]  # fmt: skip
    if data[0] != data[1]:
        raise InvalidInput("the two were scored on different files, so items can't be paired")
    if len({e.value(metric).version for g in groups for e in g}) > 1:
        raise InvalidInput(
            f"the two were scored by different versions of {metric}", cure="bench rescore --all"
        )
    errors = [[e.errors(metric) for e in g] for g in groups]
    table = resampled([*errors[0], *errors[1]], by=asked.aggregate)
    split = len(errors[0])
    drawn = table[:, :split].mean(1) - table[:, split:].mean(1)
    sides = [_side(g, v, asked.aggregate) for g, v in zip(groups, errors, strict=True)]
    over_seeds: tuple[tuple[float, float] | None, float | None] = (None, None)
    if min(len(side.seeds) for side in sides) > 1:
        mine, theirs = ([aggregate(v, asked.aggregate) for v in side] for side in errors)
        over_seeds = difference_over_seeds(mine, theirs, float(drawn.var(ddof=1)))
    wins: float | None = None
    far: tuple[tuple[int, float, float], ...] = ()
    if errors[0][0].ndim == 1:
        one, two = np.mean(errors[0], 0), np.mean(errors[1], 0)
        sign = 1 if asked.better == "lower" else -1
        gain = sign * (two - one)
        wins = float(((gain > 0) + 0.5 * (gain == 0)).mean())
        rows = np.argsort(-np.abs(gain), kind="stable")[:most]
        far = tuple((int(i), float(one[i]), float(two[i])) for i in rows)
    return Comparison(
        protocol=protocol.name,
        twin=twin,
        metric=metric,
        unit=asked.unit,
        better=asked.better,
        first=sides[0],
        second=sides[1],
        items=len(errors[0][0]),
        difference=sides[0].value - sides[1].value,
        ci95=interval_of(drawn),
        p=two_sided_p(drawn),
        seeds_ci95=over_seeds[0],
        seeds_p=over_seeds[1],
        wins=wins,
        most=far,
    )


def board_of_both(first: str, second: str, *, twin: bool) -> Protocol:
    """The one protocol on whose board both names stand for a row; refuses none and several."""
    found = []
    for protocol in all_protocols():
        entries, _ = read_entries(protocol, twin=twin)
        try:
            for name in (first, second):
                _find(entries, name, protocol)
        except UnknownName:
            continue
        found.append(protocol)
    if len(found) != 1:
        boards = ", ".join(protocol.name for protocol in found) or "no board"
        raise InvalidInput(
            f"{first!r} and {second!r} are each a single row on {boards}",
            cure="name the board: --protocol PROTOCOL (and --twin for its twin)",
        )
    return found[0]


def _side(entries: list[Entry], errors: list[np.ndarray], by: str) -> Side:
    record = entries[0].record
    name = f"{record.method.id} {variant_name(record)}".strip()
    value = float(np.mean([aggregate(v, by) for v in errors]))
    return Side(name, tuple(e.record.seed for e in entries), value, tuple(entries))


def _find(entries: list[Entry], name: str, protocol: Protocol) -> list[Entry]:
    by_run = [e for e in entries if len(name) >= 4 and e.record.run_id.startswith(name)]
    if len(by_run) == 1:
        return by_run
    method, _, words = name.partition(":")
    standing: dict[Group, list[Entry]] = defaultdict(list)
    for entry in entries:
        group = Group.of(entry.record)
        if not group.withdrawn and group.method == method:
            standing[group].append(entry)
    # words that no row's name has may be settings that a preset, or the method itself, chose
    groups = {key: g for key, g in standing.items() if _says(g[0], words)} or {
        key: g for key, g in standing.items() if _says(g[0], words, chosen=True)
    }
    # a row that says just these words is meant, even if others say them among more
    exact = [g for g in groups.values() if set(_split(words)) == _said(g[0])]
    fitting = exact if len(exact) == 1 else list(groups.values())
    if len(fitting) == 1:
        return sorted(fitting[0], key=lambda e: e.record.seed)
    known = _names(groups.values() if groups else [[e] for e in entries])
    raise UnknownName(
        f"single row of {protocol.name}",
        name,
        known,
        cure=("several rows fit: " if groups else "rows: ") + ", ".join(known),
    )


def _says(entry: Entry, words: str, *, chosen: bool = False) -> bool:
    """Whether each word is one of the variant's, or one of its values, or (if `chosen`) a setting."""
    said = _said(entry)
    if chosen:
        said |= {f"{k}={v}" for k, v in flat(entry.record.method.settings).items()}
    return set(_split(words)) <= said | {w.partition("=")[2] for w in _said(entry)}


def _said(entry: Entry) -> set[str]:
    return set(variant_name(entry.record).split())


def _split(words: str) -> list[str]:
    return words.replace(",", " ").split()


def _names(groups: Iterable[list[Entry]]) -> list[str]:
    names = {
        f"{g[0].record.method.id}:{variant_name(g[0].record).replace(' ', ',')}" for g in groups
    }
    return sorted(n.rstrip(":") for n in names)
