"""What pictures of a scored run are drawn from: what it kept, its scores, its method if that is here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmark.contracts.images import to_signed
from benchmark.contracts.method import Method
from benchmark.contracts.predictions import Generator
from benchmark.datasets.prepared import PreparedSplit
from benchmark.pictures.sheet import COLUMNS, ROWS
from benchmark.runner.plan import Plan
from benchmark.runner.run import loaded_method
from benchmark.tasks.image_generation import generator_of

SOME = 8


class ItemScores(NamedTuple):
    """A value (N,) of each test item, NaN for none; `better` is "lower" or "higher"."""

    values: np.ndarray
    better: str


def from_best_to_worst(scores: ItemScores, count: int = COLUMNS * ROWS) -> np.ndarray:
    """Up to `count` items, evenly spread over the order of their scores; those without are left out."""
    values, better = scores
    order = np.argsort(values if better == "lower" else -values, kind="stable")
    order = order[: np.isfinite(values).sum()]  # NaN comes last
    steps = np.linspace(0, len(order) - 1, min(count, len(order)))
    return order[steps.round().astype(int)]


@dataclass
class PicturedRun:
    """The run of `plan`; `kept` are the small predictions that its task keeps, as it names them, and
    `probe` is what its record says of how it was scored."""

    plan: Plan
    kept: Mapping[str, np.ndarray]
    scores: ItemScores
    probe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def test(self) -> PreparedSplit:
        """What was scored."""
        return self.plan.splits["test"]

    @cached_property
    def method(self) -> Method | None:
        """The fitted method; None where the fit is not on this machine."""
        return loaded_method(self.plan) if (self.plan.fit_folder / "model").exists() else None

    @property
    def discovering(self) -> Method | None:
        """The fitted method, unless it is a ceiling: that predicts from labels alone."""
        return None if self.plan.spec.role == "ceiling" else self.method

    @cached_property
    def generator(self) -> Generator | None:
        """None for methods that do not generate, and where the fit is not on this machine."""
        if self.plan.kind != "generator" or self.method is None:
            return None
        with torch.inference_mode():
            return generator_of(self.method, self.test, self.plan.scored)

    @cached_property
    def some(self) -> torch.Tensor:
        """Eight test images, evenly spread over the split, none picked: uint8 (8, 3, S, S)."""
        count = len(self.test)
        chosen = np.linspace(0, count - 1, min(SOME, count)).round().astype(int)
        return self.test.images().batch(np.unique(chosen))

    def signed(self) -> torch.Tensor:
        """`some` as they reach the method: float32 in [-1, 1], on its device."""
        return to_signed(self.some.to(self.plan.device))
