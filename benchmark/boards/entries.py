"""The records of a board: read from its folder, and of a run scored again only the newest."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.contracts.errors import BenchError, DataAltered, UnknownName
from benchmark.contracts.names import only_fitted, shown
from benchmark.files import file_sha256, listed, load_arrays
from benchmark.home import leaderboards
from benchmark.metrics.aggregates import checked
from benchmark.protocols import Protocol
from benchmark.records.claims import field_faults, item_groups, value_faults
from benchmark.records.model import Record, Value
from benchmark.records.reading import read_record


@dataclass(frozen=True)
class Entry:
    """A record and where it lies."""

    record: Record
    path: Path

    def value(self, metric: str) -> Value:
        """What the record says of a metric; raises `UnknownName` for one it does not have."""
        values = {value.metric: value for value in self.record.metrics}
        if metric not in values:
            raise UnknownName(f"metric of run {self.record.run_id}", metric, values)
        return values[metric]

    def errors(self, metric: str) -> np.ndarray:
        """Per-item errors of a metric; raises as `all_errors`."""
        value = self.value(metric)
        return self.all_errors()[value.metric]

    def all_errors(self) -> dict[str, np.ndarray]:
        """Per-item errors by metric. Raises `DataAltered` where the file is missing, is not what its
        digest in the record says, or does not hold what the record's values are made from."""
        name = self.record.headline.per_item
        path = self.path.parent / name
        wanted = {artefact.path: artefact.sha256 for artefact in self.record.artefacts}[name]
        if not path.is_file() or file_sha256(path) != wanted:
            raise DataAltered(
                f"the per-item errors of run {self.record.run_id} are "
                f"{'not what their digest says' if path.exists() else 'missing'}: {path}",
                cure="restore the file from git, or run the same command again",
            )
        arrays = load_arrays(path)
        for value in self.record.metrics:
            if value.metric not in arrays:
                raise DataAltered(f"{path} holds no values of {value.metric}")
            items = len(checked(arrays[value.metric], value.aggregate))
            if value.aggregate != "single" and items != value.n:
                raise DataAltered(f"{path} holds {items} items of {value.metric}, not {value.n}")
            item_groups(arrays, value)
        return arrays


@dataclass(frozen=True)
class LeftOut:
    """A record that lies on a board and makes no row, and why."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.path.name}: {self.reason}"


def board_folder(protocol: Protocol, *, twin: bool) -> Path:
    """Where a board's records and tables lie."""
    parts = ("twins", protocol.id) if twin else (protocol.id,)
    return leaderboards().joinpath(*parts, str(protocol.version))


def read_entries(protocol: Protocol, *, twin: bool) -> tuple[list[Entry], list[LeftOut]]:
    """The records of a board that count, sorted, and why others are left out.

    Whatever a file holds, it ends no board: what can't be read or used is left out, with the reason.
    """
    entries, left_out = [], []
    for path in listed(board_folder(protocol, twin=twin), "*/*.json"):
        try:
            entry = Entry(read_record(path), path)
            reason = _unusable(entry, protocol, twin)
        except BenchError as error:
            # a board is read elsewhere too: its own words alone, no folder of this machine
            fault = error.message.removeprefix(f"{path} ").replace(f"{path.parent}/", "")
            reason = shown(fault, quote=False, most=300)
        if reason:
            left_out.append(LeftOut(path, reason))
        else:
            entries.append(entry)
    alike, contradicted = _of_one_size(entries)
    standing, superseded = _newest(alike)
    return standing, left_out + contradicted + superseded


def _unusable(entry: Entry, protocol: Protocol, twin: bool) -> str:
    """Why a record makes no row of this board; empty where it does. Raises `BenchError` for errors that
    can't be used."""
    record, path = entry.record, entry.path
    about = record.protocol
    if (about.id, about.version, about.twin) != (protocol.id, protocol.version, twin):
        return f"it is a record of {about.id}@{about.version}{' (twin)' if about.twin else ''}"
    if about.on != "test":
        return f"it was scored on {about.on}, not on test"
    if (path.parent.name, path.name) != (record.method.id, f"{record.run_id}.json"):
        return f"not where it belongs: {record.method.id}/{record.run_id}.json"
    if about.digest != protocol.digest():
        return f"made under another content of {protocol.name}"
    if found := [*field_faults(record), *value_faults(record, protocol)]:
        return shown("; ".join(found), quote=False, most=300)
    entry.all_errors()
    return ""


def _of_one_size(entries: list[Entry]) -> tuple[list[Entry], list[LeftOut]]:
    """The same pixels are as many images in every record; where some differ, most are right."""
    sizes: dict[str, Counter[int]] = defaultdict(Counter)
    for entry in entries:
        test = entry.record.data["test"]
        sizes[test.pixels][test.images] += 1
    alike, contradicted = [], []
    for entry in entries:
        test = entry.record.data["test"]
        ((most, times), *others) = sizes[test.pixels].most_common()
        if test.images == most and all(count < times for _, count in others):
            alike.append(entry)
        else:
            reason = f"it counts {test.images} test images where others count other numbers"
            contradicted.append(LeftOut(entry.path, f"{reason} of the same pixels"))
    return alike, contradicted


def _newest(entries: list[Entry]) -> tuple[list[Entry], list[LeftOut]]:
    """Of entries of one fit on the same data, those scored by the newest versions of the metrics.

    A run scored again, and one run anew after a metric was corrected, differ from the old one in
    nothing else; to count both would count a seed twice.
    """
    same: dict[Any, list[Entry]] = defaultdict(list)
    for entry in entries:
        same[_run(entry.record)].append(entry)
    newest = {run: max(found, key=_versions) for run, found in same.items()}
    standing, superseded = [], []
    for entry in entries:
        last = newest[_run(entry.record)]
        if _versions(entry) == _versions(last):
            standing.append(entry)
        else:
            superseded.append(LeftOut(entry.path, f"superseded by {last.path.name}"))
    return standing, superseded


def _run(record: Record) -> Any:
    """What a run shares with those that differ from it in the versions of its metrics alone."""
    data = {name: (d.pixels, d.labels) for name, d in record.data.items() if not only_fitted(name)}
    return record.fit_id, record.evaluation_seed, frozenset(data.items())


def _versions(entry: Entry) -> int:
    return sum(value.version for value in entry.record.metrics)
