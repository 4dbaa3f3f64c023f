"""What a plugin may bring beside methods, protocols and data sets: commands and launchers; data only."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.contracts.names import id_faults, reference_faults, text_faults


@dataclass(frozen=True)
class CommandSpec:
    """A subcommand: `bench <id>`. `implementation` ("module:command") names a click command.

    It is imported when the command is called. Example: `CommandSpec(id="crops",
    implementation="bench_crops.cli:command", summary="Show the crops of a protocol.")`.
    """

    id: str
    implementation: str
    summary: str

    def problems(self) -> list[str]:
        """What is wrong with this registration, in words; empty when nothing is."""
        return _faults(self)


@dataclass(frozen=True)
class LauncherSpec:
    """A place where runs execute: `bench run --launcher <id>`.

    `implementation` ("module:Class") names a `benchmark.contracts.launch.Launcher`, imported when it
    is chosen.
    """

    id: str
    implementation: str
    summary: str

    def problems(self) -> list[str]:
        """What is wrong with this registration, in words; empty when nothing is."""
        return _faults(self)


def _faults(spec: CommandSpec | LauncherSpec) -> list[str]:
    return [
        *id_faults("id", spec.id),
        *reference_faults("implementation", spec.implementation),
        *text_faults("summary", spec.summary),
    ]
