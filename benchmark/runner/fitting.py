"""The fit stage: a folder that a kill at any moment leaves usable, and that equal fits find again."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import filelock
import torch

from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext, Method, Progress
from benchmark.files import whole_file, whole_folder, write_json
from benchmark.runner.identity import part_id

CHECKPOINT_EVERY_SECONDS = 30.0


class FolderCheckpoints:
    """One checkpoint file, replaced whole; tensors, numbers, strings, lists and dicts only."""

    def __init__(self, folder: Path, watch: Stopwatch) -> None:
        self.path = folder / "checkpoint.pt"
        self.watch = watch
        self.every = float(os.environ.get("BENCH_CHECKPOINT_SECONDS", CHECKPOINT_EVERY_SECONDS))
        self.last = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        if not self.path.exists():
            return None
        return torch.load(self.path, map_location="cpu", weights_only=True)

    def save(self, state: Mapping[str, Any]) -> None:
        with whole_file(self.path) as temporary:
            torch.save(dict(state), temporary)
        self.watch.keep()
        self.last = time.monotonic()

    def due(self) -> bool:
        return time.monotonic() - self.last >= self.every


class Stopwatch:
    """Seconds worked over all attempts, in a file; what a kill took after the last keep is lost."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "time.json"
        before = json.loads(self.path.read_text()) if self.path.exists() else {}
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

    def keep(self) -> None:
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


@dataclass
class Workplace:
    """A folder in which something is fitted: checkpoint, log, time, and `done.json` at the end."""

    folder: Path
    images: Images
    seed: int
    device: str
    progress: Progress
    home: Path
    watch: Stopwatch = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.watch = Stopwatch(self.folder)

    @property
    def done(self) -> bool:
        return (self.folder / "done.json").exists()

    def context(self) -> FitContext:
        """What the method gets."""
        return FitContext(
            seed=self.seed,
            device=self.device,
            folder=self.folder,
            checkpoints=FolderCheckpoints(self.folder, self.watch),
            progress=self._progress,
            log=self._log,
            shared=self._shared,
            milestone=self._milestone,
        )

    def finish(self) -> None:
        """Say that all is there; the checkpoint is no longer needed."""
        self.watch.pause()
        write_json(self.folder / "done.json", self.watch.summary())
        (self.folder / "checkpoint.pt").unlink(missing_ok=True)

    def _progress(self, stage: str, step: int, total: int, **values: float) -> None:
        if "images_per_second" in values:
            self.watch.throughput[stage] = round(values["images_per_second"], 1)
        self.progress(stage, step, total, **values)

    def _log(self, values: Mapping[str, Any]) -> None:
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(dict(values)) + "\n")

    def _milestone(self, images_seen: int, save: Any) -> None:
        target = self.folder / "milestones" / str(images_seen)
        if not target.exists():
            with whole_folder(target) as folder:
                save(folder)

    @contextmanager
    def _shared(self, name: str, identity: Mapping[str, Any]) -> Iterator[SharedPart]:
        key = part_id(name=name, identity=identity, images=self.images.digest, seed=self.seed)
        folder = self.home / "fits" / "parts" / f"{name}-{key}"
        self.watch.pause()
        try:
            with waiting_lock(folder, self.progress):
                place = Workplace(
                    folder, self.images, self.seed, self.device, self.progress, self.home
                )
                before = place.done
                yield SharedPart(folder, before, place.context(), place)
                if place.done:
                    about = json.loads((folder / "done.json").read_text("utf-8"))
                    first_here = name not in self.watch.parts
                    if first_here:
                        self.watch.parts[name] = {**about, "folder": folder.name, "reused": before}
                    self.watch.throughput.update(about["throughput"])
        finally:
            self.watch.go_on()


@dataclass
class SharedPart:
    """A piece of a fit that equal settings share."""

    folder: Path
    done: bool
    context: FitContext
    place: Workplace

    def finish(self) -> None:
        self.place.finish()
        self.done = True


@contextmanager
def waiting_lock(folder: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock of a folder, waiting for another process that fits the same."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(f"{folder}.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        progress("wait for another process that fits the same", 0, 1)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def fit(method: Method, place: Workplace) -> bool:
    """Fit `method` in `place`, or find it fitted. True when it was found.

    Afterwards `place.folder/model` holds what `method.load` reads.
    """
    with waiting_lock(place.folder, place.progress):
        if place.done:
            return True
        torch.manual_seed(place.seed)
        method.device = place.device
        method.fit(place.images, place.context())
        with whole_folder(place.folder / "model") as folder:
            method.save(folder)
        place.finish()
        return False


def forget(folder: Path) -> None:
    """Remove a fit with all that belongs to it."""
    shutil.rmtree(folder, ignore_errors=True)
