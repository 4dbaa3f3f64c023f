"""Open a protocol's data by role: real where it is, rendered for a twin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.datasets.prepared import PreparedSplit, open_prepared
from benchmark.protocols import Protocol, protocol_path

if TYPE_CHECKING:
    from benchmark.contracts.method import Progress


def open_split(protocol: Protocol, role: str, *, twin: bool, progress: Progress) -> PreparedSplit:
    """The split that plays `role` ("fit", "train", "test", "validation", "development")."""
    if twin:
        from benchmark.datasets.twins.splits import open_twin

        return open_twin(protocol, role, progress=progress)
    dataset, _, split = getattr(protocol.data, role).partition(":")
    return open_prepared(
        dataset,
        split,
        protocol.geometry[dataset],
        protocol_folder=protocol_path(protocol.name).parent,
        progress=progress,
    )
