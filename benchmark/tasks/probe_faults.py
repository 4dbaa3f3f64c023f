"""What is wrong with the probes that a protocol names, and with the constants it changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from benchmark.contracts.errors import BenchError, UnknownName
from benchmark.contracts.spec import Kind
from benchmark.probes import linear, softargmax_presets
from benchmark.probes.softargmax_presets import SoftargmaxSettings
from benchmark.protocols import Probe, Protocol
from benchmark.tasks.accepts import Accepts


def probe_faults(protocol: Protocol, task: Accepts) -> Iterator[str]:
    """A sentence for each that is lacking, unknown, of another kind, or changed in what it has not."""
    if "probes" not in task.sections:
        if protocol.twin is not None and protocol.twin.probe is not None:
            yield f"section [twin.probe] is not read by {protocol.task}"
        return
    for kind in protocol.needs:
        if protocol.probes and kind in task.kinds and kind not in protocol.probes:
            yield f"section [probes.{kind}] is lacking: {kind} are read with a probe"
    for kind, probe in protocol.probes.items():
        if kind not in protocol.needs:
            yield f"section [probes.{kind}] is not read: needs does not hold {kind!r}"
        else:
            yield from (f"probes.{kind}: {fault}" for fault in _probe(kind, probe, protocol))
    own = protocol.twin.probe if protocol.twin is not None else None
    if own is not None and "descriptors" not in protocol.needs:
        yield "section [twin.probe] is not read: it takes the place of [probes.descriptors] alone"
    elif own is not None:
        yield from (f"twin.probe: {fault}" for fault in _probe("descriptors", own, protocol))


def _probe(kind: Kind, probe: Probe, protocol: Protocol) -> Iterator[str]:
    known: Any = softargmax_presets.PRESETS if kind == "descriptors" else linear.PRESETS
    if probe.name not in known:
        yield UnknownName(f"probe of {kind}", probe.name, known).sentence
    elif kind == "descriptors":
        yield from _softargmax(probe)
        if "visible" in protocol.data.labels:
            yield (
                f"{probe.name} needs every point of every image, and 'visible' in data.labels says "
                "that some are hidden; take 'descriptors' out of needs"
            )
    else:
        yield from _linear(probe)


def _linear(probe: Probe) -> Iterator[str]:
    strange = [name for name in probe.settings if name not in linear.OPTIONS]
    if strange:
        for name in strange:
            yield UnknownName(f"constant of {probe.name}", name, linear.OPTIONS).sentence
        return
    try:
        linear.linear_probe(probe.name, **probe.settings)
    except BenchError as error:
        yield error.sentence
    except (TypeError, ValueError) as error:
        yield f"settings: {error}"


def _softargmax(probe: Probe) -> Iterator[str]:
    known = [field.name for field in fields(SoftargmaxSettings)]
    strange = [name for name in probe.settings if name not in known]
    if strange:
        yield from (UnknownName(f"constant of {probe.name}", n, known).sentence for n in strange)
        return
    stated = asdict(softargmax_presets.PRESETS[probe.name]) | probe.settings
    try:
        TypeAdapter(SoftargmaxSettings).validate_python(stated)
    except ValidationError as error:
        for one in error.errors():
            yield f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
