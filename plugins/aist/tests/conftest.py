"""Two small domains, and a training on them, as fixtures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_aist.networks import Both
from bench_aist.settings import AistSettings
from bench_aist.training import Training
from torch import nn

from benchmark.contracts.images import Images
from benchmark.testing.standin import make_context

TINY: dict[str, Any] = {
    "width": 4, "blocks": 1, "judge_width": 4, "judge_layers": 1, "batch": 2, "features": "none",
}  # fmt: skip


def domain(number: int) -> Images:
    """Four pictures: bright squares on pure black."""
    pixels = np.zeros((4, 16, 16, 3), np.uint8)
    pixels[:, 3:11, 4:13] = np.random.default_rng(number).integers(1, 256, (4, 8, 9, 3))
    return Images(pixels, 16, str(number) * 64)


def both_domains() -> Images:
    images = domain(0)
    images.domains["photographs"] = domain(1)
    return images


def make_training(folder: Path, generators: nn.Module | None = None, **given: Any) -> Training:
    settings = AistSettings(**{**TINY, "steps": 4} | given)
    both = generators or Both(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1))
    return Training(both, both_domains(), make_context(folder), settings)  # type: ignore[arg-type]


@pytest.fixture
def tiny() -> dict[str, Any]:
    return dict(TINY)


@pytest.fixture
def images() -> Images:
    return both_domains()


@pytest.fixture
def training() -> Callable[..., Training]:
    return make_training
