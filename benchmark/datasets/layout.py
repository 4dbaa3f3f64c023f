"""What readers check about a publisher's files: they are there, can be read, are as many as stated.

Whatever is wrong with a list or a table is told with its path and line; blank lines count nowhere.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmark.contracts.errors import DataAltered, DataMissing
from benchmark.files import file_sha256

AGAIN = "put the publisher's files there again, unchanged; `bench data ls` shows the layout"


def required(path: Path) -> Path:
    """`path`, if something is there."""
    if not path.exists():
        raise DataMissing(f"expected {path}, and it is not there", cure=AGAIN)
    return path


def listed(folder: Path) -> list[Path]:
    """What lies in a folder that must be there, by name; hidden files (macOS leaves some) left out."""
    return sorted(path for path in required(folder).iterdir() if not path.name.startswith("."))


def expect_count(path: Path, what: str, found: int, expected: int) -> None:
    """Refuse a list that is shorter or longer than its publisher's."""
    if found != expected:
        raise DataAltered(f"{path}: expected {expected:,} {what}, found {found:,}", cure=AGAIN)


class Line(NamedTuple):
    """A line of a list or a row of a table that is not blank: its number, from 1, and its words."""

    number: int
    words: list[str]


def text_of(path: Path) -> str:
    """The text of a file that must be there, in UTF-8."""
    if not required(path).is_file():  # a pipe would be waited for
        raise DataAltered(f"{path} is no regular file", cure=AGAIN)
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataAltered(f"{path} is not UTF-8 text ({error})", cure=AGAIN) from None
    except OSError as error:
        raise DataAltered(f"{path} can't be read ({error})", cure=AGAIN) from None


def list_of(path: Path, words: int | None = None) -> list[Line]:
    """The lines of a list as words between blanks; with `words`, each line must have so many.

    Example: `for line, (name, code) in list_of(path, words=2): …`.
    """
    found = [Line(n, t.split()) for n, t in enumerate(text_of(path).splitlines(), 1) if t.strip()]
    if words is not None:
        _require_width(path, found, words)
    return found


def words_of(path: Path) -> list[str]:
    """All words of a file, however they are spread over lines."""
    return text_of(path).split()


def table_of(path: Path) -> tuple[list[str], list[Line]]:
    """The header of a CSV and its rows, each as wide as the header; `number` is a row's last line."""
    rows: list[Line] = []
    reader = csv.reader(io.StringIO(text_of(path), newline=""), strict=True)
    try:
        rows += (Line(reader.line_num, row) for row in reader if any(map(str.strip, row)))
    except csv.Error as error:
        raise DataAltered(
            f"{path}, line {reader.line_num}: no comma-separated values ({error})", cure=AGAIN
        ) from None
    if not rows:
        raise DataAltered(f"{path} is empty", cure=AGAIN)
    (_, header), *rows = rows
    _require_width(path, rows, len(header))
    return header, rows


def frozen_table(path: Path, sha256: str, columns: Sequence[str]) -> list[tuple[int, np.ndarray]]:
    """(line, numbers) of each row of a CSV that lies beside a protocol, which states its sha256.

    Raises `DataAltered` for a file that is not there, is another, or has other columns.
    """
    cure = "restore the file as the protocol was published, or make a new protocol version"
    if not path.is_file():
        raise DataAltered(f"the protocol's file {path} is not there", cure=cure)
    if (found := file_sha256(path)) != sha256:
        stated = sha256[:12] or "none"
        raise DataAltered(
            f"{path} has sha256 {found[:12]}…, the protocol states {stated}", cure=cure
        )
    header, rows = table_of(path)
    if header != list(columns):
        raise DataAltered(f"{path}: expected the columns {','.join(columns)}", cure=cure)
    return [(line, numbers(path, line, words, len(columns))) for line, words in rows]


def columns_of(path: Path, header: list[str], *names: str) -> list[int]:
    """Where in a table's header the named columns are."""
    absent = [name for name in names if name not in header]
    if absent:
        raise DataAltered(f"{path} has no column {absent[0]}", cure=AGAIN)
    return [header.index(name) for name in names]


def _require_width(path: Path, lines: list[Line], width: int) -> None:
    for number, words in lines:
        if len(words) != width:
            raise DataAltered(
                f"{path}, line {number}: expected {width} values, found {len(words)}", cure=AGAIN
            )


def numbers(path: Path, line: int, words: list[str], count: int) -> np.ndarray:
    """`count` finite numbers, float64, from the words of one line; `line` counts from 1."""
    if len(words) != count:
        raise DataAltered(
            f"{path}, line {line}: expected {count} numbers, found {len(words)}", cure=AGAIN
        )
    try:
        # Python takes 1_0 and digits of other scripts for numbers
        if not (together := "".join(words)).isascii() or "_" in together:
            raise ValueError
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
