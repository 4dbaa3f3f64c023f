"""Golden inputs and expected values, found through BENCH_GOLDEN."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


class Golden:
    """One golden item: `item["in_x"]`, `item["out_y"]` are arrays; scalars come as floats."""

    def __init__(self, folder: Path, entry: dict[str, Any]) -> None:
        with np.load(folder / entry["file"]) as arrays:
            self._arrays = {name: arrays[name] for name in arrays}

    def __getitem__(self, name: str) -> Any:
        value = self._arrays[name]
        return value if value.ndim else value.item()


def _folder(variable: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set")
    folder = Path(value)
    if not folder.is_dir():
        pytest.skip(f"{variable} names {folder}, which is not a folder")
    return folder


@pytest.fixture
def golden() -> Callable[[str], Golden]:
    folder = _folder("BENCH_GOLDEN")
    items = json.loads((folder / "golden.json").read_text())["items"]
    entries = {entry["name"]: entry for entry in items}
    return lambda name: Golden(folder, entries[name])


@pytest.fixture
def data_folder() -> Path:
    return _folder("BENCH_DATA")
