"""The registration of a method, known before any of its code is loaded: plain data, light to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from benchmark.contracts.names import (
    id_faults,
    name_faults,
    reference_faults,
    text_faults,
    value_faults,
)

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

CameraAxes = Literal["forward_up_right", "right_down_forward"]
"""In which order a point in a camera's frame has its coordinates."""

CentreRule = Literal["soft_mean", "ganseg", "scops", "motion_cosegmentation", "assembly"]
CENTRE_RULES: tuple[str, ...] = get_args(CentreRule)
"""How a part gives one point: `benchmark.probes.part_centres` says what each name means."""

Role = Literal["method", "floor", "reference", "ceiling"]
"""A floor is to be beaten; a reference says what a known thing scores, and a method behind it has not
failed; a ceiling is given the truth."""
Origin = Literal["official", "ported-and-verified", "reimplemented"]


@dataclass(frozen=True)
class Environment:
    """Packages of a method's own: it then runs in a process of its own, with a Python that has them.

    `requirements` ("module:file", the file beside the module) lists pinned packages. They come before
    those of bench; what the file does not name is bench's own. With `alone` the process has what the
    file names and nothing else: PyTorch, NumPy, pydantic and pluggy, which the contracts need, must be
    there.

    Example: `Environment("bench_old:requirements.txt")`.
    """

    requirements: str
    alone: bool = False

    def problems(self) -> list[str]:
        """What is wrong with it, in words."""
        module, _, name = str(self.requirements).partition(":")
        fine = not reference_faults("", f"{module}:x") and not name_faults("", name)
        return [] if fine else [f"environment {self.requirements!r} must read 'module:file'"]


@dataclass(frozen=True)
class MethodSpec:
    """One method: data only. `implementation` ("module:Class") is imported when the method runs.

    `default_preset` is taken where none is named: the paper's settings, if it has them. Twins, which
    say nothing about quality, take `twin_preset`, a cheap one. `tiny` are settings for the conformance
    run, so that a fit takes seconds, and `known_failures` the checks of it that can't hold, each with
    the reason, which records keep and boards show. `environment` names packages that bench's own would
    clash with.

    `untrained` are the presets whose network is worth a row before any fit: a floor that `imitates` gets
    a preset METHOD-PRESET for each, with the setting of=METHOD:PRESET. Its own defaults may be of those.

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
    """Floors, references and ceilings give a metric its scale."""
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
    tiny: Mapping[str, Any] = field(default_factory=dict)
    known_failures: Mapping[str, str] = field(default_factory=dict)
    environment: Environment | None = None
    untrained: tuple[str, ...] | list[str] = ()
    imitates: bool = False

    def problems(self) -> list[str]:
        """What is wrong with this registration, in words; empty when nothing is."""
        found = [
            *id_faults("id", self.id),
            *reference_faults("implementation", self.implementation),
            *(f for name in ("summary", "licence", "paper") for f in self._text(name)),
            *value_faults("tiny", self.tiny),
        ]
        if not isinstance(self.version, int) or self.version < 1:
            found.append(f"version {self.version!r} must be 1 or more")
        if self.role not in get_args(Role):
            found.append(f"role {self.role!r} is none of {', '.join(get_args(Role))}")
        if self.origin not in get_args(Origin):
            found.append(f"origin {self.origin!r} is none of {', '.join(get_args(Origin))}")
        if not self.gives:
            found.append("gives is empty: name at least one prediction kind")
        unknown = [kind for kind in self.gives if kind not in KINDS]
        if unknown:
            found.append(f"gives has unknown kinds {unknown}; known: {', '.join(KINDS)}")
        for name, values in self.presets.items():
            found += [*name_faults("preset", name), *value_faults(f"preset {name!r}", values)]
        for preset in () if self.imitates else (self.default_preset, self.twin_preset):
            if preset and preset not in self.presets:
                found.append(f"default preset {preset!r} is not among the presets")
        strange = [preset for preset in self.untrained if preset not in self.presets]
        if strange:
            found.append(f"untrained names {', '.join(strange)}, not among the presets")
        for check, reason in self.known_failures.items():
            found += text_faults(f"the reason of {check!r}", reason)
        if self.environment is not None:
            found += self.environment.problems()
        return found

    def _text(self, name: str) -> list[str]:
        return text_faults(name, getattr(self, name))
