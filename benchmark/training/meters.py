"""How fast and how large a training run is."""

from __future__ import annotations

import resource
import sys
import time

import torch


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
