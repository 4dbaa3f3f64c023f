"""Settings as words: as a board prints them, and as a person types them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from benchmark.settings import SettingsInvalid, parse


def flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one, keys joined by dots; lists of tables are counted from 0.

    >>> flat({"a": {"b": 1}, "c": [{"d": 2}]})
    {'a.b': 1, 'c.0.d': 2}
    """
    found: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, Mapping):
            found.update(flat(value, f"{prefix}{key}."))
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            for i, item in enumerate(value):
                found.update(flat(item, f"{prefix}{key}.{i}."))
        else:
            found[prefix + key] = list(value) if isinstance(value, tuple) else value
    return found


def typed_words(text: str, phrases: Iterable[str] = ()) -> list[str]:
    """The words of what was typed, set apart by commas or spaces; `phrases` are words with spaces.

    >>> typed_words("small,sizes=[1, 2] version=2")
    ['version 2', 'small', 'sizes=[1, 2]']
    """
    found = []
    for phrase in sorted(phrases, key=len, reverse=True):
        if phrase.startswith("version "):
            continue  # however it is typed, it is found below
        apart = r"[\s,]+".join(re.escape(part) for part in re.split(r"[\s,]+", phrase))
        text, count = re.subn(rf"(?<![^\s,]){apart}(?![^\s,])", " ", text)
        found += [phrase] * bool(count)
    versions = re.compile(r"(?<![^\s,])version[\s=]+(\d+)(?![^\s,])")
    found += [f"version {number}" for number in versions.findall(text)]
    return found + re.findall(r"(?:\[[^\]]*\]|[^\s,\[])+", versions.sub(" ", text))


def matches(word: str, typed: str, *, bare: bool = True) -> bool:
    """Whether what was typed is this word of a row or, if `bare`, the value alone of this setting.

    >>> matches("sharpness=8.0", "sharpness=8"), matches("sharpness=8.0", "8")
    (True, True)
    """
    if word == typed:
        return True
    key, equals, value = word.partition("=")
    if not equals:
        return False
    if typed.startswith("version "):
        typed = typed.replace(" ", "=", 1)  # a setting may be called so too
    named, equals, asked = typed.partition("=")
    if equals:
        return named == key and _same(value, asked)
    return bare and _same(value, typed)


def _same(one: str, other: str) -> bool:
    a, b = _value(one), _value(other)
    return isinstance(a, bool) == isinstance(b, bool) and a == b


def _value(text: str) -> Any:
    """A value as `--set` reads it, or Python writes it; what is neither is a string, and so is none."""
    if text in ("True", "False"):
        return text == "True"
    try:
        found = parse(f"value={text}")[1]
    except SettingsInvalid:
        return text
    return "none" if found is None else found
