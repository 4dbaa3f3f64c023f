"""Open a protocol's data by role: real where it is, rendered for a twin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.datasets import preparing
from benchmark.datasets.prepared import PreparedSplit
from benchmark.protocols import NEEDED, Protocol
from benchmark.registry.protocols import protocol_path

if TYPE_CHECKING:
    from benchmark.contracts.method import Progress


def split_name(protocol: Protocol, role: str, *, twin: bool) -> str:
    """What plays the role, for people: "ytf68:people/test", or "twin:test"."""
    return f"twin:{role}" if twin else str(getattr(protocol.data, role))


def open_split(
    protocol: Protocol, role: str, *, twin: bool, progress: Progress, anew: bool = False
) -> PreparedSplit:
    """The split that plays `role`: "fit", "train", "test", "validation", "development" or
    "development_fit".

    It is prepared where it was not yet, where its files or its reader have changed since, of which the
    progress says why, and `anew` in any case.
    """
    stage = f"prepare {split_name(protocol, role, twin=twin)}"

    def note(why: str) -> None:
        nonlocal stage
        stage += f" anew ({why})"

    def prepare(done: int, total: int) -> None:
        progress(stage, done, total)

    if twin:
        from benchmark.datasets.rendered import open_twin

        return open_twin(protocol, role, progress=prepare, note=note, anew=anew)
    named = getattr(protocol.data, role)
    dataset, _, split = named.partition(":")
    return preparing.open_split(
        dataset,
        split,
        protocol.geometry_of(named),
        labels=_labels(protocol, role),
        protocol_folder=protocol_path(protocol.name).parent,
        progress=prepare,
        note=note,
        anew=anew,
    )


def _labels(protocol: Protocol, role: str) -> list[str]:
    """What is kept beside the points of a split: all that the task needs, or of images that are only
    fitted on, what the protocol grants a method to see."""
    data = protocol.data
    only_fitted = (
        (role == "fit" and data.fit != data.train)
        or (role == "development" and not data.train)
        or (role == "development_fit" and data.development_fit != data.development)
    )
    granted = {name for grant in data.grants for name in NEEDED[grant]}
    return [name for name in data.labels if not only_fitted or name in granted]
