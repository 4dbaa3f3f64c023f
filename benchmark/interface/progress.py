"""How far a run is: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

EVERY_SECONDS = 10.0


def make_progress(quiet: bool = False) -> Any:
    """A progress display for what standard error is."""
    if quiet:
        return Silent()
    return Live() if sys.stderr.isatty() else Lines()


class Silent:
    """Says nothing."""

    def __call__(self, stage: str, step: int, total: int, **values: float) -> None:
        pass

    def close(self) -> None:
        pass


def _words(values: dict[str, float]) -> str:
    words = []
    for name, value in values.items():
        if name == "images_per_second":
            words.append(f"{value:,.0f} images/s")
        else:
            words.append(f"{name.replace('_', ' ')} {value:.4g}")
    return " · ".join(words)


class _Clock:
    """Time left in a stage, from the steps made since it began here."""

    def __init__(self) -> None:
        self.stage, self.began, self.first = "", 0.0, 0

    def left(self, stage: str, step: int, total: int) -> float | None:
        now = time.monotonic()
        if stage != self.stage:
            self.stage, self.began, self.first = stage, now, step
            return None
        made = step - self.first
        return (now - self.began) / made * (total - step) if made > 0 else None


class Lines:
    """A line when a stage begins and ends, and one every ten seconds in between."""

    def __init__(self) -> None:
        self.clock, self.last, self.stage, self.ended = _Clock(), 0.0, "", False

    def __call__(self, stage: str, step: int, total: int, **values: float) -> None:
        left = self.clock.left(stage, step, total)
        new = stage != self.stage
        ends = step >= total and not (self.ended and not new)
        if not (new or ends or time.monotonic() - self.last >= EVERY_SECONDS):
            return
        self.stage, self.ended, self.last = stage, step >= total, time.monotonic()
        parts = [f"{stage}: {step:,}/{total:,}"]
        if values:
            parts.append(_words(values))
        if left is not None and step < total:
            parts.append(f"{duration(left)} left")
        print(" · ".join(parts), file=sys.stderr, flush=True)

    def part(self, name: str, number: int, of: int) -> None:
        """A line of its own where a part of a run begins."""
        print(part_words(name, number, of), file=sys.stderr, flush=True)

    def close(self) -> None:
        pass


class Live:
    """A bar for the stage under way; what is finished folds to a line above it.

    Counters and times are never cut: where the terminal is narrow, the values go on below them.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.table import Column

        self.bars = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=16),
            TextColumn(
                "{task.completed:,.0f}/{task.total:,.0f}", table_column=Column(no_wrap=True)
            ),
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
            TextColumn("left"),
            TimeRemainingColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[words]}", table_column=Column()),
            console=Console(stderr=True),
        )
        self.tasks: dict[str, Any] = {}
        self.started = False

    def __call__(self, stage: str, step: int, total: int, **values: float) -> None:
        if not self.started:
            self.bars.start()
            self.started = True
        if stage not in self.tasks:
            self._fold()
            self.tasks[stage] = self.bars.add_task(stage, total=total, completed=step, words="")
        self.bars.update(self.tasks[stage], completed=step, total=total, words=_words(values))

    def part(self, name: str, number: int, of: int) -> None:
        """A line above the stages of a part of a run."""
        from rich.text import Text

        self._fold()
        self.bars.console.print(Text(part_words(name, number, of), style="dim"))

    def _fold(self) -> None:
        from rich.text import Text

        for task in [task for task in self.bars.tasks if task.finished]:
            line = f"✓ {task.description}  {duration(task.finished_time or 0.0)}"
            self.bars.console.print(Text(line))
            self.bars.remove_task(task.id)
            del self.tasks[task.description]

    def close(self) -> None:
        if self.started:
            self.bars.stop()


def part_words(name: str, number: int, of: int) -> str:
    """Where in the whole a run is.

    >>> part_words("predict", 2, 3)
    'part 2 of 3: predict'
    """
    return f"part {number} of {of}: {name}"


def duration(seconds: float) -> str:
    """Seconds for people: 75 → "1 min 15 s"."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"
