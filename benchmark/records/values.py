"""From per-item errors to what a record says of them: values, artefacts, and whether two runs agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.files import file_sha256, whole_file
from benchmark.metrics.aggregates import aggregate
from benchmark.metrics.catalogue import version
from benchmark.metrics.intervals import bootstrap_interval
from benchmark.protocols import Metric
from benchmark.records.model import Artefact, Record, Value

COMMITTED_BYTES = {"errors": 4 * 2**20, "predictions": 256 * 1024}
"""What is small enough to lie beside a record; without its errors a record makes no row."""


def value_of(
    metric: Metric,
    errors: np.ndarray,
    per_item: str,
    *,
    items: int | None = None,
    groups: np.ndarray | None = None,
) -> Value:
    """What a metric's per-item values, kept in the file `per_item`, come to today.

    `items` is how many stand behind a metric that is one number for all; `groups` (N,) which of the
    values belong together, None where each is on its own.
    """
    by = metric.aggregate
    try:
        number = aggregate(errors, by)
    except InvalidInput as error:
        raise InvalidInput(f"{metric.id}: {error.message}") from None
    return Value(
        metric=metric.id,
        version=version(metric.measured),
        value=number,
        unit=metric.unit,
        better=metric.better,
        n=len(errors) if items is None else items,
        ci95=None if by == "single" else bootstrap_interval(errors, by=by, groups=groups),
        per_item=per_item,
        aggregate=by,
        groups=None if by == "single" else len(errors) if groups is None else int(groups.max()) + 1,
    )


def write_artefact(path: Path, arrays: dict[str, np.ndarray]) -> Artefact:
    """Write arrays beside a record, as `RUN.errors.npz` or `RUN.predictions.npz`, and say what they are;
    small ones are to be committed with it."""
    kind = path.name.split(".")[1]
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    size = path.stat().st_size
    return Artefact(
        path=path.name,
        sha256=file_sha256(path),
        bytes=size,
        committed=size <= COMMITTED_BYTES[kind],
    )


def same_run(one: Record, other: Record) -> bool:
    """Whether two records say the same, but for what may be added later: remarks and the curve."""
    added: dict[str, Any] = {"edits": [], "curve": []}
    return one.model_copy(update=added) == other.model_copy(update=added)
