"""A method's settings: its preset, what was given on top, and the method's own model over both.

A setting on the command line, on a board and on a page is one word, "key=value": `parse` reads it and
`word` writes it. Values are TOML; a bare word is a string, but for `none`, which TOML lacks.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import ValidationError

from benchmark.contracts.errors import BenchError, UnknownName, did_you_mean
from benchmark.contracts.spec import MethodSpec

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from benchmark.contracts.method import Method, MethodSettings


class SettingsInvalid(BenchError):
    """A setting that the method does not have, or a value it does not take."""

    exit_code = 2


def resolve_settings(
    spec: MethodSpec,
    cls: type[Method],
    preset: str,
    given: Mapping[str, Any],
    *,
    twin: bool = False,
) -> tuple[str, MethodSettings]:
    """Preset, then what was given on top, checked by the method's own model."""
    chosen = preset or (spec.twin_preset if twin else "") or spec.default_preset
    contents = spec.presets.get(chosen)
    if not preset and contents and contents.keys() <= given.keys():
        chosen = ""  # nothing of it is left, so the run should not bear its name
    if chosen and chosen not in spec.presets:
        raise UnknownName(f"{spec.id} preset", chosen, spec.presets)
    values = merge(dict(spec.presets[chosen]) if chosen else {}, given)
    return chosen, validated(spec.id, cls.Settings, values)


def parse(word: str) -> tuple[str, Any]:
    """The key and the value of "key=value"; raises `SettingsInvalid` for anything else.

    >>> parse("network.width=1.5"), parse("network.kind=wide"), parse("dimension=none")
    (('network.width', 1.5), ('network.kind', 'wide'), ('dimension', None))
    >>> parse('reduction="none"')  # quoted, it is the string
    ('reduction', 'none')
    """
    key, equals, text = word.partition("=")
    if not equals or not all(key.strip().split(".")):
        raise SettingsInvalid(f"{word!r} is not key=value")
    if text.strip() == "none":
        return key.strip(), None
    try:
        found = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        if text.strip()[:1] in OPENING:
            raise SettingsInvalid(
                f"{word!r}: what follows {key.strip()}= is no TOML value: {error}",
                cure='strings within lists and tables are quoted: [1, 2], {mode = "a"}; so is a '
                "string that begins with a bracket or a quote",
            ) from None
        return key.strip(), text
    return key.strip(), found["value"] if len(found) == 1 else text  # a line more is no value


OPENING = ("[", "{", '"', "'")
"""What begins a list, a table or a quoted string; no bare word begins so."""


def word(key: str, value: Any) -> str:
    """The word that `parse` reads as this key and value.

    >>> word("rate", 1e-05), word("margin", True), word("dimension", None), word("reduction", "none")
    ('rate=1e-05', 'margin=true', 'dimension=none', 'reduction="none"')
    >>> word("sizes", [1, 2]), word("stage", {"steps": 3})
    ('sizes=[1, 2]', 'stage={steps = 3}')
    """
    if value is None:
        return f"{key}=none"
    bare = isinstance(value, str) and value.isprintable() and value.strip()[:1] not in OPENING
    if bare and parse(f"x={value}") == ("x", value):
        return f"{key}={value}"
    return f"{key}={_toml(value)}"


def settings_words(settings: Mapping[str, Any]) -> list[str]:
    """Each setting as a word, sorted; of nested tables each value, its keys joined by dots.

    >>> settings_words({"network": {"width": 1.5}, "dimension": 64})
    ['dimension=64', 'network.width=1.5']
    """
    return sorted(word(key, value) for key, value in _leaves(settings, ""))


def from_words(given: Iterable[str]) -> dict[str, Any]:
    """The settings that words say, as nested tables; of two words for one key the later counts.

    Raises `SettingsInvalid` for what `parse` refuses, and where a value would be a table too.

    >>> from_words(["dimension=64", "network.width=1.5", "network.depth=none"])
    {'dimension': 64, 'network': {'width': 1.5, 'depth': None}}
    """
    found: dict[str, Any] = {}
    for one in given:
        key, value = parse(one)
        *tables, last = key.split(".")
        place = found
        for name in tables:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise SettingsInvalid(f"{one!r}: {name} was given a value before")
        place[last] = value
    return found


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


def _leaves(table: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping) and value and all(map(BARE.fullmatch, value)):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


