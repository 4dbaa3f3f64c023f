"""The runs that give a run its scale: the same network untrained, and the floors of its protocol."""

from __future__ import annotations

from dataclasses import replace

from benchmark.contracts.errors import Incompatible
from benchmark.contracts.spec import MethodSpec
from benchmark.registry.implementations import implementation
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import find_protocol
from benchmark.runner.plan import Request
from benchmark.settings import SettingsInvalid, resolve_settings


def untrained(request: Request) -> Request:
    """The request for the same network, with the same settings and seed, before any training.

    Raises `SettingsInvalid` for what is no method, `Incompatible` where no floor is installed that
    imitates one.

    Example: for `Request("lead", "ytf5", preset="small")` it is `Request("random-features", "ytf5",
    preset="lead-small")`.
    """
    spec = plugins().method(request.method)
    floor = next((floor for floor in plugins().methods.values() if floor.imitates), None)
    if spec.role != "method":
        raise SettingsInvalid(
            f"{spec.id!r} is a {spec.role}: it has no training to leave out", cure="name a method"
        )
    if floor is None:
        raise Incompatible(
            "the floor 'random-features' is not installed", cure="pip install -e plugins/floors"
        )
    preset, _ = resolve_settings(
        spec, implementation(spec), request.preset, request.given, twin=request.twin
    )
    given = {"settings": dict(request.given)} if request.given else {}
    if (named := f"{spec.id}-{preset}") in floor.presets:
        return replace(request, method=floor.id, preset=named, given=given)
    of = f"{spec.id}:{preset}" if preset else spec.id
    return replace(request, method=floor.id, preset="", given={"of": of, **given})


def floors(request: Request) -> list[Request]:
    """A request for each floor of what the protocol scores, but for the untrained network."""
    return [
        replace(request, method=spec.id, preset="", given={})
        for spec in plugins().methods.values()
        if spec.role == "floor"
        and not spec.imitates
        and gives_what_is_scored(spec, request.protocol)
    ]


def gives_what_is_scored(spec: MethodSpec, protocol: str) -> bool:
    """Whether a method gives itself what a protocol needs: a disc has a centre too, and is no floor of
    points."""
    return not set(spec.gives).isdisjoint(find_protocol(protocol).needs)
