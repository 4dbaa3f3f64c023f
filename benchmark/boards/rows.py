"""From records to the rows of a board: seeds together, intervals, and the distance to the floor."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

from benchmark.boards.entries import Entry
from benchmark.boards.sources import Said, said_of
from benchmark.boards.words import flat, settings_words
from benchmark.contracts.record import Record
from benchmark.metrics.intervals import (
    difference_over_seeds,
    hierarchical_interval,
    holm,
    interval_of,
    resampled,
)
from benchmark.plugins import plugins
from benchmark.protocols import Protocol


@dataclass(frozen=True)
class Row:
    """One method with one choice of settings on one board.

    `value` is the mean over seeds of the headline. Three intervals of 95 %, kept apart: `ci_items`
    bootstraps test items (None where the metric is one number for all items), `ci_seeds` is the
    t-interval over seeds (two or more), `ci95` draws both. `rank` is one more than the number of
    methods that are better over seeds and items beyond Holm's correction; None for single seeds, floors
    and ceilings.
    `floor` compares with the same network untrained: mean difference and its paired bootstrap
    interval over test items, over the seeds that both sides have. `supervision` are the labels a method
    saw, `weights` the pretrained ones it took, `known_failures` the checks of the contract that its
    plugin says it can't pass, with the reasons.
    """

    method: str
    variant: str
    role: str
    value: float
    ci95: tuple[float, float] | None
    ci_items: tuple[float, float] | None
    ci_seeds: tuple[float, float] | None
    seeds: tuple[int, ...]
    items: int
    supervision: str
    seconds: float
    withdrawn: str
    floor: tuple[float, float, float] | None
    reported: tuple[float, str, str] | None
    runs: tuple[str, ...]
    weights: tuple[str, ...] = ()
    known_failures: tuple[tuple[str, str], ...] = ()
    rank: int | None = None

    def interval(self) -> str:
        """For people: "6.95 to 7.13", with * where there is one seed."""
        if self.ci95 is None:
            return ""
        low, high = self.ci95
        return f"{low:.2f} to {high:.2f}" + ("*" if len(self.seeds) == 1 else "")


@dataclass(frozen=True, order=True)
class Group:
    """What runs must share to stand in one row: only their seeds may differ.

    `data` holds the digests of pixels and labels they were scored on, `corrected` the metrics that were
    not scored by their first version. Withdrawn runs stand apart, so that they neither count in a mean
    nor strike what still stands.
    """

    method: str
    version: int
    settings: str
    data: tuple[tuple[str, str, str], ...]
    corrected: tuple[tuple[str, int], ...]
    withdrawn: bool

    @property
    def comparable(self) -> tuple[object, ...]:
        """What two groups must share for their errors to be paired."""
        return self.data, self.corrected

    @classmethod
    def of(cls, record: Record) -> Group:
        scored = sorted((n, d.pixels, d.labels) for n, d in record.data.items() if n != "fit")
        return cls(
            record.method.id,
            record.method.version,
            json.dumps(record.method.settings, sort_keys=True),
            tuple(scored),
            tuple(sorted((v.metric, v.version) for v in record.metrics if v.version > 1)),
            any(edit.action == "withdrawn" for edit in record.edits),
        )


def grouped(entries: Iterable[Entry]) -> dict[Group, list[Entry]]:
    """The records of each row, by their seeds."""
    groups: dict[Group, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda e: e.record.seed):
        groups[Group.of(entry.record)].append(entry)
    return dict(groups)


def make_rows(protocol: Protocol, entries: list[Entry]) -> list[Row]:
    """Rows sorted from best to worst, withdrawn ones last."""
    groups = grouped(entries)
    board = _Board(protocol, groups)
    rows = {key: _row(board, key) for key in sorted(groups)}
    ranks = _ranks(board, rows)
    sign = 1 if protocol.metrics[0].better == "lower" else -1
    return sorted(
        (replace(row, rank=ranks.get(key)) for key, row in rows.items()),
        key=lambda r: (bool(r.withdrawn), sign * r.value, r.method, r.variant),
    )


@dataclass(frozen=True)
class _Board:
    """The groups of a board, and its headline drawn over test items for every record."""

    protocol: Protocol
    groups: dict[Group, list[Entry]]

    @property
    def metric(self) -> str:
        return self.protocol.metrics[0].id

    @cached_property
    def said(self) -> list[Said]:
        """What is reported under the protocol."""
        return said_of(self.protocol)

    @cached_property
    def drawn(self) -> dict[str, np.ndarray]:
        """(DRAWS,) by run id; records scored on the same items share the draws."""
        by = self.protocol.metrics[0].aggregate
        if by == "single":
            return {}
        same: dict[int, list[tuple[str, np.ndarray]]] = defaultdict(list)
        for entry in (e for group in self.groups.values() for e in group):
            errors = entry.errors(self.metric)
            same[len(errors)].append((entry.record.run_id, errors))
        found: dict[str, np.ndarray] = {}
        for pairs in same.values():
            table = resampled([errors for _, errors in pairs], by=by)
            found |= {run: table[:, i] for i, (run, _) in enumerate(pairs)}
        return found

    @cached_property
    def untrained(self) -> dict[Any, Group]:
        """The runs of an untrained network, by what they imitate and what they were scored on."""
        found: dict[Any, Group] = {}
        for key in self.groups:
            if key.method == "random-features" and not key.withdrawn:
                imitated = json.loads(key.settings)
                settings = json.dumps(imitated["settings"], sort_keys=True)
                which = (imitated["of"], imitated.get("version", 1), settings, key.comparable)
                found.setdefault(which, key)
        return found

    @cached_property
    def words(self) -> dict[Group, tuple[str, ...]]:
        """What each row says of itself."""
        return row_words(self.groups, self.metric)

    def seeds(self, key: Group, only: Container[int] | None = None) -> np.ndarray | None:
        """(DRAWS, S) of a group, in the order of its seeds (`only` some of them)."""
        chosen = [e.record for e in self.groups[key] if only is None or e.record.seed in only]
        if not self.drawn or not chosen:
            return None
        return np.stack([self.drawn[record.run_id] for record in chosen], axis=1)


def _ranks(board: _Board, rows: dict[Group, Row]) -> dict[Group, int]:
    """One more than the number of methods that are better, over seeds and items, beyond Holm's
    correction over all pairs."""
    ranked = [
        k for k, r in rows.items() if r.role == "method" and len(r.seeds) > 1 and not r.withdrawn
    ]
    values = {k: [e.value(board.metric).value for e in board.groups[k]] for k in ranked}
    means = {k: s.mean(1) for k in ranked if (s := board.seeds(k)) is not None}
    pairs = [(a, b) for a, b in combinations(ranked, 2) if a.comparable == b.comparable]
    # a draw may leave a joint without a visible image: it has no value, as in every other interval
    items = {(a, b): float(np.nanvar(means[a] - means[b], ddof=1)) for a, b in pairs if means}
    found = [difference_over_seeds(values[a], values[b], items.get((a, b), 0.0)) for a, b in pairs]
    adjusted = holm([p for _, p in found])
    sign = 1 if board.protocol.metrics[0].better == "lower" else -1
    ranks = dict.fromkeys(ranked, 1)
    for (a, b), p in zip(pairs, adjusted, strict=True):
        if p < 0.05:
            worse = a if sign * (rows[a].value - rows[b].value) > 0 else b
            ranks[worse] += 1
    return ranks


def variant_name(record: Record) -> str:
    """Preset and given settings, for people: "small dimension=128"."""
    words = [record.method.preset, *settings_words(record.method.settings_given)]
    return " ".join(w for w in words if w)


def row_words(groups: Mapping[Group, Sequence[Entry]], metric: str) -> dict[Group, tuple[str, ...]]:
    """What each row of a board says besides its method: preset and given settings; of other settings
    those in which it differs from rows of the same name; version, data and version of the metric where
    they tell rows apart; and that it saw images it is scored on, where its protocol allows that."""
    differing = _differing(groups)
    by_data, by_version = (
        len({getattr(key, name) for key in groups}) > 1 for name in ("data", "corrected")
    )
    found = {}
    for key, entries in groups.items():
        record = entries[0].record
        words = [record.method.preset, *settings_words(record.method.settings_given)]
        words += differing[key]
        words.append(f"version {key.version}" if key.version > 1 else "")
        if by_data:
            test = record.data["test"]
            words.append(f"on {test.source or 'data'} {test.pixels[:6]}")
        if by_version:
            words.append(f"scored by version {entries[0].value(metric).version}")
        if shared := max(part.shared for e in entries for part in e.record.data.values()):
            words.append(f"{shared} of the scored images seen")
        found[key] = tuple(w for w in words if w)
    return found


def _differing(groups: Mapping[Group, Sequence[Entry]]) -> dict[Group, list[str]]:
    """What rows of one name must say besides: settings that neither names and that differ."""
    alike: dict[tuple[str, int, str], list[Group]] = defaultdict(list)
    for key, entries in groups.items():
        alike[key.method, key.version, variant_name(entries[0].record)].append(key)
    found: dict[Group, list[str]] = {}
    for keys in alike.values():
        settings = [flat(json.loads(key.settings)) for key in keys]
        every = sorted({name for one in settings for name in one})
        names = [n for n in every if any(one.get(n) != settings[0].get(n) for one in settings)]
        for key, one in zip(keys, settings, strict=True):
            found[key] = [f"{n}={one[n]}" for n in names if n in one]
    return found


def over_seeds(numbers: np.ndarray) -> tuple[float, float] | None:
    """The 95 % t-interval of the mean over seeds; None for a single one."""
    if len(numbers) < 2:
        return None
    spread = numbers.std(ddof=1) / np.sqrt(len(numbers))
    half = stats.t.ppf(0.975, len(numbers) - 1) * spread
    return float(numbers.mean() - half), float(numbers.mean() + half)


def _row(board: _Board, key: Group) -> Row:
    group = board.groups[key]
    first = group[0].record
    values = [e.value(board.metric) for e in group]
    numbers = np.array([v.value for v in values])
    drawn = board.seeds(key)
    between = over_seeds(numbers)
    spec = plugins().methods.get(key.method)
    reasons = [x.reason for e in group for x in e.record.edits if x.action == "withdrawn"]
    return Row(
        method=key.method,
        variant=" ".join(board.words[key]),
        role=first.method.role,
        value=float(numbers.mean()),
        ci95=between if drawn is None else hierarchical_interval(drawn),
        ci_items=None if drawn is None else interval_of(drawn.mean(1)),
        ci_seeds=between,
        seeds=tuple(e.record.seed for e in group),
        items=values[0].n,
        supervision=first.method.supervision,
        seconds=float(np.mean([sum(s.seconds for s in e.record.stages.values()) for e in group])),
        withdrawn="; ".join(reasons),
        floor=None if key.withdrawn else _floor(board, key),
        reported=_reported(board, first),
        runs=tuple(e.record.run_id for e in group),
        weights=tuple(weights["name"] for weights in first.method.pretrained),
        known_failures=tuple(spec.known_failures.items()) if spec else (),
    )


def _floor(board: _Board, key: Group) -> tuple[float, float, float] | None:
    """Difference to the same network untrained, over the seeds that both were run with."""
    other = board.untrained.get((key.method, key.version, key.settings, key.comparable))
    if other is None:
        return None
    mine, theirs = ({e.record.seed: e for e in board.groups[k]} for k in (key, other))
    shared = mine.keys() & theirs.keys()
    one, two = board.seeds(key, shared), board.seeds(other, shared)
    if not shared or one is None or two is None:
        return None
    difference = np.mean(
        [
            mine[seed].value(board.metric).value - theirs[seed].value(board.metric).value
            for seed in shared
        ]
    )
    return float(difference), *interval_of(one.mean(1) - two.mean(1))


def _reported(board: _Board, record: Record) -> tuple[float, str, str] | None:
    """What is reported of the headline for these settings, its source, and why it can't be compared."""
    if record.protocol.twin:
        return None
    for said in board.said:
        if said.metric == board.metric and said.made_by(record):
            return said.value, f"{said.source}, {said.place}".rstrip(", "), said.not_comparable
    return None
