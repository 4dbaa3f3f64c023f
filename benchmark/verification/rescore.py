"""Scoring again: a corrected metric applied to kept predictions makes a new record beside the old one.

No method runs. The new record names the old one as its `parent`, which stays as it is; boards show the
newer of the two. Its id is the one that running anew would have.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmark.contracts.errors import (
    BenchError,
    DataAltered,
    DataMissing,
    Incompatible,
    InvalidInput,
)
from benchmark.files import listed, load_arrays, one_writer, whole_file, write_text
from benchmark.home import home, leaderboards
from benchmark.metrics.catalogue import outdated
from benchmark.protocols import Protocol
from benchmark.records.code import code_state
from benchmark.records.identity import ids_from_record
from benchmark.records.machine import hardware, packages
from benchmark.records.model import GROUPS, FittedPart, Record, StagePart, Value
from benchmark.records.reading import read_record, record_text
from benchmark.records.values import value_of, write_artefact
from benchmark.registry.protocols import find_protocol
from benchmark.verification.kept import OpenSplits, find_artefact, score_predictions


@dataclass(frozen=True)
class Rescored:
    """The old record, and the new one (None where no metric has another version) with its place.

    `found`: it had been scored again before, and nothing was written.
    """

    parent: Record
    record: Record | None = None
    path: Path | None = None
    found: bool = False

    def changed(self) -> Iterator[tuple[Value, Value]]:
        """Values before and after, of the metrics that have another version."""
        if self.record is not None:
            pairs = zip(self.parent.metrics, self.record.metrics, strict=True)
            yield from ((old, new) for old, new in pairs if old.version != new.version)


def newest_records(protocol: str = "") -> list[Path]:
    """Records of the leaderboards (of one protocol) that count: no one's parent, and not withdrawn.

    Files that can't be read are among them: `rescore` says why.
    """
    boards = [leaderboards()]
    if protocol:
        wanted = find_protocol(protocol)
        board = Path(wanted.id, str(wanted.version))
        boards = [leaderboards() / board, leaderboards() / "twins" / board]
    found = {path: _read(path) for folder in boards for path in listed(folder, "**/*.json")}
    parents = {record.parent for record in found.values() if record}
    return [
        path
        for path, record in found.items()
        if record is None
        or (
            record.run_id not in parents
            and not any(edit.action == "withdrawn" for edit in record.edits)
        )
    ]


def _read(path: Path) -> Record | None:
    try:
        return read_record(path)
    except BenchError:
        return None


def rescore(path: Path, splits: OpenSplits | None = None) -> Rescored:
    """Score the record at `path` again, if one of its metrics has another version by now.

    Whoever scores many gives `splits`, so that each test split is opened and checked once. Raises
    `DataMissing` where predictions or labels are missing, `Incompatible` where what was kept does
    not suffice, `InvalidInput` for a withdrawn record or one that belongs to no board.
    """
    parent = read_record(path)
    later = _outdated(parent)
    if not later:
        return Rescored(parent)
    protocol = _allowed(path, parent, later)
    versions = [
        v.model_copy(update={"version": later[v.metric][1]}) if v.metric in later else v
        for v in parent.metrics
    ]
    _, run = ids_from_record(parent.model_copy(update={"metrics": versions}))
    target = path.with_name(f"{run}.json")
    with one_writer(target):
        if target.exists():
            return Rescored(parent, read_record(target), target, found=True)
        record = _scored(path, parent, run, protocol, set(later), splits)
        write_text(target, record_text(record))
    return Rescored(parent, record, target)


def _outdated(parent: Record) -> dict[str, tuple[int, int]]:
    """The metrics that have another version; where the protocol is not here, by their ids alone."""
    try:
        named = find_protocol(f"{parent.protocol.id}@{parent.protocol.version}").measures
    except BenchError:
        named = {}
    return outdated({v.metric: v.version for v in parent.metrics}, named)


def _allowed(path: Path, parent: Record, later: dict[str, tuple[int, int]]) -> Protocol:
    if path.name != f"{parent.run_id}.json":
        raise InvalidInput(
            f"{path} stands on no board (scored on {parent.protocol.on})",
            cure="name a record of the leaderboards, or run the same command again",
        )
    if any(edit.action == "withdrawn" for edit in parent.edits):
        raise InvalidInput(f"run {parent.run_id} is withdrawn")
    for metric, (then, now) in later.items():
        if then > now:
            raise InvalidInput(
                f"{metric} of run {parent.run_id} is of version {then}; this bench has {now}",
                cure="update bench: pip install --upgrade structbench",
            )
    protocol = find_protocol(f"{parent.protocol.id}@{parent.protocol.version}")
    if protocol.digest() != parent.protocol.digest:
        raise DataAltered(f"run {parent.run_id} was made under another content of {protocol.name}")
    return protocol


def _scored(
    path: Path,
    parent: Record,
    run: str,
    protocol: Protocol,
    later: set[str],
    splits: OpenSplits | None,
) -> Record:
    """The new record; its errors are written into its run's folder, and small ones beside `path`."""
    began, started = time.monotonic(), datetime.now(UTC)
    found = score_predictions(path, parent, splits).errors
    if lacking := sorted(later - found.keys()):
        raise Incompatible(
            f"what run {parent.run_id} kept does not suffice to score {', '.join(lacking)} again",
            cure="run the same command again; it makes a run of its own",
        )
    before = find_artefact(path, parent, "errors")
    if before is None:
        raise DataMissing(f"the per-item errors of run {parent.run_id} are not here")
    errors = load_arrays(before) | {name: found[name] for name in later}
    name = f"{run}.errors.npz"
    own = home() / "runs" / run / name
    artefact = write_artefact(own, errors)
    if artefact.committed:
        with whole_file(path.with_name(name)) as copy:
            shutil.copyfile(own, copy)
    measured = {m.id: m for m in protocol.scored(twin=parent.protocol.twin).metrics}
    values = [
        value_of(
            measured[v.metric],
            errors[v.metric],
            name,
            items=v.n if v.aggregate == "single" else None,
            groups=errors.get(GROUPS + v.metric),
        )
        if v.metric in later
        else v.model_copy(update={"per_item": name})
        for v in parent.metrics
    ]
    seconds = StagePart(seconds=round(time.monotonic() - began, 3))
    note = f"scored again from the predictions kept by run {parent.run_id}"
    return parent.model_copy(
        update={
            "run_id": run,
            "parent": parent.run_id,
            "metrics": values,
            "code": code_state(),
            "packages": {**parent.packages, **packages()},
            "hardware": hardware("cpu"),
            "fitted": parent.fitted
            or (
                None if parent.external else FittedPart(code=parent.code, hardware=parent.hardware)
            ),
            "stages": {**parent.stages, "score": seconds},
            "artefacts": [artefact, *(a for a in parent.artefacts if a.path != before.name)],
            "notes": [n for n in parent.notes if not n.startswith("scored again ")] + [note],
            "started": started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "edits": [],
        }
    )
