"""Reported against reproduced: what is reported beside what was found here, and how the two agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmark.boards.certainty import Certainty
from benchmark.boards.entries import Entry
from benchmark.boards.rows import Group, variant_name
from benchmark.boards.sources import PublishedValue, published_values
from benchmark.metrics.uncertainty import interval
from benchmark.protocols import Protocol

State = Literal[
    "reproduced", "within_noise", "better", "worse", "not_comparable", "not_attempted", "twin_only"
]

MEANINGS: dict[State, str] = {
    "reproduced": "ours lies within the tolerance of what is reported",
    "within_noise": "ours lies beyond the tolerance, but its 95 % interval holds what is reported",
    "better": "ours is better, beyond tolerance and interval",
    "worse": "ours is worse, beyond tolerance and interval",
    "not_comparable": "measured in another way; the note says how",
    "not_attempted": "no run of this method with these settings on real data",
    "twin_only": "the method ran on the rendered twin alone",
}


@dataclass(frozen=True)
class Agreement:
    """A reported value beside ours: the row it was found in, mean over its seeds, its interval, and
    ours − reported. Those are None where there is nothing of ours."""

    published: PublishedValue
    state: State
    row: str = ""
    value: float | None = None
    ci95: tuple[float, float] | None = None
    seeds: int = 0
    difference: float | None = None
    runs: tuple[str, ...] = ()


def state_of(
    reported: float,
    ours: float | None,
    ends: tuple[float, float] | None = None,
    *,
    better: str,
    tolerance: float,
    comparable: bool = True,
    on_twin: bool = False,
) -> State:
    """How a value of ours agrees with a reported one; both, and the tolerance, in the metric's unit.

    >>> state_of(2.93, 2.95, better="lower", tolerance=0.09)
    'reproduced'
    >>> state_of(2.93, 3.10, (2.90, 3.30), better="lower", tolerance=0.09)
    'within_noise'
    """
    if not comparable:
        return "not_comparable"
    if ours is None:
        return "twin_only" if on_twin else "not_attempted"
    # a difference that equals the tolerance is within it, whatever the last bit of a float says
    if abs(ours - reported) <= tolerance * (1 + 1e-9):
        return "reproduced"
    if ends is not None and ends[0] <= reported <= ends[1]:
        return "within_noise"
    return "better" if (ours < reported) == (better == "lower") else "worse"


def agreements(
    protocol: Protocol, entries: Sequence[Entry], on_twin: Collection[str] = ()
) -> list[Agreement]:
    """All that is reported under a protocol beside the records of its real board.

    `on_twin` names the methods that stand on the twin's board.
    """
    groups: dict[Group, list[Entry]] = defaultdict(list)
    for entry in entries:
        group = Group.of(entry.record)
        if not group.withdrawn:
            groups[group].append(entry)
    return [
        _agreement(published, list(groups.values()), on_twin)
        for published in published_values(protocol)
    ]


def _agreement(
    published: PublishedValue, groups: list[list[Entry]], on_twin: Collection[str]
) -> Agreement:
    fitting = [group for group in groups if published.made_by(group[0].record)]
    if not fitting:
        state = state_of(
            published.value,
            None,
            better=published.better,
            tolerance=published.tolerance,
            comparable=not published.not_comparable,
            on_twin=published.plugin in on_twin,
        )
        return Agreement(published, state)
    group = max(fitting, key=lambda g: (g[0].record.method.version, len(g), g[0].record.run_id))
    group = sorted(group, key=lambda entry: entry.record.seed)
    ours = float(np.mean([entry.value(published.metric).value for entry in group]))
    ends = interval(ours, Certainty(published.metric, group).of_row(group))
    record = group[0].record
    state = state_of(
        published.value,
        ours,
        ends,
        better=published.better,
        tolerance=published.tolerance,
        comparable=not published.not_comparable,
    )
    return Agreement(
        published,
        state,
        row=f"{record.method.id} {variant_name(record)}".strip(),
        value=ours,
        ci95=ends,
        seeds=len(group),
        difference=ours - published.value,
        runs=tuple(entry.record.run_id for entry in group),
    )
