"""The hooks a plugin may implement: few, verb-first, each taking a `register` callback.

Hook implementations return nothing; they call `register` once per thing they bring. They must stay
light: data only, no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pluggy

PROJECT = "bench"

Register = Callable[[Any], None]

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """Specifications of all hooks."""

    @hookspec
    def bench_methods(self, register: Register) -> None:
        """Register methods: `register(MethodSpec(...))`."""

    @hookspec
    def bench_protocols(self, register: Register) -> None:
        """Register protocols: `register(path)`, a folder laid out like `protocols/`."""

    @hookspec
    def bench_datasets(self, register: Register) -> None:
        """Register data sets: `register(DatasetSpec(...))`."""

    @hookspec
    def bench_twins(self, register: Register) -> None:
        """Register recipes of rendered twins: `register(RecipeSpec(...))`."""

    @hookspec
    def bench_launchers(self, register: Register) -> None:
        """Register places where runs execute: `register(LauncherSpec(...))`."""

    @hookspec
    def bench_commands(self, register: Register) -> None:
        """Register subcommands of `bench`: `register(CommandSpec(...))`."""
