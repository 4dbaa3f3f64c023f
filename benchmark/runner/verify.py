"""Is a record what it says? Identity, digests and numbers recomputed from what lies beside it.

Nothing of a method runs, and no accelerator is needed. What a fresh clone holds is enough for all but
one check: errors from kept predictions, which needs the labels of the test split.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from benchmark.contracts.errors import BenchError, DataMissing
from benchmark.contracts.record import GROUPS, Record, Value, read_record
from benchmark.files import file_sha256, load_arrays
from benchmark.metrics.aggregates import aggregate
from benchmark.metrics.catalogue import outdated, version
from benchmark.metrics.intervals import bootstrap_interval
from benchmark.protocols import Protocol, find_protocol
from benchmark.runner.identity import ids_from_record

State = Literal["ok", "wrong", "not here"]

PREDICTIONS = ".predictions.npz"

#: Kept points are float32 while errors were made before they were rounded.
ROUNDED = 1e-5


@dataclass(frozen=True)
class Check:
    """One question and its answer; `detail` says what was expected and what came."""

    name: str
    state: State
    detail: str = ""


def verify_record(path: Path, *, data: bool = False) -> list[Check]:
    """All checks of the record at `path`; `data` also recomputes errors from kept predictions.

    Raises `RecordInvalid` or `RecordTooNew` for a file that can't be read as a record at all.
    """
    record = read_record(path)
    return [
        _place(path, record),
        _identity(record),
        _protocol(record),
        *_artefacts(path, record),
        *(check for value in record.metrics for check in _value(path, record, value)),
        *_parent(path, record),
        *(_rescored(path, record) if data else ()),
    ]


def _place(path: Path, record: Record) -> Check:
    twins = ("twins",) if record.protocol.twin else ()
    wanted = (*twins, record.protocol.id, str(record.protocol.version), record.method.id)
    name = f"{record.run_id}.json"
    if path.name != name or path.parent.parts[-len(wanted) :] != wanted:
        return Check("place", "wrong", f"it belongs to {'/'.join(wanted)}/{name}")
    if record.protocol.on != "test":
        return Check("place", "wrong", f"it was scored on {record.protocol.on}, not on test")
    return Check("place", "ok")


def _identity(record: Record) -> Check:
    found = ids_from_record(record)
    if found != (record.fit_id, record.run_id):
        return Check(
            "identity",
            "wrong",
            f"its content gives fit {found[0]} and run {found[1]}, it says {record.fit_id} and "
            f"{record.run_id}",
        )
    return Check("identity", "ok")


def _protocol(record: Record) -> Check:
    named = f"{record.protocol.id}@{record.protocol.version}"
    try:
        digest = find_protocol(named).digest()
    except BenchError as error:
        return Check("protocol", "wrong", error.message)
    if digest != record.protocol.digest:
        return Check(
            "protocol", "wrong", f"{named} is {digest[:12]}, it says {record.protocol.digest[:12]}"
        )
    return Check("protocol", "ok")


def _artefacts(path: Path, record: Record) -> Iterator[Check]:
    for artefact in record.artefacts:
        name = f"file {artefact.path.removeprefix(record.run_id + '.')}"
        file = path.parent / artefact.path
        if not file.exists():
            state: State = "wrong" if artefact.committed else "not here"
            yield Check(name, state, "it should lie beside the record" if state == "wrong" else "")
        elif file_sha256(file) != artefact.sha256:
            yield Check(name, "wrong", f"sha256 {file_sha256(file)[:12]}, not what the record says")
        else:
            yield Check(name, "ok")


def _grouped(errors: np.ndarray, groups: np.ndarray | None, value: Value) -> bool:
    """Whether the groups kept beside a metric's errors are as many as its record says."""
    if groups is None:
        return value.groups in (None, len(errors))
    numbers = groups.dtype.kind in "iu" and groups.shape == (len(errors),)
    return numbers and np.array_equal(np.unique(groups), np.arange(value.groups or 0))


