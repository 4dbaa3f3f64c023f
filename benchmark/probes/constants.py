"""All constants of a named probe, and their digest: what a protocol pins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from benchmark.contracts.errors import DataAltered, UnknownName
from benchmark.probes import linear
from benchmark.probes.softargmax_presets import softargmax_settings
from benchmark.protocols import Probe, Protocol, canonical_digest, lock_of


def constants(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Every constant of the probe `name` with `settings` on top.

    >>> constants("linear/imm", {})["fraction"]
    0.9
    """
    family = name.partition("/")[0]
    if family == "softargmax":
        return asdict(replace(softargmax_settings(name), **settings))
    if family == "linear":
        if name not in linear.PRESETS:
            raise UnknownName("linear probe", name, linear.PRESETS)
        return {"fraction": 1.0, **linear.PRESETS[name], **settings}
    raise UnknownName("probe family", family, ["softargmax", "linear"])


def lock_name(name: str) -> str:
    """How a probe stands in `digests.lock`."""
    return f"probe:{name}"


def lock_entries(protocols: Iterable[Protocol]) -> dict[str, str]:
    """Lock name → digest of the constants, for every probe that some protocol names."""
    protocols = list(protocols)
    probes = [p for protocol in protocols for p in protocol.probes.values()]
    probes += [p.twin.probe for p in protocols if p.twin and p.twin.probe]
    variants = {metric.probe for p in protocols for metric in p.metrics if metric.probe}
    names = sorted({probe.name for probe in probes} | variants)
    return {lock_name(name): canonical_digest(constants(name, {})) for name in names}


def require_frozen(probe: Probe, protocol: Protocol) -> None:
    """Refuse a probe whose constants in the code are not those that were frozen under its name."""
    frozen = lock_of(protocol).get(lock_name(probe.name))
    today = canonical_digest(constants(probe.name, {}))
    if frozen not in (None, today):
        raise DataAltered(
            f"the constants of probe {probe.name!r} are not those frozen under its name "
            f"({today[:12]}, frozen {frozen[:12]})",
            cure="give changed constants a new probe name, and a new protocol version",
        )
