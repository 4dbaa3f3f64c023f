"""From records to the rows of a board: seeds together, intervals, and the distance to the floor."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmark.contracts.errors import DataAltered
from benchmark.contracts.record import Record, Value, read_record
from benchmark.files import file_sha256
from benchmark.home import leaderboards
from benchmark.metrics.aggregates import aggregate
from benchmark.metrics.intervals import paired_interval
from benchmark.plugins import plugins
from benchmark.protocols import Protocol


@dataclass(frozen=True)
class Entry:
    """A record and where it lies."""

    record: Record
    path: Path

    def value(self, metric: str) -> Value:
        """What the record says of a metric."""
        return next(v for v in self.record.metrics if v.metric == metric)

    def errors(self, metric: str) -> np.ndarray:
        """Per-item errors of a metric, checked against the digest in the record."""
        name = self.value(metric).per_item
        path = self.path.parent / name
        wanted = next(a.sha256 for a in self.record.artefacts if a.path == name)
        if not path.exists() or file_sha256(path) != wanted:
            raise DataAltered(
                f"the per-item errors of run {self.record.run_id} are "
                f"{'not what their digest says' if path.exists() else 'missing'}: {path}",
                cure="restore the file from git, or run the same command again",
            )
        with np.load(path, allow_pickle=False) as arrays:
            return arrays[metric]


@dataclass(frozen=True)
class Row:
    """One method with one choice of settings on one board.

    `value` is the mean over seeds of the headline; `ci95` a t-interval over seeds (two or more) or
    the bootstrap interval over test items (one seed: `ci_over` says which). `floor` compares with
    the same network untrained: mean difference and its paired bootstrap interval over test items,
    errors averaged over seeds first, the same seeds on both sides.
    """

    method: str
    variant: str
    role: str
    value: float
    ci95: tuple[float, float] | None
    ci_over: str
    seeds: tuple[int, ...]
    items: int
    supervision: str
    seconds: float
    withdrawn: str
    floor: tuple[float, float, float] | None
    reported: tuple[float, str, str] | None
    runs: tuple[str, ...]

    def interval(self) -> str:
        """For people: "6.95 to 7.13", with * where it is over test items."""
        if self.ci95 is None:
            return ""
        low, high = self.ci95
        return f"{low:.2f} to {high:.2f}" + ("*" if self.ci_over == "items" else "")


def board_folder(protocol: Protocol, *, twin: bool) -> Path:
    """Where a board's records and tables lie."""
    parts = ("twins", protocol.id) if twin else (protocol.id,)
    return leaderboards().joinpath(*parts, str(protocol.version))


def read_entries(protocol: Protocol, *, twin: bool) -> tuple[list[Entry], list[str]]:
    """The records of a board whose protocol digest is today's, sorted, and why others are left out."""
    entries, left_out = [], []
    for path in sorted(board_folder(protocol, twin=twin).glob("*/*.json")):
        record = read_record(path)
        if record.protocol.twin != twin or record.protocol.id != protocol.id:
            raise DataAltered(
                f"{path} is a record of {record.protocol.id}"
                f"{' (twin)' if record.protocol.twin else ''}",
                cure="a record belongs to the board it was run on; move it back",
            )
        if record.protocol.digest != protocol.digest():
            left_out.append(f"{path.name}: made under another content of {protocol.name}")
            continue
        entries.append(Entry(record, path))
    return entries, left_out


@dataclass(frozen=True, order=True)
class Group:
    """What runs must share to stand in one row: only their seeds may differ.

    `data` holds the digests of pixels and labels they were scored on. Withdrawn runs stand apart, so
    that they neither count in a mean nor strike what still stands.
    """

    method: str
    version: int
    settings: str
    data: tuple[tuple[str, str, str], ...]
    withdrawn: bool

    @classmethod
    def of(cls, record: Record) -> Group:
        scored = sorted((n, d.pixels, d.labels) for n, d in record.data.items() if n != "fit")
        return cls(
            record.method.id,
            record.method.version,
            json.dumps(record.method.settings, sort_keys=True),
            tuple(scored),
            any(edit.action == "withdrawn" for edit in record.edits),
        )


