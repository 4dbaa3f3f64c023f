"""Is a record what it says? Identity, digests and numbers recomputed from what lies beside it.

Of a method its registration, settings and `info` are asked, nothing of it runs, and no accelerator is
needed. What a fresh clone holds is enough for all but one check: errors from kept predictions, which
needs the labels of the test split. A record is called wrong for what lies in it and beside it alone:
what can't be asked here is "not here", and where the data of this machine are not what they were, that
is "altered" and not the record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from benchmark.contracts.errors import BenchError, DataAltered, InvalidInput, UnknownName
from benchmark.files import file_sha256, load_arrays
from benchmark.metrics.aggregates import aggregate
from benchmark.metrics.catalogue import bounds, outdated, version
from benchmark.metrics.intervals import bootstrap_interval
from benchmark.protocols import Protocol, is_frozen
from benchmark.records.claims import (
    PREDICTIONS,
    borrowed,
    data_faults,
    field_faults,
    item_groups,
    value_faults,
)
from benchmark.records.identity import ids_from_record
from benchmark.records.model import GROUPS, Record, Value
from benchmark.records.reading import read_record
from benchmark.registry.protocols import find_protocol
from benchmark.tasks.base import find_task
from benchmark.verification.registered import method_answer

if TYPE_CHECKING:
    from benchmark.verification.kept import OpenSplits

State = Literal["ok", "wrong", "not here", "altered"]

ARITHMETIC = 1e-9
"""Relative: float64 sums in another order."""


@dataclass(frozen=True)
class Check:
    """One question and its answer; `detail` says what was expected and what came."""

    name: str
    state: State
    detail: str = ""


def verify_record(
    path: Path, *, data: bool = False, splits: OpenSplits | None = None
) -> list[Check]:
    """All checks of the record at `path`; `data` also recomputes errors from kept predictions.

    Whoever verifies many gives `splits`, so that each test split is opened and checked once. Raises
    `RecordInvalid` or `RecordTooNew` for a file that can't be read as a record at all.
    """
    record = read_record(path)
    protocol, stated = _protocol(record)
    named = protocol.measures if protocol else {}
    return [
        _place(path, record),
        _identity(record),
        _fields(record),
        Check("method", *method_answer(record)),
        stated,
        *(_claims(record, protocol) if protocol else ()),
        *_artefacts(path, record),
        *(check for value in record.metrics for check in _value(path, record, value, named)),
        *_parent(path, record),
        *(_rescored(path, record, named, splits) if data and protocol else ()),
        *(_regrouped(path, record, protocol, splits) if data and protocol else ()),
    ]


def borrowed_predictions(paths: Iterable[Path]) -> dict[Path, Check]:
    """The records that show another method's predictions as their own, each with a check that says so.

    Of two such the one that was begun later is named; files that can't be read are passed over.
    """
    seen: dict[tuple[str, bool, str], list[Record]] = {}
    found: dict[Path, Check] = {}
    read = [(path, record) for path in paths if (record := _readable(path)) is not None]
    for path, record in sorted(read, key=lambda one: one[1].started):
        about = record.protocol
        for artefact in record.artefacts:
            if artefact.path.endswith(PREDICTIONS):
                earlier = seen.setdefault((about.id, about.twin, artefact.sha256), [])
                for other in earlier:
                    if borrowed(record, other):
                        detail = (
                            f"its predictions are those of run {other.run_id} of {other.method.id}"
                        )
                        found[path] = Check("predictions", "wrong", detail)
                earlier.append(record)
    return found


def _readable(path: Path) -> Record | None:
    try:
        return read_record(path)
    except BenchError:
        return None


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


def _fields(record: Record) -> Check:
    found = field_faults(record)
    return Check("fields", "wrong" if found else "ok", "; ".join(found))


def _protocol(record: Record) -> tuple[Protocol | None, Check]:
    """The protocol that a record was made under, if it lies here with the same content."""
    named = f"{record.protocol.id}@{record.protocol.version}"
    try:
        protocol = find_protocol(named)
    except UnknownName as error:
        return None, Check("protocol", "not here", error.message)
    except BenchError as error:
        return None, Check("protocol", "altered", error.message)
    if protocol.digest() == record.protocol.digest:
        return protocol, Check("protocol", "ok")
    if not is_frozen(protocol):
        detail = f"{named} is a draft, and its content has changed since: `bench record drop`"
        return None, Check("protocol", "not here", detail)
    detail = f"{named} is {protocol.digest()[:12]}, it says {record.protocol.digest[:12]}"
    return None, Check("protocol", "wrong", detail)


def _claims(record: Record, protocol: Protocol) -> Iterator[Check]:
    """Metrics, numbers of items, splits and evaluation seed are those of the protocol, and what its
    task keeps of predictions is there to be scored again."""
    if record.protocol.on == "test":
        for name, ask in (("metrics", value_faults), ("data", data_faults)):
            found = ask(record, protocol)
            yield Check(name, "wrong" if found else "ok", "; ".join(found))
        if find_task(protocol.task).keeps_predictions:
            kept = any(artefact.path.endswith(PREDICTIONS) for artefact in record.artefacts)
            detail = "" if kept else f"every run under {protocol.task} keeps its predictions"
            yield Check("predictions", "ok" if kept else "wrong", detail)


def _artefacts(path: Path, record: Record) -> Iterator[Check]:
    for artefact in record.artefacts:
        name = f"file {artefact.path.removeprefix(record.run_id + '.')}"
        file = path.parent / artefact.path
        if not file.exists():
            state: State = "wrong" if artefact.committed else "not here"
            yield Check(name, state, "it should lie beside the record" if state == "wrong" else "")
        elif not file.is_file():
            yield Check(name, "wrong", "it is no plain file")
        elif file_sha256(file) != artefact.sha256:
            yield Check(name, "wrong", f"sha256 {file_sha256(file)[:12]}, not what the record says")
        elif file.stat().st_size != artefact.bytes:
            size = file.stat().st_size
            yield Check(name, "wrong", f"it has {size:,} bytes, it says {artefact.bytes:,}")
        else:
            yield Check(name, "ok")


def _value(path: Path, record: Record, value: Value, named: Mapping[str, str]) -> Iterator[Check]:
    name, measure = f"value {value.metric}", named.get(value.metric, value.metric)
    if value.version > (now := version(measure)):
        yield Check(name, "wrong", f"it is of version {value.version}; bench has {now}")
        return
    file = path.parent / value.per_item
    if not file.is_file():
        beside = {a.path: a.committed for a in record.artefacts}[value.per_item]
        state: State = "wrong" if beside else "not here"
        yield Check(name, state, f"the values it is made from ({value.per_item}) are not here")
        return
    arrays = _loaded(file)
    if isinstance(arrays, str) or value.metric not in arrays:
        why = arrays if isinstance(arrays, str) else "it is not there"
        yield Check(name, "wrong", f"{value.per_item}: {why}")
        return
    errors = arrays[value.metric]
    try:
        found = aggregate(errors, value.aggregate)
        groups = item_groups(arrays, value)
    except BenchError as error:
        yield Check(name, "wrong", error.message)
        return
    if value.aggregate != "single" and len(errors) != value.n:
        yield Check(name, "wrong", f"it is made from {len(errors)} items, it says {value.n}")
        return
    if (impossible := _impossible(errors, measure)) is not None:
        yield Check(
            name, "wrong", f"one of its items is {impossible:.6g}, which no {value.metric} can be"
        )
        return
    if not np.isclose(found, value.value, rtol=1e-9, atol=0):
        yield Check(name, "wrong", f"its items give {found:.6g}, it says {value.value:.6g}")
        return
    if value.aggregate == "single":
        yield Check(name, "ok" if value.ci95 is None else "wrong")
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


def _impossible(errors: np.ndarray, measure: str) -> float | None:
    """An item's value beyond what the measure can give, if there is one. Counts, which are
    divided as a whole, have no greatest one."""
    least, most = bounds(measure)
    low, high = float(np.nanmin(errors)), float(np.nanmax(errors))
    if low < least - ARITHMETIC:
        return low
    return high if errors.ndim == 1 and high > most * (1 + ARITHMETIC) else None


def _loaded(file: Path) -> dict[str, np.ndarray] | str:
    """The arrays of a file, or why there are none."""
    try:
        return load_arrays(file)
    except BenchError as error:
        return error.message


def _rescored(
    path: Path, record: Record, named: Mapping[str, str], splits: OpenSplits | None
) -> Iterator[Check]:
    """Errors recomputed from the kept predictions and the labels of the test split."""
    from benchmark.verification.kept import PredictionsUnfit, score_predictions

    try:
        kept = score_predictions(path, record, splits)
    except PredictionsUnfit as error:
        yield Check("score", "wrong", error.message)
        return
    except DataAltered as error:
        yield Check("score", "altered", error.message)
        return
    except BenchError as error:
        yield Check("score", "not here", error.message.splitlines()[0])
        return
    if not kept.errors:
        yield Check("score", "not here", f"{record.protocol.id} keeps too little to score again")
    later = outdated({v.metric: v.version for v in record.metrics}, named)
    arrays = _loaded(path.parent / record.headline.per_item)
    for metric, errors in kept.errors.items():
        name = f"score {metric}"
        if metric in later:
            then, now = later[metric]
            yield Check(name, "not here", f"made by version {then}; here is {now}: bench rescore")
            continue
        recorded = None if isinstance(arrays, str) else arrays.get(metric)
        rounding = kept.rounding.get(metric, np.zeros(()))
        same = recorded is not None and _agree(errors, recorded.astype(np.float64), rounding)
        detail = "" if same else "the kept predictions give other errors than the record's"
        yield Check(name, "ok" if same else "wrong", detail)


def _regrouped(
    path: Path, record: Record, protocol: Protocol, splits: OpenSplits | None
) -> Iterator[Check]:
    """Items belong together as the labels of the test split say."""
    from benchmark.tasks.base import groups_of
    from benchmark.verification.kept import scored_split

    arrays = _loaded(path.parent / record.headline.per_item)
    if not record.drawn_by or isinstance(arrays, str):
        return  # of schema 3, or reported before
    try:
        split = scored_split(protocol, record, splits)
        scored = protocol.scored(twin=record.protocol.twin)
        items = {value.metric: value.n for value in record.metrics}
        wanted = groups_of(find_task(protocol.task), split, scored, items)
    except (InvalidInput, KeyError) as error:
        yield Check("groups", "wrong", str(error))
        return
    except BenchError:
        return  # reported where predictions are scored
    kept = {v.metric: arrays[k] for v in record.metrics if (k := GROUPS + v.metric) in arrays}
    same = kept.keys() == wanted.keys() and all(
        np.array_equal(kept[metric], groups) for metric, groups in wanted.items()
    )
    detail = "" if same else "the labels put items together otherwise than the record does"
    yield Check("groups", "ok" if same else "wrong", detail)


def _agree(found: np.ndarray, recorded: np.ndarray, rounding: np.ndarray) -> bool:
    """Whether errors are the same but for rounding; NaN is no value, in both."""
    if found.shape != recorded.shape or (np.isnan(found) != np.isnan(recorded)).any():
        return False
    apart = np.abs(found - recorded) - rounding - ARITHMETIC * np.abs(found)
    return not (apart > 0).any()


def _parent(path: Path, record: Record) -> Iterator[Check]:
    """A record scored again is its parent's fit on the same data, with the same predictions."""
    if not record.parent:
        return
    place = path.with_name(f"{record.parent}.json")
    if not place.exists():
        yield Check("parent", "not here", f"run {record.parent} does not lie beside it")
        return
    try:
        parent = read_record(place)
    except BenchError as error:
        yield Check("parent", "wrong", error.message)
        return
    mine, theirs = (
        (r.fit_id, r.data, [a.sha256 for a in r.artefacts if a.path.endswith(PREDICTIONS)])
        for r in (record, parent)
    )
    if mine != theirs:
        yield Check("parent", "wrong", f"run {record.parent} is another fit, data or predictions")
        return
    before = {(v.metric, v.version): v.value for v in parent.metrics}
    moved = [
        v.metric for v in record.metrics if before.get((v.metric, v.version), v.value) != v.value
    ]
    if moved:
        yield Check("parent", "wrong", f"{moved[0]} has another value, with the same version")
        return
    yield Check("parent", "ok")
