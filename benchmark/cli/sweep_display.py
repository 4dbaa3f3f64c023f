"""How far a sweep is, while it is worked on: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from benchmark.contracts.names import shown
from benchmark.interface.progress import duration
from benchmark.studies.state import Status
from benchmark.studies.sweeping import counts

MOST_ROWS = 20
"""Of a live table: runs under way first, then those that ended last, then what is queued."""


def make_display(name: str, *, quiet: bool = False) -> Any:
    """The display for what standard error is."""
    if quiet:
        return Silent()
    return LiveTable(name) if sys.stderr.isatty() else Lines()


class Silent:
    """Says nothing."""

    def say(self, line: str) -> None:
        pass

    def show(self, statuses: Sequence[Status]) -> None:
        pass

    def close(self) -> None:
        pass


class Lines(Silent):
    """A line when a run begins and when it ends."""

    def __init__(self) -> None:
        self.before: dict[str, str] = {}

    def say(self, line: str) -> None:
        click.echo(line, err=True)

    def show(self, statuses: Sequence[Status]) -> None:
        first = not self.before
        for status in statuses:
            old = self.before.get(status.key, "queued")
            self.before[status.key] = status.state
            if status.state != old and not (first and status.state == "done"):
                self.say(f"{_words(status)} ({counts(statuses)})")
            elif first and status.state == "done":
                self.say(f"done before: {status.name}")


def _words(status: Status) -> str:
    if status.state == "running":
        return f"begun: {status.name} ({status.where})"
    if status.state == "done":
        value = (
            "" if status.value is None else f", {status.metric} {status.value:.2f} {status.unit}"
        )
        return f"done: {status.name}{value.rstrip()}, {duration(status.seconds)}"
    if status.state == "queued":
        return f"to be begun again: {status.name}"
    why = shown(status.why.splitlines()[0], quote=False) if status.why else ""
    return f"{status.state}: {status.name}{f': {why}' if why else ''}"


class LiveTable(Silent):
    """One row a run, as many as fit; what has ended scrolls away above."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.live import Live

        self.name = name
        self.console = Console(stderr=True)
        self.live = Live(console=self.console, refresh_per_second=4, transient=True)
        self.live.start()

    def say(self, line: str) -> None:
        from rich.text import Text

        self.live.console.print(Text(line))

    def show(self, statuses: Sequence[Status]) -> None:
        self.live.update(self.table(statuses))

    def table(self, statuses: Sequence[Status]) -> Any:
        """What is shown of them."""
        from rich.table import Table
        from rich.text import Text

        rank = {"running": 0, "failed": 1, "done": 2, "queued": 3}
        shown_first = sorted(statuses, key=lambda s: (rank.get(s.state, 4), -(s.began + s.seconds)))
        most = max(3, min(MOST_ROWS, self.console.height - 4))
        found = Table(title=f"{self.name}: {counts(statuses)}", title_justify="left", box=None)
        for column in ("", "run", "", "time"):
            found.add_column(column, no_wrap=True, overflow="ellipsis")
        colours = {"running": "bold", "failed": "red", "done": "green", "queued": "dim"}
        for status in shown_first[:most]:
            spent = time.time() - status.began if status.state == "running" else status.seconds
            cells = (status.state, status.name, _detail(status), duration(spent) if spent else "")
            style = colours.get(status.state, "dim")
            # texts, not markup: what they say may come from anybody's plugin
            found.add_row(*(Text(shown(cell, quote=False), style=style) for cell in cells))
        if len(statuses) > most:
            found.add_row(Text("", style="dim"), Text(f"and {len(statuses) - most} more"))
        return found

    def close(self) -> None:
        self.live.stop()


def _detail(status: Status) -> str:
    if status.state == "done" and status.value is not None:
        return f"{status.metric} {status.value:.2f} {status.unit}".rstrip()
    return (status.why or status.progress).splitlines()[0] if status.why or status.progress else ""
