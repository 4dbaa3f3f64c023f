"""The records of a board: read from its folder, and of a run scored again only the newest."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.contracts.errors import DataAltered
from benchmark.contracts.record import GROUPS, Record, Value, read_record
from benchmark.files import file_sha256
from benchmark.home import leaderboards
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
        return self.kept(metric)[0]

    def kept(self, metric: str) -> tuple[np.ndarray, np.ndarray | None]:
        """The same, and a number (N,) for each item, equal within a group; None where each is one."""
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
            groups = arrays.get(GROUPS + metric)
            return arrays[metric], None if groups is None else groups.astype(np.int64)


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
            left_out.append(LeftOut(path, f"made under another content of {protocol.name}"))
            continue
        entries.append(Entry(record, path))
    standing, superseded = _newest(entries)
    return standing, left_out + superseded


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
    data = {name: (d.pixels, d.labels) for name, d in record.data.items() if name != "fit"}
    return record.fit_id, record.evaluation_seed, frozenset(data.items())


def _versions(entry: Entry) -> int:
    return sum(value.version for value in entry.record.metrics)
