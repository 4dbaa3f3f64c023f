"""What bench brings itself, registered as any plugin does.

That is data sets, protocols, recipes of twins, launchers and commands; floors, ceilings and methods are
plugins of their own.
"""

from __future__ import annotations

from benchmark.cli.commands import COMMANDS
from benchmark.contracts.extension import CommandSpec, LauncherSpec
from benchmark.contracts.hooks import Register, hookimpl
from benchmark.datasets.specs import DATASETS
from benchmark.datasets.twin_specs import TWINS
from benchmark.home import builtin_folder

LAUNCHERS = (
    LauncherSpec("local", "benchmark.launch.local:Local", "several processes on this machine"),
    LauncherSpec("slurm", "benchmark.launch.slurm:Slurm", "jobs of a Slurm cluster"),
    LauncherSpec("ray", "benchmark.launch.ray:Ray", "tasks of a Ray cluster"),
)


@hookimpl
def bench_datasets(register: Register) -> None:
    for spec in DATASETS:
        register(spec)


@hookimpl
def bench_protocols(register: Register) -> None:
    register(builtin_folder())


@hookimpl
def bench_twins(register: Register) -> None:
    for spec in TWINS:
        register(spec)


@hookimpl
def bench_launchers(register: Register) -> None:
    for spec in LAUNCHERS:
        register(spec)


@hookimpl
def bench_commands(register: Register) -> None:
    for name, summary in COMMANDS.items():
        register(CommandSpec(name, f"benchmark.cli.{name}:command", summary))
