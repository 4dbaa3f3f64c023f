"""What code does beside what it returns: global state that it changes, files that it opens to write."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.contracts.arithmetic import smallest_are_zero


def global_state() -> dict[str, Any]:
    """What all code of this process shares, by what it is called; equal values where nothing changed."""
    numpys = np.random.get_state()
    return {
        "torch's generator": torch.get_rng_state().numpy().tobytes(),
        "NumPy's generator": repr([getattr(p, "tolist", lambda p=p: p)() for p in numpys]),
        "Python's generator": str(random.getstate()),
        "the number of threads": torch.get_num_threads(),
        "the default dtype": torch.get_default_dtype(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "whether numbers below the smallest normal one are zero": smallest_are_zero(),
    }


_watching: list[list[Path]] = []
_hooked = threading.Event()


@contextmanager
def files_written() -> Iterator[list[Path]]:
    """The files that this process opens for writing meanwhile."""
    if not _hooked.is_set():
        # an audit hook can't be taken away again, so there is one, which mostly sleeps
        sys.addaudithook(_note)
        _hooked.set()
    found: list[Path] = []
    _watching.append(found)
    try:
        yield found
    finally:
        _watching.remove(found)


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching or event != "open":
        return
    path, mode, flags = arguments
    writes = (isinstance(mode, str) and set(mode) & set("wxa+")) or (
        mode is None and isinstance(flags, int) and flags & 0b11
    )
    if writes and isinstance(path, str | Path):
        for found in _watching:
            found.append(Path(path).absolute())
