"""What names, texts and numbers from elsewhere may be: they become paths, pages, terminal lines."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LONGEST_NAME = 64
LONGEST_LINE = 300
LONGEST_TEXT = 4000

ID = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
"""An id: lower-case words joined by one of `-`, `_`, `.`; so never "..", a slash or a space."""

NAME = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")
"""The same with capitals, for names that are not bench's to give (plugins, presets)."""

REFERENCE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
"""A "module:name" that is imported later."""

DOMAIN = "domains."
"""Before a domain's name: the role of its images in a protocol's data, a plan and a record."""

_MARKUP = re.compile(r"<[A-Za-z/!?]")


def only_fitted(role: str) -> bool:
    """Whether the images of a role are seen by methods alone, and by no probe or metric.

    >>> [only_fitted(role) for role in ("fit", "domains.renders", "train", "test")]
    [True, True, False, False]
    """
    return role == "fit" or role.startswith(DOMAIN)


def id_faults(what: str, text: Any) -> list[str]:
    """What is wrong with an id.

    >>> id_faults("id", "../x")
    ["id '../x' must be lower-case words joined by - _ or ."]
    """
    if not isinstance(text, str) or not ID.fullmatch(text):
        return [f"{what} {shown(text)} must be lower-case words joined by - _ or ."]
    return _length(what, text, LONGEST_NAME)


def name_faults(what: str, text: Any) -> list[str]:
    """What is wrong with a name."""
    if not isinstance(text, str) or not NAME.fullmatch(text):
        return [f"{what} {shown(text)} must be letters and digits joined by - _ or ."]
    return _length(what, text, LONGEST_NAME)


def reference_faults(what: str, text: Any) -> list[str]:
    """What is wrong with a "module:name" that is imported later."""
    if not isinstance(text, str) or not REFERENCE.fullmatch(text):
        return [f"{what} {shown(text)} must read 'module:Class'"]
    return []


def text_faults(what: str, text: Any, *, lines: bool = False) -> list[str]:
    """What is wrong with a text: control characters, markup, line breaks (unless `lines`), length."""
    if not isinstance(text, str):
        return [f"{what} is {type(text).__name__}, not text"]
    if any(not c.isprintable() and not (lines and c == "\n") for c in text):
        return [f"{what} holds line breaks or control characters: {shown(text)}"]
    if _MARKUP.search(text):
        return [f"{what} holds markup: {shown(text)}"]
    return _length(what, text, LONGEST_TEXT if lines else LONGEST_LINE)


def is_version(path: Path) -> bool:
    """Whether a protocol file's name is a version: "1.toml", "12.toml"."""
    return path.suffix == ".toml" and path.stem.isascii() and path.stem.isdigit()


def value_faults(what: str, value: Any) -> list[str]:
    """What is wrong with a setting: plain values only (finite numbers, text, tables, lists).

    >>> value_faults("preset small", {"rate": float("nan")})
    ['preset small: rate is nan, not a finite number']
    """
    return [f"{what}: {fault}" for fault in _value_faults("", value)]


def _value_faults(place: str, value: Any) -> list[str]:
    if isinstance(value, Mapping):
        strange = [f"{shown(key)} is no name of a setting" for key in value if type(key) is not str]
        inner = [_value_faults(f"{place}.{key}".strip("."), v) for key, v in value.items()]
        return strange + [fault for faults in inner for fault in faults]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [fault for v in value for fault in _value_faults(place, v)]
    if isinstance(value, float) and not math.isfinite(value):
        return [f"{shown(place, quote=False)} is {value}, not a finite number"]
    if value is not None and not isinstance(value, str | int | float | bool):
        return [f"{shown(place, quote=False)} is {type(value).__name__}, not a plain value"]
    return []


def shown(text: Any, *, quote: bool = True, most: int = 80) -> str:
    """A text from elsewhere as it may be printed: one line, nothing a terminal would obey, cut.

    >>> shown("a\\x1b[31mb", quote=False)
    'a?[31mb'
    """
    plain = text if isinstance(text, str) and not quote else repr(text)
    plain = "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in plain)
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _length(what: str, text: str, most: int) -> list[str]:
    if len(text) > most:
        return [f"{what} has {len(text)} characters, {most} are allowed: {shown(text, most=40)}"]
    return []
