"""What a method says of itself before any of its code is loaded: plain data, light to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Kind = Literal["landmarks", "parts", "descriptors", "generator", "shape_and_pose", "translation"]
KINDS: tuple[Kind, ...] = (
    "landmarks",
    "parts",
    "descriptors",
    "generator",
    "shape_and_pose",
    "translation",
)

DERIVED: dict[str, tuple[Kind, ...]] = {"parts": ("landmarks",)}
"""Kinds that a prediction of another kind gives besides itself (part centres are landmarks)."""

CentreRule = Literal["soft_mean", "ganseg", "scops", "motion_cosegmentation", "assembly"]
CENTRE_RULES: tuple[str, ...] = get_args(CentreRule)
"""How a part gives one point: `benchmark.contracts.centres` says what each name means."""

Role = Literal["method", "floor", "ceiling"]
Origin = Literal["official", "ported-and-verified", "reimplemented"]


@dataclass(frozen=True)
class Reported:
    """A value a paper prints for a method, to stand beside what was reproduced.

    `settings` are those the value belongs to (the others do not matter), `value` is in the unit of
    the protocol's metric, `source` names the paper and table.
    """

    protocol: str
    """Protocol's id."""
    metric: str
    """Metric's id."""
    value: float
    source: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    not_comparable: str = ""
    """Why the two numbers differ in kind; empty where they do not."""


@dataclass(frozen=True)
class MethodSpec:
    """One method: data only. `implementation` ("module:Class") is imported when the method runs.

    `default_preset` is taken where none is named: the paper's settings, if it has them. Twins, which
    say nothing about quality, take `twin_preset`, a cheap one. `tiny` are settings for the conformance
    run, so that a fit takes seconds, and `known_failures` the checks of it that can't hold, each with
    the reason, which boards show.

    Example: `MethodSpec(id="grid", implementation="bench_grid.method:Grid", gives=["landmarks"],
    summary="K fixed points on a grid")`.
    """

    id: str
    """Lower case, words joined by -; the name on every board."""
    implementation: str
    gives: tuple[Kind, ...] | list[Kind]
    """Prediction kinds the method can give."""
    summary: str
    """One line."""
    version: int = 1
    """Raise it when the same settings come to give other numbers."""
    role: Role = "method"
    """Floors and ceilings give a metric its scale."""
    origin: Origin = "reimplemented"
    """Whose code it is."""
    licence: str = ""
    """SPDX name."""
    paper: str = ""
    """Authors, title, venue."""
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Named sets of settings."""
    default_preset: str = ""
    twin_preset: str = ""
    reported: tuple[Reported, ...] = ()
    """What its paper prints."""
    tiny: Mapping[str, Any] = field(default_factory=dict)
    known_failures: Mapping[str, str] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """What is wrong with this registration, in words; empty when nothing is."""
        found = []
        if not self.id or self.id != self.id.strip().lower() or " " in self.id:
            found.append(f"id {self.id!r} must be lower case without spaces")
        module, _, name = self.implementation.partition(":")
        if not module or not name:
            found.append(f"implementation {self.implementation!r} must read 'module:Class'")
        if not self.gives:
            found.append("gives is empty: name at least one prediction kind")
        unknown = [kind for kind in self.gives if kind not in KINDS]
        if unknown:
            found.append(f"gives has unknown kinds {unknown}; known: {', '.join(KINDS)}")
        for preset in (self.default_preset, self.twin_preset):
            if preset and preset not in self.presets:
                found.append(f"default preset {preset!r} is not among the presets")
        return found
