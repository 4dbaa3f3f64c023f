"""From records to the rows of a board: seeds together, intervals, and the distance to the floor."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from benchmark.boards.certainty import Certainty
from benchmark.boards.entries import Entry
from benchmark.boards.measured import Floor, Gain, Measured
from benchmark.boards.sources import PublishedValue, published_values
from benchmark.contracts.names import LONGEST_TEXT, only_fitted, shown
from benchmark.metrics.catalogue import bounds
from benchmark.metrics.uncertainty import difference, holm, interval, over_seeds, p_values
from benchmark.protocols import Protocol, canonical_digest
from benchmark.records.model import Record
from benchmark.settings import flat, settings_words, word


@dataclass(frozen=True)
class Row:
    """One method with one choice of settings on one board.

    `value` is the mean over seeds of the headline. `ci95` is its 95 % interval over seeds and groups of
    test items (`benchmark.metrics.uncertainty`; with one seed over items alone, and where the metric is
    one number for all items, over seeds alone); `grouped` says whether it is known which items belong
    together. For experts, `ci_items` bootstraps groups of items alone and `ci_seeds` is the t-interval
    over seeds alone. `rank` is the best and the worst place that the row may have among methods, None
    for single seeds, floors, references and ceilings.
    `floor` compares with the same network untrained. `supervision` are the labels a method saw,
    `weights` the pretrained ones it took, `known_failures` the checks of the contract that it can't
    pass, with the reasons, as its records say; `external`, that it was scored from a file. Rows
    can be compared whose `scored_on` is the same: a
    digest of the data and the versions of metrics. `metrics` are all of the protocol's, the headline
    first; ranks and differences are the headline's alone. `over_floor` is what a method gains over the
    best floor that was scored on the same.
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
    floor: Floor | None
    reported: tuple[float, str, str] | None
    runs: tuple[str, ...]
    weights: tuple[str, ...] = ()
    known_failures: tuple[tuple[str, str], ...] = ()
    rank: tuple[int, int] | None = None
    grouped: bool = True
    scored_on: str = ""
    external: bool = False
    metrics: tuple[Measured, ...] = ()
    over_floor: Gain | None = None

    @property
    def marks(self) -> str:
        """Behind the method's name: † where it can't keep a part of the contract, § where a file of
        predictions was scored and bench did not run it."""
        return " †" * bool(self.known_failures) + " §" * self.external

    @property
    def words(self) -> str:
        """The variant for people: an untrained network has no settings but the network's, so that
        "lead-small settings.dimension=64" is "lead-small dimension=64"."""
        return self.variant.replace("settings.", "")

    def interval(self, of: Measured | None = None) -> str:
        """For people, of the headline or another metric of the row: "6.55 to 7.54", with * where there
        is one seed and ° where it is not known which items belong together."""
        ends = self.ci95 if of is None else of.ci95
        if ends is None:
            return ""
        low, high = ends
        return f"{low:.2f} to {high:.2f}{self.interval_marks}"

    @property
    def interval_marks(self) -> str:
        """* where there is one seed, ° where it is not known which items belong together."""
        return "*" * (len(self.seeds) == 1) + "°" * (not self.grouped)

    def places(self) -> str:
        """The rank for people: "1", or "2–4" where the data can't decide."""
        if self.rank is None:
            return ""
        best, worst = self.rank
        return str(best) if best == worst else f"{best}–{worst}"


