"""What papers and protocol files report, gathered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmark.home import builtin_folder
from benchmark.protocols import Protocol, ProtocolInvalid, versions_of
from benchmark.protocols.model import ReportedValue
from benchmark.protocols.papers import Paper, PaperValue, by_protocol, papers
from benchmark.records.model import Record

TOLERANCE = 0.03
"""How far a reproduction may lie from a reported value, as a share of it, unless declared otherwise."""


@dataclass(frozen=True)
class PublishedValue:
    """A reported value in its metric's unit.

    `method` is in the source's words; `plugin` is its id here ("" where it has none) with the `preset`
    ("" for a run without one) and the `settings` the value belongs to. `protocol` is "id@version", or ""
    for what no protocol measures. `source` and `place` say where it stands, `read_from` whether that is
    a table, a figure, or what else.
    """

    protocol: str
    metric: str
    unit: str
    better: str
    method: str
    value: float
    tolerance: float
    source: str
    place: str = ""
    read_from: str = "table"
    spread: float | None = None
    not_comparable: str = ""
    plugin: str = ""
    preset: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def made_by(self, record: Record) -> bool:
        """Whether a record is of this method with its source's own settings: its preset, changed in
        nothing but what names the variant."""
        return (
            record.method.id == self.plugin
            and record.method.preset == self.preset
            and all(record.method.settings.get(k) == v for k, v in self.settings.items())
            and record.method.settings_given.keys() <= self.settings.keys()
        )


def published_values(protocol: Protocol) -> list[PublishedValue]:
    """Everything reported under a protocol, by metric in its order, then by source.

    What a paper says of a protocol without naming a version belongs to the newest. Only papers beside
    the protocol's own file count, so that no plugin adds to the boards of others.
    """
    names = [protocol.name]
    if versions_of(protocol)[-1].version == protocol.version:
        names.append(protocol.id)
    found = [_of_protocol(protocol, published) for published in protocol.reported]
    in_papers = by_protocol(protocol.path.parent.parent)
    found += [of_paper(value, protocol) for name in names for value in in_papers.get(name, ())]
    order = [metric.id for metric in protocol.metrics]
    return sorted(found, key=lambda s: (order.index(s.metric), s.source, s.place))


def published_without_protocol() -> list[PublishedValue]:
    """What the papers of bench's own folder report and no protocol measures."""
    return [of_paper(value, None) for value in by_protocol(builtin_folder()).get("", ())]


def all_papers() -> list[Paper]:
    """The papers of bench's own folder, whose tables are kept whole."""
    return list(papers(builtin_folder()))


def of_paper(value: PaperValue, protocol: Protocol | None) -> PublishedValue:
    """A number of a paper's table as a reported value of `protocol`, if it is of one."""
    unit, better = value.unit, value.better
    if protocol is not None:
        unit, better = _unit_and_direction(protocol, value.metric, f"{value.paper}, {value.place},")
    return PublishedValue(
        protocol=protocol.name if protocol else "",
        metric=value.metric,
        unit=unit,
        better=better,
        method=value.method,
        value=value.value,
        tolerance=_tolerance(value.value, value.tolerance),
        source=value.paper,
        place=value.place,
        read_from=value.read_from,
        spread=value.spread,
        not_comparable=value.not_comparable,
        plugin=value.plugin,
        preset=value.preset,
        settings=value.settings,
    )


def _of_protocol(protocol: Protocol, published: ReportedValue) -> PublishedValue:
    unit, better = _unit_and_direction(protocol, published.metric, protocol.name)
    return PublishedValue(
        protocol=protocol.name,
        metric=published.metric,
        unit=unit,
        better=better,
        method=published.method,
        value=published.value,
        tolerance=_tolerance(published.value, published.tolerance),
        source=published.source,
        read_from=published.read_from,
        not_comparable=published.not_comparable,
        plugin=published.plugin,
        preset=published.preset,
        settings=published.settings,
    )


def _tolerance(value: float, declared: float | None) -> float:
    return abs(value) * TOLERANCE if declared is None else declared


def _unit_and_direction(protocol: Protocol, metric: str, by: str) -> tuple[str, str]:
    for known in protocol.metrics:
        if known.id == metric:
            return known.unit, known.better
    raise ProtocolInvalid(f"{by} reports {metric}, which {protocol.name} does not measure")
