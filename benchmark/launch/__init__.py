"""Where runs execute: launchers by name."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from benchmark.contracts.errors import PluginBroken, UnknownName
from benchmark.home import home
from benchmark.registry.implementations import named
from benchmark.registry.plugins import plugins

if TYPE_CHECKING:
    from benchmark.contracts.launch import Begun, Ended, Job, Launcher

EVERY_SECONDS = 0.1
FORMER = {"pool": "local"}
"""Launchers that had another name."""


def make_launcher(name: str, options: Mapping[str, str]) -> Launcher:
    """A launcher by name, with a folder of its own; an option it does not know is refused."""
    from benchmark.contracts.launch import Launcher

    if name in FORMER and name not in plugins().launchers:
        raise UnknownName(
            "launcher", name, plugins().launchers, cure=f"it is called {FORMER[name]} now"
        )
    reference = plugins().launcher(name).implementation
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


def execute(launcher: Launcher, jobs: Sequence[Job]) -> Generator[Begun | Ended, None, None]:
    """Have all jobs executed; gives what happens, until each has ended. Stopped early, it ends them.

    SIGTERM and SIGHUP end it as Ctrl-C does.
    """
    from benchmark.contracts.launch import Ended
    from benchmark.launch.signals import stopping

    with stopping():
        try:
            launcher.submit(jobs)
            left = len(jobs)
            while left:
                for event in launcher.poll():
                    left -= isinstance(event, Ended)
                    yield event
                time.sleep(EVERY_SECONDS if left else 0)
        finally:
            launcher.close()