@dataclass(frozen=True, order=True)
class Group:
    """What runs must share to stand in one row: only their seeds may differ.

    `data` holds the digests of pixels and labels they were scored on, `corrected` the metrics that were
    not scored by their first version, `external` says that a file was scored. Withdrawn
    runs stand apart, so that they neither count in a mean
    nor strike what still stands.
    """

    method: str
    version: int
    settings: str
    data: tuple[tuple[str, str, str], ...]
    corrected: tuple[tuple[str, int], ...]
    withdrawn: bool
    external: bool = False

    @property
    def comparable(self) -> tuple[object, ...]:
        """What two groups must share for their errors to be paired."""
        return self.data, self.corrected

    @classmethod
    def of(cls, record: Record) -> Group:
        scored = sorted(
            (n, d.pixels, d.labels) for n, d in record.data.items() if not only_fitted(n)
        )
        return cls(
            record.method.id,
            record.method.version,
            json.dumps(record.method.settings, sort_keys=True),
            tuple(scored),
            tuple(sorted((v.metric, v.version) for v in record.metrics if v.version > 1)),
            any(edit.action == "withdrawn" for edit in record.edits),
            record.external is not None,
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
    ranks, gains = _ranks(board, rows), _gains(board, rows)
    return sorted(
        (replace(r, rank=ranks.get(k), over_floor=gains.get(k)) for k, r in rows.items()),
        key=lambda r: (bool(r.withdrawn), board.sign * r.value, r.method, r.variant),
    )


@dataclass(frozen=True)
class _Board:
    """The groups of a board, and how sure the headlines of its records are."""

    protocol: Protocol
    groups: dict[Group, list[Entry]]

    @property
    def metric(self) -> str:
        return self.protocol.metrics[0].id

    @property
    def sign(self) -> int:
        """1 where lower is better, -1 where higher is."""
        return 1 if self.protocol.metrics[0].better == "lower" else -1

    @cached_property
    def published(self) -> list[PublishedValue]:
        """What is reported under the protocol."""
        return published_values(self.protocol)

    @cached_property
    def certainties(self) -> dict[str, Certainty]:
        """How sure each metric is."""
        entries = (e for group in self.groups.values() for e in group)
        return Certainty.of_all((m.id for m in self.protocol.metrics), entries)

    @property
    def certainty(self) -> Certainty:
        return self.certainties[self.metric]

    @cached_property
    def untrained(self) -> dict[Any, Group]:
        """The runs of an untrained network, by what they imitate and what they were scored on."""
        found: dict[Any, Group] = {}
        for key, entries in self.groups.items():
            if (imitated := imitates(entries[0].record)) and not key.withdrawn:
                found.setdefault((*imitated, key.comparable), key)
        return found

    @cached_property
    def words(self) -> dict[Group, tuple[str, ...]]:
        """What each row says of itself."""
        return row_words(self.groups, self.metric)


def _ranks(board: _Board, rows: dict[Group, Row]) -> dict[Group, tuple[int, int]]:
    """The best and the worst place of each method with two seeds or more, where there are two such: 1 +
    those that are clearly better, and all less those that are clearly worse, beyond Holm's correction
    over all pairs."""
    several = [
        k for k, r in rows.items() if r.role == "method" and len(r.seeds) > 1 and not r.withdrawn
    ]
    pairs = [(a, b) for a, b in combinations(several, 2) if a.comparable == b.comparable]
    ranked = list(dict.fromkeys(key for pair in pairs for key in pair))
    sources = [board.certainty.of_difference(board.groups[a], board.groups[b]) for a, b in pairs]
    apart = np.array([difference(rows[a].value, rows[b].value) for a, b in pairs])
    best = dict.fromkeys(ranked, 1)
    worst = {a: sum(a.comparable == b.comparable for b in ranked) for a in ranked}
    for (a, b), gain, p in zip(
        pairs, board.sign * apart, holm(p_values(apart, sources)), strict=True
    ):
        if p < 0.05:
            loser, winner = (a, b) if gain > 0 else (b, a)
            best[loser] += 1
            worst[winner] -= 1
    return {key: (best[key], worst[key]) for key in ranked}


def _gains(board: _Board, rows: dict[Group, Row]) -> dict[Group, Gain]:
    """Of each method beside a floor, what it gains over the best one."""
    standing = {k: r for k, r in rows.items() if not r.withdrawn}
    floors: dict[object, Group] = {}
    for key, row in sorted(standing.items(), key=lambda item: board.sign * item[1].value):
        if row.role == "floor":
            floors.setdefault(key.comparable, key)
    found = {}
    for key, row in standing.items():
        floor = floors.get(key.comparable)
        if row.role == "method" and floor is not None:
            gain = board.sign * difference(rows[floor].value, row.value)
            sources = board.certainty.of_difference(board.groups[floor], board.groups[key])
            found[key] = Gain(gain, interval(gain, sources), row.interval_marks)
    return found


def imitates(record: Record) -> tuple[str, int, str] | None:
    """Which method, version and settings an untrained network is of; None for other rows."""
    if record.method.id != "random-features":
        return None
    of = record.method.settings
    return of["of"], of.get("version", 1), json.dumps(of["settings"], sort_keys=True)


def variant_name(record: Record) -> str:
    """Preset and given settings, for people: "small dimension=128"."""
    words = [record.method.preset, *settings_words(record.method.settings_given)]
    return " ".join(w for w in words if w)


DIGESTS: Mapping[str, Callable[[Record], str]] = {
    "labels": lambda record: record.data["test"].labels,
    "train": lambda record: record.data["train"].pixels if "train" in record.data else "",
    "train labels": lambda record: record.data["train"].labels if "train" in record.data else "",
}
"""What of the data rows may differ in beside the pixels they were scored on."""


def row_words(groups: Mapping[Group, Sequence[Entry]], metric: str) -> dict[Group, tuple[str, ...]]:
    """What each row of a board says besides its method: preset and given settings; of other settings
    those in which it differs from rows of the same name; version, data and version of the metric where
    they tell rows apart; and that it saw images it is scored on, where its protocol allows that."""
    differing = _differing(groups)
    by_data, by_version = (
        len({getattr(key, name) for key in groups}) > 1 for name in ("data", "corrected")
    )
    others = [
        (what, digest)
        for what, digest in DIGESTS.items()
        if len({digest(entries[0].record) for entries in groups.values()}) > 1
    ]
    found = {}
    for key, entries in groups.items():
        record = entries[0].record
        words = [record.method.preset, *settings_words(record.method.settings_given)]
        words += differing[key]
        words.append(f"version {key.version}" if key.version > 1 else "")
        if by_data:
            test = record.data["test"]
            words.append(f"on {test.source or 'data'} {test.pixels[:6]}")
            words += [f"{what} {digest(record)[:6]}" for what, digest in others]
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
            found[key] = [word(n, one[n]) for n in names if n in one]
    return found


def _plain(text: str) -> str:
    """A record's own words as every table may show them: one line, nothing hidden, not endless."""
    return shown(text, quote=False, most=LONGEST_TEXT)


def _row(board: _Board, key: Group) -> Row:
    group = board.groups[key]
    first_entry, first = group[0], group[0].record
    values = [e.value(board.metric) for e in group]
    numbers = [v.value for v in values]
    metrics = tuple(_measured(board, m.id, group) for m in board.protocol.metrics)
    value, certainty = metrics[0].value, board.certainty
    failures = {k: why for e in group for k, why in e.record.method.known_failures.items()}
    reasons = [x.reason for e in group for x in e.record.edits if x.action == "withdrawn"]
    return Row(
        method=key.method,
        variant=_plain(" ".join(board.words[key])),
        role=first.method.role,
        value=value,
        ci95=metrics[0].ci95,
        ci_items=certainty.over_items_alone(group),
        ci_seeds=interval(value, [over_seeds(numbers)]) if len(numbers) > 1 else None,
        seeds=tuple(e.record.seed for e in group),
        items=values[0].n,
        supervision=first.method.supervision,
        seconds=float(np.mean([sum(s.seconds for s in e.record.stages.values()) for e in group])),
        withdrawn=_plain("; ".join(reasons)),
        floor=None if key.withdrawn else _floor(board, key),
        reported=_reported(board, first),
        runs=tuple(e.record.run_id for e in group),
        weights=tuple(_plain(weights["name"]) for weights in first.method.pretrained),
        grouped=values[0].aggregate == "single" or certainty.grouped(first_entry),
        known_failures=tuple((_plain(check), _plain(why)) for check, why in failures.items()),
        scored_on=canonical_digest({"data": key.data, "metrics": key.corrected})[:12],
        external=key.external,
        metrics=metrics,
    )


def _measured(board: _Board, metric: str, group: Sequence[Entry]) -> Measured:
    """What a row has in a metric."""
    value = float(np.mean([e.value(metric).value for e in group]))
    ends = interval(value, board.certainties[metric].of_row(group))
    return Measured(metric, value, _within(ends, *bounds(board.protocol.measures[metric])))


def _within(
    ends: tuple[float, float] | None, least: float, most: float
) -> tuple[float, float] | None:
    """An interval without what can't be.

    Example: an IoU of 90 to 139 % is one of 90 to 100 %.
    """
    if ends is None:
        return None
    low, high = (min(max(end, least), most) for end in ends)
    return low, high


def _floor(board: _Board, key: Group) -> Floor | None:
    """Difference to the same network untrained, over the seeds that both were run with."""
    other = board.untrained.get((key.method, key.version, key.settings, key.comparable))
    if other is None:
        return None
    mine, theirs = ({e.record.seed: e for e in board.groups[k]} for k in (key, other))
    shared = sorted(mine.keys() & theirs.keys())
    if not shared:
        return None
    one, two = ([side[seed] for seed in shared] for side in (mine, theirs))
    apart = np.mean([a.value(board.metric).value - b.value(board.metric).value
                     for a, b in zip(one, two, strict=True)])  # fmt: skip
    ends = interval(float(apart), board.certainty.of_pairs(one, two))
    return Floor(float(apart), *ends, len(shared), len(mine)) if ends else None


def _reported(board: _Board, record: Record) -> tuple[float, str, str] | None:
    """What is reported of the headline for these settings, its source, and why it can't be compared."""
    if record.protocol.twin:
        return None
    for each in board.published:
        if each.metric == board.metric and each.made_by(record):
            return each.value, f"{each.source}, {each.place}".rstrip(", "), each.not_comparable
    return None
