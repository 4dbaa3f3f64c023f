"""What is wrong with a protocol, found from its file alone, in one sentence each.

Everything that only fitting, predicting and scoring would come upon otherwise; the data itself is looked
at by `Task.require`, once it is open. No data set need be there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmark.contracts.errors import UnknownName
from benchmark.protocols import GRANT_LABELS, Metric, Protocol, ProtocolInvalid
from benchmark.tasks.accepts import TASKS, Accepts
from benchmark.tasks.data_faults import data_faults
from benchmark.tasks.probe_faults import probe_faults
from benchmark.tasks.section_faults import section_faults
from benchmark.tasks.twin_faults import twin_faults

SECTIONS = tuple(dict.fromkeys(name for task in TASKS.values() for name in task.sections))
METRIC_FIELDS = ("measure", "probe", "stretch", "on", "threshold")


def faults(protocol: Protocol, folder: Path | None = None) -> list[str]:
    """What is wrong with a protocol, each in a sentence; empty where nothing is.

    `folder` is where its file lies; without it files beside the protocol are not looked at.

    >>> from benchmark.registry.protocols import find_protocol
    >>> faults(find_protocol("ytf5"))
    []
    """
    if protocol.task not in TASKS:
        return [UnknownName("task", protocol.task, TASKS).sentence]
    task = TASKS[protocol.task]
    return [
        *_kinds(protocol, task),
        *_sections(protocol, task),
        *_labels(protocol, task),
        *_metrics(protocol, task),
        *probe_faults(protocol, task),
        *section_faults(protocol, folder),
        *data_faults(protocol, task, folder),
        *twin_faults(protocol, task),
    ]


def require_sound(protocol: Protocol) -> None:
    """Refuse a registered protocol that has faults; raises `ProtocolInvalid`."""
    if found := faults(protocol, protocol.path.parent):
        raise ProtocolInvalid(
            f"protocol {protocol.name} can't be scored: {found[0]}",
            cure="mend its file, or the plugin that it needs; `bench protocol check` "
            f"lists {'this fault' if len(found) == 1 else f'all {len(found)} faults'}",
        )


def _kinds(protocol: Protocol, task: Accepts) -> Iterator[str]:
    for kind in protocol.needs:
        if kind not in task.kinds:
            yield f"needs: {protocol.task} scores {' and '.join(task.kinds)}, not {kind}"


def _sections(protocol: Protocol, task: Accepts) -> Iterator[str]:
    for name in SECTIONS:
        stated = bool(getattr(protocol, name))
        if name in task.sections and not stated:
            yield f"{protocol.task} needs a section [{name}]"
        elif stated and name not in task.sections:
            yield f"section [{name}] is not read by {protocol.task}"


def _labels(protocol: Protocol, task: Accepts) -> Iterator[str]:
    named = protocol.data.labels
    granted = {label for grant in protocol.data.grants for label in GRANT_LABELS[grant]}
    for label in task.labels:
        if label not in named:
            yield f"data.labels: {protocol.task} needs {label!r}"
    for label in named:
        if label not in {*task.labels, *task.also, *granted}:
            yield f"data.labels: {label!r} is not read by {protocol.task}"


def _metrics(protocol: Protocol, task: Accepts) -> Iterator[str]:
    lists = [("metrics", protocol.scored(twin=False))]
    if protocol.twin is not None and protocol.twin.metrics:
        lists.append(("twin.metrics", protocol.scored(twin=True)))
    for place, scored in lists:
        for name, count in Counter(metric.id for metric in scored.metrics).items():
            if count > 1:
                yield f"{place}: {name} is there {count} times"
        for metric in scored.metrics:
            for fault in _metric(metric, scored, task):
                yield f"{place}, {metric.id}: {fault}"


def _metric(metric: Metric, protocol: Protocol, task: Accepts) -> Iterator[str]:
    for field in METRIC_FIELDS:
        if field in metric.model_fields_set and field not in task.metric_fields:
            yield f"{field!r} is not read by {protocol.task}"
    name = metric.measured
    measure = task.measure(name)
    if measure is None:
        yield UnknownName(f"measure of {protocol.task}", name, task.measures).sentence
        return
    if metric.aggregate not in measure.aggregates:
        yield (
            f"aggregate {metric.aggregate!r} makes no number of {name}; "
            f"{' or '.join(map(repr, measure.aggregates))} does"
        )
    if metric.better != measure.better:
        yield f"{measure.better} is better, not {metric.better}"
    unit = measure.unit
    if unit is None and protocol.pairs is not None:
        unit = "px" if protocol.pairs.unit == "pixels" else "%"
    if unit is not None and metric.unit != unit:
        yield f"its numbers are in {unit or 'no unit'}, not in {metric.unit or 'none'}"
    for label in measure.labels:
        if label not in protocol.data.labels:
            yield f"data.labels must hold {label!r}"
    for kind in protocol.needs:
        if measure.kinds and kind in task.kinds and kind not in measure.kinds:
            yield f"it is read from {' and '.join(measure.kinds)}, and needs holds {kind!r}"
    rule = protocol.landmarks
    if measure.unit_points and rule is not None and rule.eyes is None:
        yield "it is in units of the distance of two points: name them as landmarks.eyes"
    if measure.threshold and metric.threshold is None:
        yield "threshold is lacking: the share of the unit within which a point is right"
    elif (
        not measure.threshold and metric.threshold is not None and "threshold" in task.metric_fields
    ):
        yield f"'threshold' is not read by {name}"
    if measure.every_point and "visible" in protocol.data.labels:
        other = [n for n, m in task.measures.items() if not m.every_point]
        yield (
            "it needs every point of every image, and 'visible' in data.labels says that some are "
            f"hidden; {', '.join(other)} count visible points alone"
        )
    if metric.probe:
        yield from _read_with(metric.probe, protocol)


def _read_with(probe: str, protocol: Protocol) -> Iterator[str]:
    from benchmark.probes.linear import PRESETS

    if probe not in PRESETS:
        yield UnknownName("linear probe", probe, PRESETS).sentence
    if "descriptors" in protocol.needs:
        yield f"it is read with {probe}, which reads landmarks, and needs holds 'descriptors'"
