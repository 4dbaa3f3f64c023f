"""Boards, the results of runs, and the errors of test items, as pandas tables."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from benchmark.boards.entries import Entry, read_entries
from benchmark.boards.frames import board_table, table
from benchmark.boards.rows import make_rows
from benchmark.contracts.errors import BenchError, InvalidInput
from benchmark.datasets.at_hand import item_keys
from benchmark.files import listed, load_arrays
from benchmark.home import home
from benchmark.interface.runs import find_run
from benchmark.protocols import Protocol
from benchmark.records.claims import item_groups
from benchmark.records.model import Value
from benchmark.records.reading import read_record
from benchmark.registry.protocols import all_protocols, find_protocol
from benchmark.settings import flat, settings_words

if TYPE_CHECKING:
    from benchmark.runner.outcome import Outcome


@dataclass(frozen=True)
class ResultColumns:
    """A result: one metric of one run. After these comes a column `settings.NAME` for each setting that
    a method had in effect, empty for methods without it."""

    run: str
    """Id of the run."""
    fit: str
    """Id of its fit, which several runs may share."""
    method: str
    """Id of the method."""
    version: int
    """The method's version."""
    role: str
    """method, floor, reference or ceiling."""
    origin: str
    """Whose code it is."""
    preset: str
    """The preset taken, if any."""
    settings: str
    """What was given on top of it, as words."""
    supervision: str
    """Labels that the method saw: none or labels."""
    weights: str
    """Pretrained weights it started from."""
    protocol: str
    """Name and version, as "ytf5@1"."""
    twin: bool
    """Whether rendered images stood for the real ones."""
    on: str
    """Which people were scored: test or validation."""
    seed: int
    """Seed of the fit."""
    metric: str
    """Id of the metric; a run's first is its headline."""
    value: float
    """The number, in `unit`."""
    unit: str
    """Unit of `value` and of its interval: %, px, or empty."""
    better: str
    """Which direction is better: lower or higher."""
    ci95_low: float | None
    """Lower end of the 95 % interval over groups of test items; missing where the metric is one number
    for all."""
    ci95_high: float | None
    """Upper end."""
    items: int
    """Number of items it is made from."""
    groups: int | None
    """Number of groups that the items come in; missing in records of schema 3 and before."""
    metric_version: int
    """Version of the metric's code."""
    seconds_fit: float | None
    """Wall seconds of the fit, over all attempts; of a fit that was found, those it took then."""
    seconds_predict: float | None
    """Wall seconds of prediction."""
    seconds_score: float | None
    """Wall seconds of scoring."""
    peak_memory: int
    """Bytes: the largest memory of the process, or of the accelerator."""
    deterministic: bool
    """Whether the same command gives the same bits on such a machine."""
    commit: str
    """Commit of bench's checkout, empty where there was none."""
    finished: datetime
    """When the run ended, UTC."""
    withdrawn: str
    """Why the run is withdrawn; empty where it stands."""
    left_out: str
    """Why it counts on no board though it lies there (scored again since, say), or empty."""
    path: str
    """File of the record."""

    @classmethod
    def of(cls, entry: Entry, value: Value, left_out: str = "") -> ResultColumns:
        record, method = entry.record, entry.record.method
        low, high = value.ci95 or (None, None)
        seconds = {name: stage.seconds for name, stage in record.stages.items()}
        return cls(
            run=record.run_id,
            fit=record.fit_id,
            method=method.id,
            version=method.version,
            role="external" if record.external else method.role,
            origin=method.origin,
            preset=method.preset,
            settings=" ".join(settings_words(method.settings_given)),
            supervision=method.supervision,
            weights=", ".join(weights["name"] for weights in method.pretrained),
            protocol=f"{record.protocol.id}@{record.protocol.version}",
            twin=record.protocol.twin,
            on=record.protocol.on,
            seed=record.seed,
            metric=value.metric,
            value=value.value,
            unit=value.unit,
            better=value.better,
            ci95_low=low,
            ci95_high=high,
            items=value.n,
            groups=value.groups,
            metric_version=value.version,
            seconds_fit=seconds.get("fit"),
            seconds_predict=seconds.get("predict"),
            seconds_score=seconds.get("score"),
            peak_memory=record.peak_memory_bytes,
            deterministic=record.deterministic,
            commit=record.code.commit,
            finished=datetime.fromisoformat(record.finished),
            withdrawn="; ".join(e.reason for e in record.edits if e.action == "withdrawn"),
            left_out=left_out,
            path=str(entry.path),
        )


@dataclass(frozen=True)
class ItemColumns:
    """The error of one test item in one metric."""

    metric: str
    """Id of the metric."""
    item: int
    """Number of the item, from 0, in the order of the test split."""
    component: int
    """Which of an item's numbers it is, from 0: of metrics made of several, as a sum and a count."""
    key: str
    """Name of the image in its data set; empty where the split is not prepared on this machine, or
    items are no images."""
    group: int | None
    """Equal for items that belong together (images of a person, say); missing where it is not known."""
    value: float
    """The error, as the metric's aggregate takes it (`mean` gives the run's value in its unit)."""


