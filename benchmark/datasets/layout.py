"""What readers check about a publisher's files: they are there, and there are as many as stated."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.contracts.errors import DataAltered, DataMissing

AGAIN = "put the publisher's files there again, unchanged; `bench data ls` shows the layout"


def required(path: Path) -> Path:
    """`path`, if something is there."""
    if not path.exists():
        raise DataMissing(f"expected {path}, and it is not there", cure=AGAIN)
    return path


def expect_count(path: Path, what: str, found: int, expected: int) -> None:
    """Refuse a list that is shorter or longer than its publisher's."""
    if found != expected:
        raise DataAltered(f"{path}: expected {expected:,} {what}, found {found:,}", cure=AGAIN)


def numbers(path: Path, line: int, words: list[str], count: int) -> np.ndarray:
    """`count` finite numbers, float64, from the words of one line; `line` counts from 1."""
    if len(words) != count:
        raise DataAltered(
            f"{path}, line {line}: expected {count} numbers, found {len(words)}", cure=AGAIN
        )
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError:
        raise DataAltered(f"{path}, line {line}: not all are numbers", cure=AGAIN) from None
    if not np.isfinite(values).all():
        raise DataAltered(f"{path}, line {line}: NaN or infinity", cure=AGAIN)
    return values


def matlab_arrays(path: Path, *names: str) -> dict[str, np.ndarray]:
    """The named arrays of a MATLAB file (version 7 or older)."""
    from scipy.io import loadmat

    try:
        found = loadmat(path, variable_names=names)
    except Exception as error:  # scipy raises many kinds on a damaged file, zlib.error among them
        raise DataAltered(f"{path} can't be read as a MATLAB file ({error})", cure=AGAIN) from None
    absent = [name for name in names if name not in found]
    if absent:
        raise DataAltered(f"{path} holds no array {absent[0]!r}", cure=AGAIN)
    return {name: found[name] for name in names}
