"""Scoring predictions that were kept: on a CPU, without the method."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.contracts.errors import BenchError, DataAltered, DataMissing
from benchmark.datasets.opening import open_split
from benchmark.datasets.prepared import PreparedSplit
from benchmark.files import file_sha256, load_arrays
from benchmark.home import home
from benchmark.protocols import Protocol
from benchmark.records.model import Record
from benchmark.registry.protocols import find_protocol
from benchmark.tasks.base import find_task

if TYPE_CHECKING:
    from benchmark.contracts.method import Progress
    from benchmark.datasets.prepared import PreparedSplit


def find_artefact(path: Path, record: Record, kind: str) -> Path | None:
    """The file of predictions or errors of the record at `path`: beside it, or in the folder of the run
    that made it; None where it is not here. Raises `DataAltered` if it is not what its digest says."""
    for artefact in record.artefacts:
        run, _, name = artefact.path.partition(".")
        if name != f"{kind}.npz":
            continue
        for place in (path.parent, home() / "runs" / run):
            if (file := place / artefact.path).exists():
                if file_sha256(file) != artefact.sha256:
                    raise DataAltered(
                        f"{file} is not what the record of run {record.run_id} says",
                        cure="restore it from git, or run the same command again",
                    )
                return file
    return None


@dataclass(frozen=True)
class ItemErrors:
    """Per-item values by metric, as today's code finds them from kept predictions. `rounding` is how far
    each may lie from what the run found, because predictions were rounded when they were kept."""

    errors: dict[str, np.ndarray]
    rounding: dict[str, np.ndarray]


class OpenSplits:
    """Test splits by protocol, each opened (prepared or rendered where it is not) and held against its
    digests once, however many records were scored on it."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.progress: Progress = progress or _silent
        self._found: dict[tuple[str, bool], PreparedSplit | BenchError] = {}

    def of(self, protocol: Protocol, *, twin: bool) -> PreparedSplit:
        """Raises `DataMissing` where there is nothing to prepare it from, `DataAltered` where what lies
        here is not what it was prepared as."""
        key = (protocol.name, twin)
        if key not in self._found:
            self._found[key] = self._open(protocol, twin)
        found = self._found[key]
        if isinstance(found, BenchError):
            raise found
        return found

    def _open(self, protocol: Protocol, twin: bool) -> PreparedSplit | BenchError:
        try:
            split = open_split(protocol, "test", twin=twin, progress=self.progress)
            split.verify()
        except BenchError as error:
            return error
        return split


class PredictionsUnfit(BenchError):
    """What a record keeps as its predictions can't be those of its test images."""

    exit_code = 5


def score_predictions(path: Path, record: Record, splits: OpenSplits | None = None) -> ItemErrors:
    """Per-item values by metric, as today's code finds them from kept predictions.

    Holds those metrics that the kept predictions suffice for. Raises `DataMissing` where predictions or
    the labels of the test split are not here, or are made from other files than the record's,
    `DataAltered` where they are not what their digests say, and `PredictionsUnfit`.
    """
    protocol = find_protocol(f"{record.protocol.id}@{record.protocol.version}")
    file = find_artefact(path, record, "predictions")
    if file is None:
        raise DataMissing(
            f"the predictions of run {record.run_id} are not here",
            cure="they lie where it was run, in BENCH_HOME; or run the same command again",
        )
    split = scored_split(protocol, record, splits)
    task, scored = find_task(protocol.task), protocol.scored(twin=record.protocol.twin)
    try:
        kept = load_arrays(file)
        errors = task.errors(kept, split, scored)
        return ItemErrors(errors, task.rounding(kept, split, scored))
    except (BenchError, KeyError, ValueError, IndexError, TypeError, MemoryError) as error:
        raise PredictionsUnfit(
            f"{file.name} does not hold predictions of {len(split)} test images: {error}"
        ) from None


def scored_split(
    protocol: Protocol, record: Record, splits: OpenSplits | None = None
) -> PreparedSplit:
    """The test split that a record was scored on. Raises `DataMissing` where another one is here, and
    as `OpenSplits.of`."""
    split = (splits or OpenSplits()).of(protocol, twin=record.protocol.twin)
    stated = record.data["test"]
    if (split.pixels_digest, split.labels_digest) != (stated.pixels, stated.labels):
        raise DataMissing("the test split here is prepared from other files than the record's")
    return split


def _silent(stage: str, step: int, total: int, **values: float) -> None:
    pass
