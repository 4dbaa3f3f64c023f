"""Random numbers as pure functions of (seed, purpose, step), so that a resumed run needs no state."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def derived_seed(seed: int, *keys: int | str) -> int:
    """A 63-bit seed for the purpose that `keys` name; the same on every machine.

    Example: `derived_seed(0, "augment", 7)` is for step 7 of the augmentation of run 0.
    """
    words = [zlib.crc32(key.encode()) if isinstance(key, str) else key for key in keys]
    state = np.random.SeedSequence([seed, *words]).generate_state(2, np.uint32)
    return int(state[0]) << 31 ^ int(state[1])


def generator(seed: int, *keys: int | str, device: str | torch.device = "cpu") -> torch.Generator:
    """A generator on `device`, seeded for the purpose that `keys` name."""
    return torch.Generator(device).manual_seed(derived_seed(seed, *keys))


@contextmanager
def seeded(seed: int, *keys: int | str) -> Iterator[None]:
    """Run a block (the building of a network) under its own seed; the global state is put back."""
    # seeds all GPUs, so all are put back; where CUDA was not used yet there is nothing to save
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(derived_seed(seed, *keys))
        yield
