"""What a training run says of itself: means of what its steps gave, how fast and how large it is."""

from __future__ import annotations

import resource
import sys
import time
from collections import defaultdict
from collections.abc import Mapping

import torch

from benchmark.training.together import gathered


class Means:
    """Of each name, the mean over the steps that gave it a value."""

    def __init__(self) -> None:
        self._sums: dict[str, torch.Tensor] = {}
        self._counts: dict[str, int] = defaultdict(int)

    def add(self, values: Mapping[str, torch.Tensor | float]) -> None:
        """What one step gave; tensors are read later, so that no device is waited for."""
        for name, value in values.items():
            known = torch.as_tensor(value, dtype=torch.float32).detach()
            self._sums[name] = self._sums[name] + known if name in self._sums else known
            self._counts[name] += 1

    def read(self, processes: int = 1) -> dict[str, float]:
        """The means since the last reading, over the steps of all `processes`; start afresh.

        Example: after `add({"loss": 1.0, "r1": 16.0})` and `add({"loss": 3.0})` they are 2.0 and 16.0.
        """
        mine = {name: (float(total), self._counts[name]) for name, total in self._sums.items()}
        self._sums, self._counts = {}, defaultdict(int)
        everyone = gathered(mine) if processes > 1 else [mine]
        names = dict.fromkeys(name for each in everyone for name in each)
        given = {name: [each[name] for each in everyone if name in each] for name in names}
        return {name: sum(t for t, _ in g) / sum(n for _, n in g) for name, g in given.items()}


class Rate:
    """Images per second since the last reading."""

    def __init__(self) -> None:
        self._images, self._since = 0, time.perf_counter()

    def add(self, images: int) -> None:
        """So many images more."""
        self._images += images

    def read(self) -> float:
        """Images per second since the last call, and start afresh."""
        now = time.perf_counter()
        rate = self._images / max(now - self._since, 1e-9)
        self._images, self._since = 0, now
        return rate


def peak_memory(device: str | torch.device) -> int:
    """Largest memory use so far in bytes: of the device, or of this process on the CPU."""
    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
