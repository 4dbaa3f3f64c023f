"""The harness's stand-in, with what it was told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark.contracts.method import FitContext
from benchmark.testing import standin


@pytest.fixture
def make_context() -> Callable[..., FitContext]:
    """A context with checkpoints at each third question; it keeps `rows` and `milestones`."""

    def make(folder: Path, **more: Any) -> Any:
        context: Any = standin.make_context(folder, every=3, **more)
        kept, context.rows, context.milestones = context.milestone, context.seen.log, []

        def milestone(images_seen: int, save: Callable[[Path], None]) -> None:
            context.milestones.append(images_seen)
            kept(images_seen, save)

        context.milestone = milestone
        return context

    return make
