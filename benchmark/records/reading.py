"""Records as files: read, brought up to date, and written so that they can be read again."""

from __future__ import annotations

import json
import math
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from benchmark.contracts.errors import BenchError, RecordTooNew
from benchmark.records.model import SCHEMA, Record

LARGEST = 4 * 2**20  # bytes


class RecordInvalid(BenchError):
    """A file that should be a record is none."""

    exit_code = 12


def _no_versions_of_metrics(content: dict[str, Any]) -> dict[str, Any]:
    """Schema 1 knew one version of each metric, and no records scored again."""
    return {**content, "record_schema": 2}


def _no_code_of_plugins(content: dict[str, Any]) -> dict[str, Any]:
    """Schema 2 knew bench's own code alone."""
    return {**content, "record_schema": 3}


def _no_groups(content: dict[str, Any]) -> dict[str, Any]:
    """Schema 3 took every item for independent, and asked plugins what they are known to fail."""
    return {**content, "record_schema": 4}


def _nothing_from_elsewhere(content: dict[str, Any]) -> dict[str, Any]:
    """Schema 4 knew no settings of prediction alone, and no predictions that were made elsewhere."""
    return {**content, "record_schema": 5}


REFERENCES = ("training-images",)
"""Methods that were floors when there were no references."""


def _no_references(content: dict[str, Any]) -> dict[str, Any]:
    """Schema 5 knew no references: what a copy of the training set scores was called a floor."""
    content = {**content, "record_schema": 6}
    method = content.get("method")
    if (
        isinstance(method, dict)
        and method.get("role") == "floor"
        and method.get("id") in REFERENCES
    ):
        content["method"] = {**method, "role": "reference"}
    return content


MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: _no_versions_of_metrics,
    2: _no_code_of_plugins,
    3: _no_groups,
    4: _nothing_from_elsewhere,
    5: _no_references,
}
"""From schema n to n + 1."""


CONTROL = re.compile(
    r"(?<!\\)(?:\\\\)*\\(?:[bfr]|u00[0189][0-9a-f]|u007f|u20(?:2[a-e]|6[6-9]))"
    "|[\x7f-\x9f\u202a-\u202e\u2066-\u2069]",
    re.IGNORECASE,
)
"""Characters in JSON text, escaped or not, that move a terminal's cursor or turn its writing around."""


def text_fault(content: Any) -> str:
    """Why a record could not hold this (settings, a note), in words; empty where it could.

    Asked before a run, for `record_text` would refuse it when all work is done.

    Example: `text_fault({"tag": "a\\x1b[31m"})` is "it holds control characters".
    """
    try:
        text = json.dumps(content, allow_nan=False, ensure_ascii=False)
        size = len(text.encode("utf-8"))
    except (ValueError, RecursionError, TypeError) as error:
        return f"it can't be written: {error}"
    if size > LARGEST // 2:
        return f"it is larger than half of what a record may be ({LARGEST:,} bytes)"
    return "it holds control characters" if _moves_the_cursor(text) else ""


def _moves_the_cursor(text: str) -> bool:
    # the search is slow beside the two questions before it, and most records need no more than these
    plain = text.isascii() and "\\" not in text and "\x7f" not in text
    return not plain and CONTROL.search(text) is not None


def _refused(constant: str) -> float:
    raise ValueError(f"a record holds finite numbers only, not {constant}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A table whose keys come once each: of two, programs take one or the other."""
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} stands there twice")
    return table


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refused(digits)


def read_record(path: Path) -> Record:
    """Read a record, bringing old schemas up to date; a newer one is refused.

    Raises `RecordInvalid` for what is no record: no plain file, too large, no JSON, a field that is
    missing or of another kind, no metric or one twice, files of other runs.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise RecordInvalid(f"{path} is no plain file")
        if about.st_size > LARGEST:
            raise RecordInvalid(f"{path} is larger than a record may be ({LARGEST:,} bytes)")
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise RecordInvalid(f"there is no record at {path}") from None
    except UnicodeDecodeError as error:
        raise RecordInvalid(f"{path} is not JSON: {error}", cure="restore it from git") from None
    except OSError as error:
        raise RecordInvalid(f"{path} can't be read: {error.strerror}") from None
    return _parsed(text, str(path))


def record_text(record: Record) -> str:
    """A record as it is written. Raises `RecordInvalid` for one that `read_record` would refuse, so that
    nothing is written which can't be read again."""
    where = f"the record of run {record.run_id}"
    try:
        content = record.model_dump(mode="json")
        text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
        size = len(text.encode("utf-8"))
    except (ValueError, RecursionError) as error:  # too deep, or letters that are none
        raise RecordInvalid(f"{where} can't be written: {error}") from None
    if size > LARGEST:
        raise RecordInvalid(f"{where} is larger than a record may be ({LARGEST:,} bytes)")
    _parsed(text, where)
    return text


def _parsed(text: str, where: str) -> Record:
    if _moves_the_cursor(text):
        raise RecordInvalid(f"{where} holds control characters")
    try:
        content = json.loads(
            text, parse_constant=_refused, parse_float=_finite, object_pairs_hook=_once
        )
    except (ValueError, RecursionError) as error:
        raise RecordInvalid(f"{where} is not JSON: {error}", cure="restore it from git") from None
    schema = content.get("record_schema") if isinstance(content, dict) else None
    if type(schema) is not int or schema < 1:
        raise RecordInvalid(f"{where} is no record: it has no record_schema")
    if schema > SCHEMA:
        raise RecordTooNew(
            f"{where} has record schema {schema}; this bench reads up to {SCHEMA}",
            cure="update bench: pip install --upgrade structbench",
        )
    while schema < SCHEMA:
        content = MIGRATIONS[schema](content)
        schema += 1
    try:
        return Record.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        words = [".".join(str(p) for p in first["loc"]), first["msg"].removeprefix("Value error, ")]
        fault = ": ".join(word for word in words if word)
        raise RecordInvalid(
            f"{where} is no valid record: {fault}", cure="restore it from git"
        ) from None
