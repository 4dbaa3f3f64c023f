"""A stand-in for the harness: a fit context in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark.contracts.method import FitContext
from benchmark.testing.standin import FileCheckpoints


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
            checkpoints=FileCheckpoints(folder / "checkpoint.pt", 3, kill_after),
            progress=lambda stage, step, total, **values: None,
            log=lambda row: rows.append(dict(row)),
            shared=None,  # type: ignore[arg-type]
            milestone=milestone,
        )
        context.rows, context.milestones = rows, milestones
        return context

    return make
