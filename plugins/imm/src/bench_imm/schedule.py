"""The learning rate that falls when the loss no longer does."""

from __future__ import annotations

from typing import Any


class Plateau:
    """Lower the rate by `factor`, never below `floor`, when a stretch of steps is no improvement.

    After every `steps` steps their mean loss is compared with that of the `steps` before. Jain's
    report says "every time the training loss stops decreasing (for a history of 100 iterations)";
    the comparison of means is this reading of it.
    """

    def __init__(self, rate: float, floor: float, factor: float, steps: int) -> None:
        self.rate, self.floor, self.factor, self.steps = rate, floor, factor, steps
        self.total, self.count, self.before = 0.0, 0, float("inf")

    def add(self, loss: float) -> float:
        """Take in the loss of a step; the rate of the next one."""
        self.total, self.count = self.total + loss, self.count + 1
        if self.count == self.steps:
            mean = self.total / self.steps
            if mean >= self.before:
                self.rate = max(self.floor, self.rate * self.factor)
            self.total, self.count, self.before = 0.0, 0, mean
        return self.rate

    def state_dict(self) -> dict[str, Any]:
        names = ("rate", "total", "count", "before")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
