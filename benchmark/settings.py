"""A method's settings: its preset, what was given on top, and the method's own model over both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

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


def validated(
    method: str, model: type[MethodSettings], values: Mapping[str, Any]
) -> MethodSettings:
    """Values checked by a method's settings model; raises SettingsInvalid, which names its fields."""
    try:
        settings = model.model_validate(dict(values))
        json.dumps(settings.model_dump(mode="json"), allow_nan=False)
        return settings
    except ValidationError as error:
        faults = error.errors()
        unknown = [_place(f) for f in faults if f["type"] == "extra_forbidden"]
        guesses = "".join(did_you_mean(name, model.model_fields) for name in unknown)
        fields = ", ".join(sorted(model.model_fields)) or "none"
        raise SettingsInvalid(
            f"settings of method {method!r}: {'; '.join(_told(f, model) for f in faults)}",
            cure=f"{guesses}its settings are: {fields}" if unknown else "",
        ) from None
    except ValueError:
        raise SettingsInvalid(f"settings of method {method!r} hold NaN or infinity") from None


def shown_type(annotation: Any) -> str:
    """A type as one writes it: "int", "Literal['a', 'b']"."""
    plain = isinstance(annotation, type) and not get_args(annotation)
    return annotation.__name__ if plain else str(annotation).replace("typing.", "")


def _place(fault: ErrorDetails) -> str:
    return ".".join(map(str, fault["loc"])) or "settings"


def _told(fault: ErrorDetails, model: type[MethodSettings]) -> str:
    """One fault in words: the value given and what was expected, where the setting is a plain one."""
    place, reason = _place(fault), fault["msg"]
    if fault["type"] == "extra_forbidden":
        return f"there is no setting {place!r}"
    field = model.model_fields.get(place)
    if field is None or fault["type"] == "missing":
        return f"{place}: {reason}"
    if fault["type"].endswith(("_type", "_parsing", "_from_float")):
        reason = f"expected {shown_type(field.annotation)}"
    reason = reason.removeprefix("Input ").removeprefix("Value error, ")
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
