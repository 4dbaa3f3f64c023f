"""Predictions made elsewhere, scored as `bench score --print` does."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from benchmark.boards.entries import Entry
from benchmark.boards.frames import table
from benchmark.contracts.errors import InvalidInput
from benchmark.interface.progress import make_progress
from benchmark.interface.tables import ResultColumns
from benchmark.runner.external import Submission, score_and_forget, write_template
from benchmark.runner.prediction_files import read_arrays

COLUMNS = ["metric", "value", "unit", "better", "ci95_low", "ci95_high", "items", "groups"]
"""Of `ResultColumns`, those of a score."""


def score(
    protocol: str,
    predictions: Mapping[str, Any] | str | PathLike[str],
    *,
    twin: bool = False,
    device: str = "auto",
    quiet: bool = False,
) -> pd.DataFrame:
    """The metrics of predictions by the protocol's own probe and path; no record is left.

    `predictions` are what a file of `bench score` holds: for each set of images that the task looks at
    its arrays or tensors, "test/landmarks" (N, K, 2), "train/landmarks", … (`bench score --template`
    names them). Rows are in the order of the split's keys, or of "test/keys" if that is given. Or they
    are the path of such a file, or of a folder of generated pictures.

    Returns a row for each metric, the headline first, with `COLUMNS`. Raises `InvalidInput`, which names
    up to 12 keys, for arrays that are not as they should be, and `Incompatible`.

    Example: the true landmarks of `ytf5` for both "train/landmarks" and "test/landmarks" score 0 %.
    """
    if not isinstance(predictions, Mapping | str | PathLike):
        raise InvalidInput(
            f"predictions are {type(predictions).__name__}, not a mapping of names to arrays, or a path",
            cure='score("ytf5", {"train/landmarks": …, "test/landmarks": …})',
        )
    with closing(make_progress(quiet)) as progress, TemporaryDirectory() as scratch:
        if isinstance(predictions, Mapping):
            path = Path(scratch) / "predictions.npz"
            write_template(path, protocol, twin, progress)
            given = {name: _array(found) for name, found in predictions.items()}
            np.savez(path, **{**read_arrays(path), **given})  # type: ignore[arg-type]
        else:
            path = Path(predictions)
        submission = Submission(protocol, path, "unnamed", "", twin=twin, device=device)
        record = score_and_forget(submission, progress)
    lines = [ResultColumns.of(Entry(record, path), value) for value in record.metrics]
    return table(ResultColumns, lines)[COLUMNS]


def _array(found: Any) -> np.ndarray:
    """An array, or torch's tensor wherever it lies; NumPy has no bfloat16."""
    if not hasattr(found, "detach"):
        return np.asarray(found)
    tensor = found.detach().cpu()
    return np.asarray(tensor.float() if tensor.is_floating_point() else tensor)
