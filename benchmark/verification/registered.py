"""Is what a record says of its method what the method's registration says?

A record's ids cover its settings, and nothing else of what boards show of a method: role, supervision,
preset, whose code it is. Asked is the registration that is installed here, of the same version: what
another one said is not known any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Literal

from benchmark.contracts.errors import BenchError
from benchmark.contracts.spec import DERIVED, MethodSpec
from benchmark.records.model import MethodPart, Record
from benchmark.registry.implementations import implementation, info_of
from benchmark.registry.plugins import plugins
from benchmark.settings import flat, merge, validated, word

if TYPE_CHECKING:
    from benchmark.contracts.method import Method

Answer = tuple[Literal["ok", "wrong", "not here"], str]


def method_answer(record: Record) -> Answer:
    """ "wrong" with the first fault of what the record says of its method, "not here" where no such
    method, or another version of it, is installed, else "ok".

    Example: for a record of `oracle` with another role: ("wrong", "its role is method, not ceiling").
    """
    about = record.method
    if record.external is not None:
        return "ok", ""  # nobody registered it
    spec = plugins().methods.get(about.id)
    if spec is None:
        return "not here", f"no method {about.id!r} is installed"
    if about.version != spec.version:
        return "not here", f"it is of version {about.version}; here is {spec.version}"
    try:
        fault = next(chain(_plain_faults(about, spec), _class_faults(about, spec)), "")
    except BenchError as error:
        return "not here", error.message
    return ("wrong", fault) if fault else ("ok", "")


def _plain_faults(about: MethodPart, spec: MethodSpec) -> Iterator[str]:
    """What the registration alone tells."""
    for name in ("role", "origin"):
        said, registered = getattr(about, name), getattr(spec, name)
        if said != registered:
            yield f"its {name} is {said}, not {registered}"
    if strange := [kind for kind in about.gives if kind not in spec.gives]:
        yield f"it gives {', '.join(strange)}, which {spec.id} does not"
    derived = {kind for given in about.gives for kind in DERIVED.get(given, ())}
    if about.used not in {*about.gives, *derived}:
        yield f"{about.used} were scored, which it does not give"
    if not spec.imitates:
        yield from _unknown_preset(about, spec)


def _unknown_preset(about: MethodPart, spec: MethodSpec) -> Iterator[str]:
    if about.preset and about.preset not in spec.presets:
        yield f"{spec.id} has no preset {about.preset!r}"


def _class_faults(about: MethodPart, spec: MethodSpec) -> Iterator[str]:
    """What the method's own class says of these settings; one with packages of its own is not asked."""
    if spec.environment is not None:
        return
    cls = implementation(spec)
    try:
        settings = validated(spec.id, cls.Settings, about.settings)
    except BenchError as error:
        yield error.message
        return
    if spec.imitates:  # where the other method is not installed, nobody knows
        yield from _unknown_preset(about, spec)
    yield from _preset_faults(about, spec, cls)
    info = info_of(spec, cls, settings)
    if about.supervision != info.supervision:
        yield f"its supervision is {about.supervision}, not {info.supervision}"
    named, taken = ({w["sha256"] for w in about.pretrained}, {w.sha256 for w in info.pretrained})
    if named != taken:
        yield f"of pretrained weights it names {_short(named)}, not {_short(taken)}"


def _preset_faults(about: MethodPart, spec: MethodSpec, cls: type[Method]) -> Iterator[str]:
    """Whether the settings are what the class makes of the preset and what was given on top."""
    asked = merge(dict(spec.presets.get(about.preset, {})), about.settings_given)
    made = flat(validated(spec.id, cls.Settings, asked).model_dump(mode="json"))
    held = flat(about.settings)
    for key in sorted(flat(asked).keys() & made.keys() & held.keys()):
        if held[key] != made[key]:
            source = (
                f"preset {about.preset!r} and what was given" if about.preset else "what was given"
            )
            mine, theirs = word(key, held[key]), word(key, made[key])
            yield f"its settings say {mine}, where {source} makes it {theirs}"


def _short(digests: Iterable[str]) -> str:
    return ", ".join(sorted(digest[:12] for digest in digests)) or "none"