def board(protocol: str, *, twin: bool = False) -> pd.DataFrame:
    """A board, best row first and withdrawn ones last: the numbers of its board.csv, unrounded.

    Columns are those of `benchmark.boards.frames.BoardColumns`, then three for each metric: `ID`,
    `ID_low`, `ID_high`; a board without runs has no rows. Raises `UnknownName` for another protocol.

    Example: `board("ytf5").query("role == 'method'")[["settings", "nme_iod"]]`.
    """
    found = find_protocol(protocol)
    scored, entries = found.scored(twin=twin), read_entries(found, twin=twin)[0]
    return board_table(scored, make_rows(scored, entries) if entries else [])


def results(
    protocol: str | None = None,
    *,
    twin: bool | None = None,
    on: Literal["test", "validation"] = "test",
) -> pd.DataFrame:
    """Every metric of every run, a row each: `ResultColumns`, then the settings in effect.

    Those of one protocol (`id`, its newest version, or `id@version`) or of all; on `twin` data, real
    data, or by default both. On test images these are the records on the boards: withdrawn ones and
    those that a board leaves out are here too and say so; a file that is no record is a warning. On
    `validation` people they are the runs in this machine's `$BENCH_HOME`.

    Example: `results("ytf5", twin=False).groupby(["method", "metric"])["value"].mean()`.
    """
    if on not in ("test", "validation"):
        raise InvalidInput(f"results are on test or validation, not on {on!r}")
    chosen = all_protocols() if protocol is None else [find_protocol(protocol)]
    twins = (False, True) if twin is None else (twin,)
    found = _on_boards(chosen, twins) if on == "test" else _on_validation(chosen, twins)
    lines, settings = [], []
    for entry, reason in found:
        effective = flat(entry.record.method.settings, "settings.")
        for value in entry.record.metrics:
            lines.append(ResultColumns.of(entry, value, reason))
            settings.append(effective)
    return pd.concat([table(ResultColumns, lines), pd.DataFrame(settings, dtype=object)], axis=1)


def _on_boards(protocols: Iterable[Protocol], twins: Iterable[bool]) -> Iterator[tuple[Entry, str]]:
    for protocol in protocols:
        for twin in twins:
            entries, left_out = read_entries(protocol, twin=twin)
            yield from ((entry, "") for entry in entries)
            for one in left_out:
                try:
                    yield Entry(read_record(one.path), one.path), one.reason
                except BenchError:
                    warnings.warn(f"{one.path}: {one.reason}", stacklevel=3)


def _on_validation(
    protocols: Iterable[Protocol], twins: Iterable[bool]
) -> Iterator[tuple[Entry, str]]:
    asked = {(p.id, p.version, p.digest(), twin) for p in protocols for twin in twins}
    for path in listed(home() / "runs", "*/record.json"):
        record = read_record(path)
        about = record.protocol
        if about.on == "validation" and (
            (about.id, about.version, about.digest, about.twin) in asked
        ):
            yield Entry(record, path), ""


def items(run: str | Outcome) -> pd.DataFrame:
    """The errors of a run's test items, metric after metric: `ItemColumns`.

    `run` is an id, a prefix of one, a record's path, or what `run` returned. A metric that is one number
    for all items has none here, unless the run kept what it is made from, as it does of path lengths:
    an item is a path then. Raises `UnknownName`, and `DataAltered` where the file of errors is missing
    or another one.

    Example: of a run under `ytf5`, 857 rows of `nme_iod` whose mean is the run's value.
    """
    path = find_run(run) if isinstance(run, str) else run.path
    entry = Entry(read_record(path), path)
    about, arrays = entry.record.protocol, entry.all_errors()
    names = item_keys(find_protocol(f"{about.id}@{about.version}"), entry.record.data["test"])
    parts = [
        _items(value, arrays[value.metric], item_groups(arrays, value), names)
        for value in entry.record.metrics
        if value.aggregate != "single"
    ]
    parts += [_items(value, kept, None, []) for value, kept in _kept_items(entry)]
    return pd.concat(parts or [table(ItemColumns, [])], ignore_index=True)


def _kept_items(entry: Entry) -> Iterator[tuple[Value, np.ndarray]]:
    """Metrics that are one number for all items, and the values of these (N,) that the run kept."""
    from benchmark.verification.kept import find_artefact  # which needs torch, as boards do not

    singles = [value for value in entry.record.metrics if value.aggregate == "single"]
    file = find_artefact(entry.path, entry.record, "predictions") if singles else None
    if file is not None:
        kept = load_arrays(file)
        yield from ((v, kept[v.metric]) for v in singles if v.metric in kept)


def _items(
    value: Value, errors: np.ndarray, groups: np.ndarray | None, names: list[str]
) -> pd.DataFrame:
    count, components = len(errors), errors.reshape(len(errors), -1).shape[1]
    if groups is None and value.groups is not None:
        groups = np.arange(count)
    item = np.repeat(np.arange(count), components)
    keys = np.array(names if len(names) == count else [""] * count, dtype=object)
    return table(
        ItemColumns,
        {
            "metric": [value.metric] * len(item),
            "item": item,
            "component": np.tile(np.arange(components), count),
            "key": keys[item],
            "group": [None] * len(item) if groups is None else groups[item],
            "value": errors.reshape(-1),
        },
    )