def _value(path: Path, record: Record, value: Value) -> Iterator[Check]:
    name = f"value {value.metric}"
    protocol = _frozen(record)
    measured = protocol.scored(twin=record.protocol.twin).metrics if protocol else ()
    stated = next((m for m in measured if m.id == value.metric), None)
    if protocol is not None and (
        stated is None
        or (stated.unit, stated.better, stated.aggregate)
        != (value.unit, value.better, value.aggregate)
    ):
        yield Check(
            name, "wrong", f"{protocol.name} has no such metric with this unit and aggregate"
        )
        return
    if value.version > version(value.metric):
        yield Check(
            name, "wrong", f"it is of version {value.version}; bench has {version(value.metric)}"
        )
        return
    file = path.parent / value.per_item
    if value.per_item not in {a.path for a in record.artefacts} or not file.exists():
        yield Check(name, "wrong", f"the values it is made from ({value.per_item}) are not here")
        return
    try:
        kept = load_arrays(file)
        errors, groups = kept[value.metric], kept.get(GROUPS + value.metric)
        found = aggregate(errors, value.aggregate)
    except (BenchError, KeyError) as error:
        yield Check(name, "wrong", str(error))
        return
    if not np.isclose(found, value.value, rtol=1e-9, atol=0):
        yield Check(name, "wrong", f"its items give {found:.6g}, it says {value.value:.6g}")
        return
    if value.aggregate == "single":
        yield Check(name, "ok" if value.ci95 is None else "wrong")
        return
    if not _grouped(errors, groups, value):
        yield Check(name, "wrong", f"its items are not kept in the {value.groups} groups it says")
        return
    interval = bootstrap_interval(errors, by=value.aggregate, groups=groups)
    if len(errors) != value.n or value.ci95 is None or not np.allclose(interval, value.ci95, 1e-6):
        yield Check(
            name,
            "wrong",
            f"{len(errors)} items with interval {interval[0]:.6g} to {interval[1]:.6g}; it says "
            f"{value.interval(4)}",
        )
        return
    yield Check(name, "ok")


def _frozen(record: Record) -> Protocol | None:
    try:
        return find_protocol(f"{record.protocol.id}@{record.protocol.version}")
    except BenchError:
        return None


def _rescored(path: Path, record: Record) -> Iterator[Check]:
    """Errors recomputed from the kept predictions and the labels of the test split."""
    from benchmark.runner.kept import score_kept

    try:
        found = score_kept(path, record)
    except DataMissing as error:
        yield Check("score", "not here", error.message.splitlines()[0])
        return
    except (BenchError, KeyError) as error:
        yield Check("score", "wrong", f"the kept predictions can't be scored: {error}")
        return
    if not found:
        yield Check("score", "not here", f"{record.protocol.id} keeps too little to score again")
    later = outdated({v.metric: v.version for v in record.metrics})
    for metric, errors in found.items():
        name = f"score {metric}"
        if metric in later:
            then, now = later[metric]
            yield Check(name, "not here", f"made by version {then}; here is {now}: bench rescore")
            continue
        said = load_arrays(path.parent / _value_named(record, metric).per_item)[metric]
        same = errors.shape == said.shape and np.allclose(errors, said, ROUNDED, 1e-6)
        detail = "" if same else "the kept predictions give other errors than the record's"
        yield Check(name, "ok" if same else "wrong", detail)


def _value_named(record: Record, metric: str) -> Value:
    return next(v for v in record.metrics if v.metric == metric)


def _parent(path: Path, record: Record) -> Iterator[Check]:
    """A record scored again is its parent's fit on the same data, with the same predictions."""
    if not record.parent:
        return
    place = path.with_name(f"{record.parent}.json")
    if not place.exists():
        yield Check("parent", "not here", f"run {record.parent} does not lie beside it")
        return
    parent = read_record(place)
    mine, theirs = (
        (r.fit_id, r.data, [a.sha256 for a in r.artefacts if a.path.endswith(PREDICTIONS)])
        for r in (record, parent)
    )
    if mine != theirs:
        yield Check("parent", "wrong", f"run {record.parent} is another fit, data or predictions")
        return
    same = {v.metric for v in parent.metrics if v.version == _value_named(record, v.metric).version}
    moved = [m for m in same if _value_named(record, m).value != _value_named(parent, m).value]
    if moved:
        yield Check("parent", "wrong", f"{moved[0]} has another value, with the same version")
        return
    yield Check("parent", "ok")
