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

    def close(self) -> None:
        pass


class Live:
    """One bar a stage, finished ones stay."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.bars = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[words]}"),
            console=Console(stderr=True),
        )
        self.tasks: dict[str, Any] = {}

    def __call__(self, stage: str, step: int, total: int, **values: float) -> None:
        if not self.tasks:
            self.bars.start()
        if stage not in self.tasks:
            self.tasks[stage] = self.bars.add_task(stage, total=total, completed=step, words="")
        self.bars.update(self.tasks[stage], completed=step, total=total, words=_words(values))

    def close(self) -> None:
        if self.tasks:
            self.bars.stop()


def duration(seconds: float) -> str:
    """Seconds for people: 75 → "1 min 15 s"."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"
