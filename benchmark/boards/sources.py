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
    return _published(vars(value), protocol, f"{value.source}, {value.place},")


def _of_protocol(protocol: Protocol, published: ReportedValue) -> PublishedValue:
    return _published(published.model_dump(), protocol, protocol.name)


def _published(fields: Mapping[str, Any], protocol: Protocol | None, by: str) -> PublishedValue:
    """A `PublishedValue` of fields, completed from the protocol, its metric and the usual tolerance."""
    tolerance = fields["tolerance"]
    if tolerance is None:
        tolerance = abs(fields["value"]) * TOLERANCE
    known: dict[str, str] = {"protocol": ""}
    if protocol is not None:
        metric = next((m for m in protocol.metrics if m.id == fields["metric"]), None)
        if metric is None:
            raise ProtocolInvalid(
                f"{by} reports {fields['metric']}, which {protocol.name} does not measure"
            )
        known = {"protocol": protocol.name, "unit": metric.unit, "better": metric.better}
    return PublishedValue(**{**fields, **known, "tolerance": tolerance})
