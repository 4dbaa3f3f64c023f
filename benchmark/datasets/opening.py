"""Open a protocol's data by role: real where it is, rendered for a twin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.datasets import prepared
from benchmark.datasets.prepared import PreparedSplit
from benchmark.protocols import Protocol, protocol_path

if TYPE_CHECKING:
    from benchmark.contracts.method import Progress


def split_name(protocol: Protocol, role: str, *, twin: bool) -> str:
    """What plays the role, for people: "ytf68:people/test", or "twin:test"."""
    return f"twin:{role}" if twin else str(getattr(protocol.data, role))


def open_split(protocol: Protocol, role: str, *, twin: bool, progress: Progress) -> PreparedSplit:
    """The split that plays `role` ("fit", "train", "test", "validation", "development")."""

    def prepare(done: int, total: int) -> None:
        progress(f"prepare {split_name(protocol, role, twin=twin)}", done, total)

    if twin:
        from benchmark.datasets.twins.splits import open_twin

        return open_twin(protocol, role, progress=prepare)
    dataset, _, split = getattr(protocol.data, role).partition(":")
    return prepared.open_split(
        dataset,
        split,
        protocol.geometry[dataset],
        labels=() if _only_fitted_on(protocol, role) else protocol.data.labels,
        protocol_folder=protocol_path(protocol.name).parent,
        progress=prepare,
    )


def _only_fitted_on(protocol: Protocol, role: str) -> bool:
    """Whether nothing is scored or probed on that split, so that it may lack labels."""
    data = protocol.data
    return (role == "fit" and data.fit != data.train) or (role == "development" and not data.train)