def make_rows(protocol: Protocol, entries: list[Entry]) -> list[Row]:
    """Rows sorted from best to worst, withdrawn ones last."""
    groups: dict[Group, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[Group.of(entry.record)].append(entry)
    several = len({group.data for group in groups}) > 1
    rows = [_row(protocol, key, groups, several) for key in sorted(groups)]
    sign = 1 if protocol.metrics[0].better == "lower" else -1
    return sorted(rows, key=lambda r: (bool(r.withdrawn), sign * r.value, r.method, r.variant))


def variant_name(record: Record) -> str:
    """Preset and given settings, for people: "small dimension=128"."""
    given = _flat(record.method.settings_given)
    words = [record.method.preset, *(f"{k}={v}" for k, v in sorted(given.items()))]
    return " ".join(w for w in words if w)


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat


def _row(
    protocol: Protocol, key: Group, groups: dict[Group, list[Entry]], several_data: bool
) -> Row:
    group = sorted(groups[key], key=lambda e: e.record.seed)
    metric = protocol.metrics[0].id
    first = group[0].record
    values = [e.value(metric) for e in group]
    numbers = np.array([v.value for v in values])
    interval: tuple[float, float] | None
    if len(numbers) > 1:
        half = stats.t.ppf(0.975, len(numbers) - 1) * stats.sem(numbers)
        interval, over = (float(numbers.mean() - half), float(numbers.mean() + half)), "seeds"
    else:
        interval, over = values[0].ci95, "items"
    words = [variant_name(first), f"version {key.version}" if key.version > 1 else ""]
    if several_data:
        words.append(f"on {first.data['test'].source or 'data'} {first.data['test'].pixels[:6]}")
    reasons = [x.reason for e in group for x in e.record.edits if x.action == "withdrawn"]
    return Row(
        method=key.method,
        variant=" ".join(w for w in words if w),
        role=first.method.role,
        value=float(numbers.mean()),
        ci95=interval,
        ci_over=over,
        seeds=tuple(e.record.seed for e in group),
        items=values[0].n,
        supervision=first.method.supervision,
        seconds=float(np.mean([sum(s.seconds for s in e.record.stages.values()) for e in group])),
        withdrawn="; ".join(reasons),
        floor=None if key.withdrawn else _floor(metric, key, group, groups),
        reported=_reported(protocol, metric, first),
        runs=tuple(e.record.run_id for e in group),
    )


def _floor(
    metric: str, key: Group, group: list[Entry], groups: dict[Group, list[Entry]]
) -> tuple[float, float, float] | None:
    """Difference to the same network untrained, over the seeds that both were run with."""
    by = group[0].value(metric).aggregate
    if by == "single":
        return None
    for other, floor in groups.items():
        if other.method != "random-features" or other.withdrawn or other.data != key.data:
            continue
        imitated = json.loads(other.settings)
        same = json.dumps(imitated["settings"], sort_keys=True) == key.settings
        mine = {e.record.seed: e for e in group}
        theirs = {e.record.seed: e for e in floor}
        seeds = sorted(mine.keys() & theirs.keys())
        if imitated["of"] == key.method and same and seeds:
            trained = [mine[s].errors(metric) for s in seeds]
            untrained = [theirs[s].errors(metric) for s in seeds]
            means = [np.mean([aggregate(v, by) for v in side]) for side in (trained, untrained)]
            low, high = paired_interval(trained, untrained, by=by)
            return float(means[0] - means[1]), low, high
    return None


def _reported(protocol: Protocol, metric: str, record: Record) -> tuple[float, str, str] | None:
    """What the method's paper prints for these settings, its source, and why it can't be compared.

    Only the paper's own settings are held against it: its preset, changed in nothing but what names
    the variant.
    """
    spec = plugins().methods.get(record.method.id)
    if spec is None or record.protocol.twin or record.method.preset != spec.default_preset:
        return None
    for said in spec.reported:
        matches = all(record.method.settings.get(k) == v for k, v in said.settings.items())
        only = record.method.settings_given.keys() <= said.settings.keys()
        if (said.protocol, said.metric) == (protocol.id, metric) and matches and only:
            return said.value, said.source, said.not_comparable
    return None
