"""A small stand-in for the harness in tests of methods: contexts in a folder, images to learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from benchmark.contracts.images import Images
from benchmark.contracts.keeping import logged, require_readable
from benchmark.contracts.method import FitContext
from benchmark.contracts.weights import no_weights


class FileCheckpoints:
    """A file for each name; due after every `every` steps' question."""

    def __init__(self, file: Path, every: int = 0, kill_after: int = 0) -> None:
        self.file, self.every, self.kill_after = file, every, kill_after
        self.asked = self.saved = 0

    def path(self, name: str) -> Path:
        return self.file.with_stem(f"{self.file.stem}-{name}") if name else self.file

    def load(self, name: str = "") -> dict[str, Any] | None:
        if not self.path(name).exists():
            return None
        return torch.load(self.path(name), weights_only=True)

    def save(self, state: Mapping[str, Any], name: str = "") -> None:
        require_readable(state)
        torch.save(dict(state), self.path(name))
        self.saved += 1
        if self.kill_after and self.saved == self.kill_after:
            raise KeyboardInterrupt

    def due(self) -> bool:
        self.asked += 1
        return bool(self.every) and self.asked % self.every == 0


def make_context(
    folder: Path,
    *,
    seed: int = 0,
    every: int = 0,
    kill_after: int = 0,
    rank: int = 0,
    devices: int = 1,
    weights: Callable[[str], Path] = no_weights,
) -> FitContext:
    """A context whose log, milestones, samples and progress are lists on `context.seen`.

    With `every`, checkpoints are due at every such step; with `kill_after`, the fit is ended by
    `KeyboardInterrupt` after so many of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seen = SimpleNamespace(log=[], milestones=[], progress=[], samples=[])

    def milestone(images_seen: int, save: Callable[[Path], None]) -> None:
        place = folder / f"milestone-{images_seen}"
        place.mkdir(exist_ok=True)
        save(place)
        seen.milestones.append((images_seen, place))

    @contextmanager
    def shared(name: str, identity: Mapping[str, Any]) -> Iterator[Any]:
        place = folder.parent / f"shared-{name}"
        place.mkdir(exist_ok=True)
        inner = make_context(
            folder / name,
            seed=seed,
            every=every,
            kill_after=kill_after,
            rank=rank,
            devices=devices,
            weights=weights,
        )
        inner.seen = seen  # type: ignore[attr-defined]
        inner.log, inner.milestone, inner.sample = context.log, milestone, context.sample
        done = place / "done"
        yield SimpleNamespace(
            folder=place, done=done.exists(), context=inner, finish=lambda: done.touch()
        )

    context = FitContext(
        seed=seed,
        device="cpu",
        folder=folder,
        checkpoints=FileCheckpoints(folder / "checkpoint.pt", every, kill_after),
        progress=lambda stage, step, total, **values: seen.progress.append((stage, step, total)),
        log=lambda values: seen.log.append(logged(values)),
        shared=shared,
        milestone=milestone,
        weights=weights,
        sample=lambda stage, images, pictures: seen.samples.append((stage, images, pictures)),
        rank=rank,
        devices=devices,
    )
    context.seen = seen  # type: ignore[attr-defined]
    return context


def make_images() -> Images:
    """Forty images of smooth random colours, 32 px with a margin of 4."""
    draw = np.random.Generator(np.random.PCG64(0))
    coarse = draw.integers(0, 256, (40, 5, 5, 3), dtype=np.uint8)
    return Images(coarse.repeat(8, 1).repeat(8, 2), 32, "0" * 64)
