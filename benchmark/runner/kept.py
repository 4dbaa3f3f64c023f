"""Scoring predictions that were kept: on a CPU, without the method."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.contracts.errors import DataAltered, DataMissing
from benchmark.contracts.record import Record
from benchmark.datasets.opening import open_split
from benchmark.files import file_sha256, load_arrays
from benchmark.home import home
from benchmark.protocols import find_protocol
from benchmark.tasks.base import find_task


def find_kept(path: Path, record: Record, kind: str) -> Path | None:
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


def score_kept(path: Path, record: Record) -> dict[str, np.ndarray]:
    """Per-item values by metric, as today's code finds them from kept predictions.

    Holds those metrics that the kept predictions suffice for. Raises `DataMissing` where predictions or
    the labels of the test split are not here, or are made from other files than the record's.
    """
    protocol = find_protocol(f"{record.protocol.id}@{record.protocol.version}")
    kept = find_kept(path, record, "predictions")
    if kept is None:
        raise DataMissing(
            f"the predictions of run {record.run_id} are not here",
            cure="they lie where it was run, in BENCH_HOME; or run the same command again",
        )
    split = open_split(protocol, "test", twin=record.protocol.twin, progress=_silent)
    split.verify()
    stated = record.data["test"]
    if (split.pixels_digest, split.labels_digest) != (stated.pixels, stated.labels):
        raise DataMissing("the test split here is prepared from other files than the record's")
    scored = protocol.scored(twin=record.protocol.twin)
    return find_task(protocol.task).errors(load_arrays(kept), split, scored)


def _silent(stage: str, step: int, total: int, **values: float) -> None:
    pass
