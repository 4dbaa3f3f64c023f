"""What one plugin registers, kept apart until all of it is known to be right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.contracts.dataset import DatasetSpec
from benchmark.contracts.extension import CommandSpec, LauncherSpec
from benchmark.contracts.spec import MethodSpec
from benchmark.contracts.twin import RecipeSpec


class What(NamedTuple):
    """A kind of thing that plugins register through the hook `bench_<name>`, each with an id."""

    name: str
    word: str
    """In messages: "twin recipe"."""
    spec: type[Any]
    """What is registered."""


KINDS = (
    What("methods", "method", MethodSpec),
    What("datasets", "data set", DatasetSpec),
    What("twins", "twin recipe", RecipeSpec),
    What("launchers", "launcher", LauncherSpec),
    What("commands", "command", CommandSpec),
)
"""All kinds but protocols, which are folders of files."""

HOOKS = (*(kind.name for kind in KINDS), "protocols")


@dataclass(frozen=True)
class Plugin:
    """One installed plugin: where it is from, and the ids of what it brings, by kind.

    A broken one brings nothing: `error` says why in one line, `detail` is the traceback, and `meant`
    holds the ids of the methods that it would have brought, as far as it came. `note` is worth knowing
    of one that is in order. `folders` are those of its protocols, in which a file may be broken alone.
    """

    name: str
    distribution: str
    version: str
    brings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    error: str = ""
    detail: str = ""
    meant: tuple[str, ...] = ()
    note: str = ""
    folders: tuple[Path, ...] = ()

    def ids(self, kind: str) -> tuple[str, ...]:
        """What it brings of a kind: `plugin.ids("methods")`."""
        return self.brings.get(kind, ())

    def brings_what(self) -> str:
        """In words: "methods lead; commands crops"."""
        return "; ".join(f"{kind} {' '.join(self.ids(kind))}" for kind in self._kinds())

    def may_bring(self, method: str) -> bool:
        """Whether a method belongs, or would belong, to this plugin, as far as its names tell."""
        own = {self.name, self.distribution, *self.ids("methods"), *self.meant}
        return method in own or f"bench-{method}" in own

    def _kinds(self) -> Iterator[str]:
        order = ("methods", "datasets", "protocols", "twins", "launchers", "commands")
        return (kind for kind in order if self.ids(kind))
