"""What a fit stores: checkpoints that can be read back, and lines of numbers."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from benchmark.contracts.errors import PluginBroken
from benchmark.contracts.names import text_faults

PLAIN = (torch.Tensor, torch.nn.Parameter, str, int, float, bool, bytes, type(None))


def require_readable(state: Mapping[str, Any]) -> None:
    """Refuse a checkpoint that could be written but not read back, which would show after a kill only.

    Raises `PluginBroken`, which names where in `state` the first such thing lies.
    """
    _require_readable(dict(state))


def _require_readable(value: Any, *path: object) -> None:
    kind = type(value)
    if kind in PLAIN and not (isinstance(value, torch.Tensor) and value.is_nested):
        return
    if kind in (dict, OrderedDict):
        for key, content in value.items():
            _require_readable(key, *path, key, "(the key)")
            _require_readable(content, *path, key)
    elif kind in (list, tuple):
        for i, content in enumerate(value):
            _require_readable(content, *path, i)
    elif not _can_be_read_back(value):
        raise PluginBroken(
            f"context.checkpoints.save: {'.'.join(map(str, path))} is of type {kind.__name__}, "
            "which can't be read back",
            cure="keep tensors, numbers, strings, and lists and dicts of them",
        )


def _can_be_read_back(value: Any) -> bool:
    """Whether torch itself reads it: it is asked, for a few more types are fine (torch.Size, sets)."""
    file = io.BytesIO()
    try:
        torch.save(value, file)
        file.seek(0)
        torch.load(file, weights_only=True)
    except Exception:
        return False
    return True


def logged(values: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the log as plain numbers and words; tensors and NumPy's of one number are numbers.

    Raises `PluginBroken`, which names the key of what is none.
    """
    line = {}
    for key, value in values.items():
        if faults := text_faults("context.log: a key", str(key)):
            raise PluginBroken(faults[0], cure="log under short names: letters, digits and blanks")
        if isinstance(value, torch.Tensor | np.generic | np.ndarray) and value.ndim == 0:
            value = value.item()
        if not isinstance(value, str | int | float | None):
            raise PluginBroken(
                f"context.log: {key} is of type {type(value).__name__}, not a number",
                cure="log numbers: `float(loss)`, or `.mean()` of a tensor with several",
            )
        line[str(key)] = value
    return line
