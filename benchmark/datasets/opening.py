"""Open a protocol's data by role: real where it is, rendered for a twin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.contracts.names import DOMAIN
from benchmark.datasets import preparing
from benchmark.datasets.prepared import PreparedSplit
from benchmark.protocols import Protocol
from benchmark.protocols.data import granted_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmark.contracts.images import Images
    from benchmark.contracts.method import Progress


def split_name(protocol: Protocol, role: str, *, twin: bool) -> str:
    """The name of what plays the role: "ytf68:people/test", or "twin:test"."""
    return f"twin:{role}" if twin else protocol.data.split(role)


def open_split(
    protocol: Protocol, role: str, *, twin: bool, progress: Progress, anew: bool = False
) -> PreparedSplit:
    """The split that plays `role`: "fit", "train", "test", "validation", "development",
    "development_fit" or "domains.NAME".

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
    named = protocol.data.split(role)
    dataset, _, split = named.partition(":")
    return preparing.open_split(
        dataset,
        split,
        protocol.geometry_of(named),
        labels=_labels(protocol, role),
        protocol_folder=protocol.path.parent,
        progress=prepare,
        note=note,
        anew=anew,
    )


def images_seen(protocol: Protocol, splits: Mapping[str, PreparedSplit]) -> Images:
    """What a fit on the split "fit" of `splits` sees: its pixels, what is granted, and the domains."""
    data = protocol.data
    axes = protocol.models.camera_axes if protocol.models else "right_down_forward"
    domains = {
        role.removeprefix(DOMAIN): splits[role].images(data.granted(role), axes)
        for role in data.domain_roles
    }
    return splits["fit"].images(data.granted("fit"), axes, domains)


def _labels(protocol: Protocol, role: str) -> list[str]:
    """What is kept beside the points of a split: all that the task needs, or of images that are only
    fitted on, what the protocol grants a method to see."""
    data = protocol.data
    if role in data.domain_roles:
        return granted_labels(data, role)
    # a validation run trains its probe on the development images, or finds its alignment on them
    needed = data.train or protocol.shape
    fitted_alone = (
        (role == "fit" and data.fit != data.train)
        or (role == "development" and not needed)
        or (role == "development_fit" and data.development_fit != data.development)
    )
    granted = granted_labels(data, "fit")
    return [name for name in data.labels if not fitted_alone or name in granted]
