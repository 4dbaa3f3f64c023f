"""What there is to say of a protocol version, as data: pages and `bench show` set it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

from benchmark.contracts.errors import UnknownName
from benchmark.contracts.names import DOMAIN
from benchmark.metrics.catalogue import find
from benchmark.probes.constants import constants
from benchmark.protocols import WORDS, Metric, Protocol
from benchmark.settings import flat

ROLES: dict[str, str] = {
    "fit": "methods are fitted on",
    "train": "the probe is trained on",
    "test": "scored",
    "validation": "kept for choices and curves (from the training images)",
    "development": "training images minus validation",
    "development_fit": "methods are fitted on for validation",
}
AGGREGATES = {
    "mean": "mean over items",
    "median": "median over items",
    "upper_median": "upper median over items",
    "sum_of_means": "sum over columns of the means over items",
    "ratio_of_sums": "sum over items of the numerator by that of the denominator",
    "single": "one number for all items",
}


def roles_of(protocol: Protocol) -> dict[str, str]:
    """What each part of the data is for, in words, in the order in which they are used."""
    data = protocol.data
    domains = {role: f"another domain: {role.removeprefix(DOMAIN)}" for role in data.domain_roles}
    words_of = ROLES | domains
    if data.development == data.fit:
        # validation images are others than those that are fitted on
        words_of = words_of | {"validation": "kept for choices, curves and what is aligned"}
        del words_of["development"]
    return words_of


def splits_of(protocol: Protocol) -> list[tuple[str, str, int | None]]:
    """(what it is for, split, images) of each part of the data that is used."""
    from benchmark.datasets.places import spec_of

    rows = []
    for role, words in roles_of(protocol).items():
        if named := protocol.data.split(role):
            dataset, _, split = named.partition(":")
            rows.append((words, named, spec_of(dataset).expected.get(split)))
    return rows


def formula(metric: Metric) -> str:
    """What a metric is, in a sentence: its measure, and what the metric changes of it.

    >>> five = Metric(id="nme_5", unit="%", better="lower", measure="nme_iod", on="5")
    >>> formula(five).partition("per image")[2]
    ', of a probe fitted on 5 annotated images, mean of the draws'
    """
    found = find(metric.measured)
    words = [found.formula if found else metric.measured]
    if metric.probe:
        words.append(f"read with {metric.probe}")
    if metric.stretch != (1.0, 1.0):
        words.append("points stretched by {:g} × {:g}".format(*metric.stretch))
    if metric.threshold is not None:
        words.append(f"with the threshold {metric.threshold:g}")
    if metric.on.isdigit():
        words.append(f"of a probe fitted on {metric.on} annotated images, mean of the draws")
    elif metric.on:
        words.append(f"at zooms {metric.on} in training")
    return ", ".join(words)


def sections(protocol: Protocol) -> dict[str, Any]:
    """All that the file fixes, section by section, and what the probes fill in where it is silent.

    Example: `sections(find_protocol("ytf5"))["probes"]["descriptors"]["epochs"]` is 20.
    """
    content: dict[str, Any] = protocol.model_dump(mode="json", exclude=WORDS | {"id", "version"})
    for kind, probe in protocol.probes.items():
        try:
            filled = constants(probe.name, probe.settings)
        except UnknownName:
            filled = probe.settings
        content["probes"][kind] = {"name": probe.name, **filled}
    return {name: stated for name, stated in content.items() if _stated(stated) is not None}


def fields(content: Any) -> list[tuple[str, Any]]:
    """The fields of a section, or of all, that say anything: (name, joined by dots, value)."""
    return [(name, value) for name, value in flat(content).items() if _stated(value) is not None]


def differences(one: Protocol, other: Protocol) -> list[tuple[str, Any, Any, bool]]:
    """Field, value in `one`, value in `other`, and whether it counts (is no mere word).

    Fields at their default are compared too, so that what a version leaves out is seen.
    """
    before, after = (flat(p.model_dump(mode="json")) for p in (one, other))
    return [
        (key, before.get(key), after.get(key), key.partition(".")[0] not in WORDS)
        for key in [*before, *(k for k in after if k not in before)]
        if _stated(before.get(key)) != _stated(after.get(key)) and key != "version"
    ]


class Step(NamedTuple):
    """From one version of a protocol to the next: why, and what that changed."""

    before: str
    after: str
    reason: str
    changes: list[tuple[str, Any, Any]]


def history(versions: Iterable[Protocol]) -> list[Step]:
    """The steps between all versions of a protocol, the first one first."""
    return [
        Step(
            before.name,
            after.name,
            after.supersedes,
            [(key, old, new) for key, old, new, counts in differences(before, after) if counts],
        )
        for before, after in pairwise(sorted(versions, key=lambda p: p.version))
    ]


def _stated(value: Any) -> Any:
    """A value, where it says anything: what is empty and what is not there are one."""
    return None if value in ("", [], {}, ()) else value
