"""A stand-in for the harness: a fit context in a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.contracts.method import FitContext


class FileCheckpoints:
    """Checkpoints in one file; due at every third question; killed after `kill_after` saves."""

    def __init__(self, file: Path, kill_after: int) -> None:
        self.file, self.kill_after = file, kill_after
        self.asked = self.saved = 0

    def load(self) -> dict[str, Any] | None:
        return torch.load(self.file, weights_only=True) if self.file.exists() else None

    def save(self, state: Mapping[str, Any]) -> None:
        torch.save(dict(state), self.file)
        self.saved += 1
        if self.saved == self.kill_after:
            raise KeyboardInterrupt

    def due(self) -> bool:
        self.asked += 1
        return self.asked % 3 == 0


class Recorded(FitContext):
    """A context that also keeps what it was told."""

    rows: list[dict[str, Any]]
    milestones: list[int]


@pytest.fixture
def make_context() -> Callable[..., Recorded]:
    def make(folder: Path, *, seed: int = 0, kill_after: int = 0) -> Recorded:
        folder.mkdir(parents=True, exist_ok=True)
        rows: list[dict[str, Any]] = []
        milestones: list[int] = []

        def milestone(images_seen: int, save: Callable[[Path], None]) -> None:
            milestones.append(images_seen)
            save(folder)

        context = Recorded(
            seed=seed,
            device="cpu",
            folder=folder,
            checkpoints=FileCheckpoints(folder / "checkpoint.pt", kill_after),
            progress=lambda stage, step, total, **values: None,
            log=lambda row: rows.append(dict(row)),
            shared=None,  # type: ignore[arg-type]
            milestone=milestone,
        )
        context.rows, context.milestones = rows, milestones
        return context

    return make
