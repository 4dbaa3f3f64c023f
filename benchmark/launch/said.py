"""What a run elsewhere says of itself: its outcome, its error, and how far it is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from benchmark.contracts.launch import Ended

LAST = 2000
"""Bytes at the end of a log that are looked at."""


def summary(ended: Ended) -> dict[str, Any] | None:
    """What a run that ended well printed last, after whatever its method's own processes did. None for
    a run that did not end well, or says nothing."""
    return last_json(ended.output) if ended.code == 0 else None


def last_json(output: str) -> dict[str, Any] | None:
    """The JSON object that a text ends with.

    >>> last_json('epoch 1\\n{"run_id": "a"}\\n')
    {'run_id': 'a'}
    """
    start = ("\n" + output).rfind("\n{")
    if start < 0:
        return None
    try:
        found: dict[str, Any] = json.loads(output[start:])
    except ValueError:
        return None
    return found


def error(ended: Ended) -> str:
    """The error that a run ended with, from its log."""
    if ended.code == 0:
        return "it ended well and printed no JSON"
    text = _end(ended.log)
    at = text.rfind("error: ")
    if at >= 0:
        return text[at:].strip()
    if ended.lost:
        return "its process died, or the machine that it ran on"
    return text.strip() or f"exit code {ended.code}"


def progress(log: Path) -> str:
    """The last line of a log, where it says how far a run is ("train: 30/100 · 12 s left"); else ""."""
    lines = [line.strip() for line in _end(log).splitlines()]
    return next((line for line in reversed(lines) if ": " in line and "/" in line), "")


def _end(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LAST))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
