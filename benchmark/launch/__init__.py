"""Where runs execute: bench's own launchers and those of plugins, by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from benchmark.contracts.errors import PluginBroken, UnknownName
from benchmark.home import home
from benchmark.registry.implementations import named
from benchmark.registry.plugins import plugins

if TYPE_CHECKING:
    from benchmark.contracts.launch import Launcher

LAUNCHERS = {
    "pool": "benchmark.launch.pool:Pool",
    "slurm": "benchmark.launch.slurm:Slurm",
}
"""All but "local", which is the process that was asked."""


def make_launcher(name: str, options: Mapping[str, str]) -> Launcher:
    """A launcher by name, with a folder of its own; an option it does not know is refused."""
    from benchmark.contracts.launch import Launcher

    reference = LAUNCHERS.get(name) or plugins().launcher(name).implementation
    cls = named(reference, f"launcher {name!r}")
    if not (isinstance(cls, type) and issubclass(cls, Launcher)):
        raise PluginBroken(f"launcher {name!r}: {reference} is no subclass of Launcher")
    if "*" not in cls.options:
        for option in options:
            if option not in cls.options:
                raise UnknownName(f"{name} option", option, cls.options)
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder = home() / "launches" / f"{moment}-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    launcher: Launcher = cls(options, folder)
    return launcher
