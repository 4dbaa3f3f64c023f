"""What one plugin registers, and the row that says so."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

from benchmark.contracts.dataset import DatasetSpec
from benchmark.contracts.extension import CommandSpec, LauncherSpec
from benchmark.contracts.spec import MethodSpec
from benchmark.contracts.twin import RecipeSpec


@dataclass
class Brought:
    """What one plugin registers, kept apart until all of it is known to be right."""

    methods: list[MethodSpec] = field(default_factory=list)
    datasets: list[DatasetSpec] = field(default_factory=list)
    protocols: list[Path] = field(default_factory=list)
    twins: list[RecipeSpec] = field(default_factory=list)
    launchers: list[LauncherSpec] = field(default_factory=list)
    commands: list[CommandSpec] = field(default_factory=list)


@dataclass(frozen=True)
class Plugin:
    """One installed plugin: where it is from, and the ids of what it brings.

    A broken one brings nothing: `error` says why in one line, `detail` is the traceback, and `meant`
    holds the ids of the methods that it would have brought, as far as it came. `note` is worth knowing
    of one that is in order. `folders` are those of its protocols, in which a file may be broken alone.
    """

    name: str
    distribution: str
    version: str
    methods: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    twins: tuple[str, ...] = ()
    launchers: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    error: str = ""
    detail: str = ""
    meant: tuple[str, ...] = ()
    note: str = ""
    folders: tuple[Path, ...] = ()

    def brings_what(self) -> str:
        """In words: "methods lead; commands crops"."""
        kinds = ((f.name, getattr(self, f.name)) for f in fields(Brought))
        return "; ".join(f"{kind} {' '.join(ids)}" for kind, ids in kinds if ids)

    def brings(self, method: str) -> bool:
        """Whether a method is, or would be, this plugin's, as far as one can tell."""
        own = {self.name, self.distribution, *self.methods, *self.meant}
        return method in own or f"bench-{method}" in own