BARE = re.compile(r"[A-Za-z0-9_-]+")
"""Keys that TOML takes without quotes."""


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = (f"{k if BARE.fullmatch(k) else _toml(k)} = {_toml(v)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def validated(
    method: str, model: type[MethodSettings], values: Mapping[str, Any]
) -> MethodSettings:
    """Values checked by a method's settings model; raises SettingsInvalid, which names its fields.

    None stands for the word "none" where a setting has that word among its values and takes no None.
    """
    values = _spelt(model, values)
    try:
        try:
            settings = model.model_validate(values)
        except ValidationError as error:
            spelt = _with_the_word_none(values, error.errors())
            if spelt is None:
                raise
            try:
                settings = model.model_validate(spelt)
            except ValidationError:
                raise error from None
        json.dumps(settings.model_dump(mode="json"), allow_nan=False)
        return settings
    except ValidationError as error:
        faults = error.errors()
        unknown = [_place(f) for f in faults if f["type"] == "extra_forbidden"]
        guesses = "".join(did_you_mean(name, model.model_fields) for name in unknown)
        fields = ", ".join(sorted(model.model_fields)) or "none"
        nothing = any(f["input"] in ("None", "null") for f in faults if isinstance(f["input"], str))
        raise SettingsInvalid(
            f"settings of method {method!r}: {'; '.join(_fault_in_words(f, model) for f in faults)}",
            cure=f"{guesses}its settings are: {fields}"
            if unknown
            else "the word for no value is none"
            if nothing
            else f"`bench show method {method}` says what its settings mean",
        ) from None
    except ValueError:
        raise SettingsInvalid(f"settings of method {method!r} hold NaN or infinity") from None


def _spelt(model: type[MethodSettings], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with "none" for each None whose field has that word among its values and takes no None.

    By the types, before a model's own validators see it: they may take None for "not given".
    """
    found = dict(values)
    for name, value in values.items():
        members = (
            [*_members(model.model_fields[name].annotation)] if name in model.model_fields else []
        )
        if value is None and "none" in members and type(None) not in members:
            found[name] = "none"
        for inner in members if isinstance(value, Mapping) else ():
            if isinstance(inner, type) and hasattr(inner, "model_fields"):
                found[name] = _spelt(inner, value)
    return found


def _members(annotation: Any) -> Iterable[Any]:
    """The types, and the words of `Literal`, that a union is made of."""
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_origin(annotation) in (Union, UnionType, Annotated):
        for one in get_args(annotation):
            yield from _members(one)
    else:
        yield annotation


def _with_the_word_none(
    values: Mapping[str, Any], faults: Iterable[ErrorDetails]
) -> dict[str, Any] | None:
    """`values` with "none" for each None that was refused; None where there is no such."""
    spelt, changed = copy.deepcopy(dict(values)), False
    for fault in faults:
        table: Any = spelt
        for step in fault["loc"]:
            inner = table[step] if isinstance(table, dict) and step in table else ...
            if inner is None:
                table[step], changed = "none", True
            if not isinstance(inner, dict):
                break
            table = inner
    return spelt if changed else None


def as_taken(given: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, with the word "none" where `settings`, made of it, took None for that word.

    >>> as_taken({"reduction": None, "dimension": None}, {"reduction": "none", "dimension": None})
    {'reduction': 'none', 'dimension': None}
    """
    found = dict(given)
    for key, value in given.items():
        took = settings.get(key)
        if isinstance(value, Mapping) and isinstance(took, Mapping):
            found[key] = as_taken(value, took)
        elif value is None and took == "none":
            found[key] = took
    return found


def shown_type(annotation: Any) -> str:
    """A type as one writes it: "int", "Literal['a', 'b']"."""
    plain = isinstance(annotation, type) and not get_args(annotation)
    return annotation.__name__ if plain else str(annotation).replace("typing.", "")


def _place(fault: ErrorDetails) -> str:
    return ".".join(map(str, fault["loc"]))


def _fault_in_words(fault: ErrorDetails, model: type[MethodSettings]) -> str:
    """One fault in words: the value given and what was expected, where the setting is a plain one."""
    place = _place(fault)
    reason = fault["msg"].removeprefix("Input ").removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        return f"there is no setting {place!r}"
    field = model.model_fields.get(place)
    if not place:  # the model's own validator, which looks at several
        return reason
    if field is None or fault["type"] == "missing":
        return f"{place}: {reason}"
    if fault["type"].endswith(("_type", "_parsing", "_from_float")):
        reason = f"expected {shown_type(field.annotation)}"
    usual = field.get_default(call_default_factory=True)
    default = "" if field.is_required() else f" (default {usual!r})"
    return f"{place} is {fault['input']!r}, {reason}{default}"


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` on top of `base`, nested tables merged key by key."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged
