"""Records as a forger would make them: ids, digests and values follow from what is claimed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.files import file_sha256, load_arrays
from benchmark.metrics.aggregates import aggregate
from benchmark.metrics.intervals import bootstrap_interval
from benchmark.records.identity import ids_from_record
from benchmark.records.model import GROUPS, Record

Change = Callable[[dict[str, Any]], object]


def altered(path: Path, change: Change) -> Path:
    """The record at `path` with some of its content changed."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def forged(path: Path, change: Change) -> Path:
    """The same under the ids that its content then gives; its files take the new name."""
    altered(path, change)
    text = path.read_text()
    _, run = ids_from_record(Record.model_validate_json(text))
    for ending in (".json", ".errors.npz", ".predictions.npz"):
        path.with_suffix(ending).rename(path.with_name(f"{run}{ending}"))
    target = path.with_name(f"{run}.json")
    target.write_text(text.replace(path.stem, run))
    return altered(target, lambda c: c.update(fit_id=ids_from_record(Record(**c))[0]))


def with_errors(path: Path, **arrays: np.ndarray) -> Path:
    """The record with other per-item values, and all that follows from them."""
    file = path.with_suffix(".errors.npz")
    found = load_arrays(file) | arrays
    for name, errors in arrays.items():  # other items are in groups of their own
        if len(found.get(GROUPS + name, errors)) != len(errors):
            del found[GROUPS + name]
    np.savez_compressed(file, **found)

    def follow(content: dict[str, Any]) -> None:
        for value in content["metrics"]:
            errors, by = found[value["metric"]], value["aggregate"]
            value.update(value=aggregate(errors, by), n=len(errors))
            groups = found.get(GROUPS + value["metric"])
            value.update(groups=len(errors) if groups is None else int(groups.max()) + 1)
            value.update(ci95=list(bootstrap_interval(errors, by=by, groups=groups)))
        artefact = next(a for a in content["artefacts"] if a["path"] == file.name)
        artefact.update(sha256=file_sha256(file), bytes=file.stat().st_size)

    return altered(path, follow)
