"""What a fit that was killed goes on from: its newest checkpoint, and the time it has worked."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote

import torch
from torch import distributed

from benchmark.contracts.errors import BenchError, DataAltered
from benchmark.contracts.keeping import require_readable
from benchmark.files import read_json, whole_file, write_json

CHECKPOINT_EVERY_SECONDS = 30.0
Anything = TypeVar("Anything")


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes of a fit this one is."""

    rank: int = 0
    count: int = 1

    def agree(self, value: Anything) -> Anything:
        """What process 0 holds, once all have come here."""
        if self.count == 1:
            return value
        held: list[Any] = [None] * self.count
        distributed.all_gather_object(held, value)
        return cast(Anything, held[0])


def checkpoint_files(folder: Path) -> list[Path]:
    """All that a fit in this folder would go on from."""
    return list(folder.glob("checkpoint*.pt"))


class FolderCheckpoints:
    """A file for each name, replaced whole; tensors, numbers, strings, lists and dicts only."""

    def __init__(self, folder: Path, watch: Stopwatch, ranks: Ranks) -> None:
        self.folder = folder
        self.watch, self.ranks = watch, ranks
        every = os.environ.get("BENCH_CHECKPOINT_SECONDS", str(CHECKPOINT_EVERY_SECONDS))
        try:
            self.every = float(every)
        except ValueError:
            raise BenchError(f"BENCH_CHECKPOINT_SECONDS is {every!r}, not a number") from None
        self.last = time.monotonic()

    def path(self, name: str = "") -> Path:
        """Example: `path("stage 1")` is "checkpoint-stage%201.pt" in the folder."""
        return self.folder / f"checkpoint{'-' * bool(name)}{quote(name, safe='')}.pt"

    def load(self, name: str = "") -> dict[str, Any] | None:
        self.ranks.agree(None)  # what process 0 was saving is there
        state = self._read(self.path(name))
        self.ranks.agree(None)  # it may be replaced, all have read it
        return state

    def clear(self) -> None:
        """The fit is done: nothing goes on from here any more."""
        for path in checkpoint_files(self.folder):
            path.unlink()

    def _read(self, path: Path) -> dict[str, Any] | None:
        if not path.exists():
            return None
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise DataAltered(
                f"the checkpoint {path} can't be read: {type(error).__name__}: {error}",
                cure="delete it; the fit then begins anew",
            ) from None

    def save(self, state: Mapping[str, Any], name: str = "") -> None:
        if self.ranks.rank:
            return
        require_readable(state)
        with whole_file(self.path(name)) as temporary:
            torch.save(dict(state), temporary)
        self.watch.write()
        self.last = time.monotonic()

    def due(self) -> bool:
        return not self.ranks.rank and time.monotonic() - self.last >= self.every


KEPT = ("seconds", "attempts", "throughput", "parts")
"""What the file of a stopwatch holds."""


class Stopwatch:
    """Seconds worked over all attempts, in a file; what a kill took after the last keep is lost."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "time.json"
        again = f"delete {folder}; the same command fits it again"
        before = read_json(self.path, again, *KEPT) if self.path.exists() else {}
        self.seconds = float(before.get("seconds", 0.0))
        self.attempts = int(before.get("attempts", 0)) + 1
        self.throughput: dict[str, float] = before.get("throughput", {})
        self.parts: dict[str, dict[str, Any]] = before.get("parts", {})
        self.running: float | None = time.monotonic()

    def pause(self) -> None:
        """Stop counting (another folder's watch counts meanwhile)."""
        if self.running is not None:
            self.seconds += time.monotonic() - self.running
            self.running = None

    def go_on(self) -> None:
        self.running = time.monotonic()

    def write(self) -> None:
        """Write the time so far."""
        if self.running is not None:
            self.pause()
            self.go_on()
        write_json(self.path, self.summary())

    def summary(self) -> dict[str, Any]:
        return {
            "seconds": round(self.seconds, 3),
            "attempts": self.attempts,
            "throughput": self.throughput,
            "parts": self.parts,
        }
