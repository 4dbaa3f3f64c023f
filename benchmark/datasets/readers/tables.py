"""Tables that a publisher pickled with pandas, read without running what a pickle may run.

The pickle's classes are replaced by inert stand-ins: only NumPy's arrays are made for real. Whatever
else a file asks for is refused, so a file that is not a table can't do anything.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.contracts.errors import DataAltered
from benchmark.datasets.layout import AGAIN


class _Standin:
    """Holds what the pickle says of an object, and does nothing with it."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _index(_: Any, state: dict[str, Any]) -> np.ndarray | None:
    """The labels of an axis; a range has none."""
    return state.get("data")


def _array(*_: Any) -> np.ndarray:
    return np.empty(0)  # filled by the array's own __setstate__


_CALLS: dict[tuple[str, str], Callable[..., Any]] = {
    ("pandas.core.frame", "DataFrame"): _Standin,
    ("pandas.core.internals", "BlockManager"): _Standin,
    ("pandas.core.internals.managers", "BlockManager"): _Standin,
    ("pandas.core.indexes.base", "Index"): _Standin,
    ("pandas.core.indexes.range", "RangeIndex"): _Standin,
    ("pandas.core.indexes.base", "_new_Index"): _index,
    ("numpy.core.multiarray", "_reconstruct"): _array,
    ("numpy._core.multiarray", "_reconstruct"): _array,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("builtins", "slice"): slice,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _CALLS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _CALLS[module, name]


def pickled_columns(path: Path) -> dict[str, np.ndarray]:
    """Columns by name, object arrays (N,), of a data frame pickled by pandas before 1.1.

    Raises `DataAltered` for what is not such a file.

    Example: `taichi_test_gt.pkl` of motion-cosegmentation @ 571e26f has the columns file_name,
    frame_number and value, 300 rows, each value float64 (18, 2).
    """
    try:
        with path.open("rb") as file:
            manager = _Reader(file).load().state["_data"]
        block = manager.state[3]["0.14.1"]
        names = list(block["axes"][0])
        columns: dict[str, np.ndarray] = {}
        for part in block["blocks"]:
            at = part["mgr_locs"]
            rows = names[at] if isinstance(at, slice) else [names[i] for i in at]
            columns |= dict(zip(rows, part["values"], strict=True))
    except Exception as error:  # a damaged pickle raises of every kind
        raise DataAltered(
            f"{path} can't be read as a pickled table ({type(error).__name__}: {error})", cure=AGAIN
        ) from None
    return columns
