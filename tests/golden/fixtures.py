"""Files that golden items refer to by digest and do not embed, found under `$BENCH_DATA`."""

from __future__ import annotations

import functools
import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmark.contracts.errors import DataMissing
from benchmark.files import file_sha256

CURE = "point BENCH_DATA at the folder (or folders, separated as in PATH) that holds it"


def find_file(name: str, sha256: str) -> Path:
    """The file of that sha256, whatever it is called; one of the given name is looked at first."""
    candidates = _files(Path(name).suffix)
    for path in sorted(candidates, key=lambda path: path.name != name):
        if _digest(path) == sha256:
            return path
    raise DataMissing(f"{name} (sha256 {sha256}) is not under BENCH_DATA", cure=CURE)


def find_table(label: str, sha256: str) -> np.ndarray:
    """The array `value` of the npz file whose rows, sorted by `file_name`, have that sha256.

    The digest is over float64, little-endian, in C order.
    """
    for path in _files(".npz"):
        rows = _sorted_rows(path)
        if rows is not None and hashlib.sha256(rows.tobytes()).hexdigest() == sha256:
            return rows
    raise DataMissing(
        f"{label}: no table whose sorted values have sha256 {sha256} is under BENCH_DATA", cure=CURE
    )


def _files(suffix: str) -> Iterator[Path]:
    roots = [root for root in os.environ.get("BENCH_DATA", "").split(os.pathsep) if root]
    for root in roots:
        yield from sorted(path for path in Path(root).rglob(f"*{suffix}") if path.is_file())


@functools.cache
def _digest(path: Path) -> str:
    return file_sha256(path)


def _sorted_rows(path: Path) -> np.ndarray | None:
    with zipfile.ZipFile(path) as archive:
        members = set(archive.namelist())
    if not {"value.npy", "file_name.npy"} <= members:
        return None
    with np.load(path) as table:
        return np.ascontiguousarray(table["value"][np.argsort(table["file_name"])], "<f8")
