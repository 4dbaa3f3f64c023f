"""One golden item: its inputs, the values it expects and how near they must be met."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from benchmark.contracts.errors import DataAltered, DataMissing

UNSTATED = "rel 1e-6"
"""For values to which golden.json states no tolerance."""


class Value(NamedTuple):
    """What a function of bench gives for a quantity of an item.

    `clause` is a word of the tolerance's part that applies where it has several; `up_to_sign` says
    that rows (of the last axis) may be the negative of those expected, as quaternions may.
    """

    quantity: str
    function: str
    found: Any
    clause: str = ""
    up_to_sign: bool = False


@dataclass(frozen=True)
class Tolerance:
    """`kind` is rel, abs, exact or below (the value itself lies below the limit)."""

    kind: str
    limit: float

    def __str__(self) -> str:
        return self.kind if self.kind == "exact" else f"{self.kind} {self.limit:.0e}"

    def error(self, found: np.ndarray, expected: np.ndarray) -> float:
        """The largest error in this tolerance's terms; infinite for other shapes and NaN."""
        if found.shape != expected.shape:
            return float("inf")
        error = np.abs(found) if self.kind == "below" else np.abs(found - expected)
        if self.kind == "rel":
            with np.errstate(divide="ignore", invalid="ignore"):
                error = np.where(error == 0, 0.0, error / np.abs(expected))
        worst = float(error.max(initial=0.0))
        return worst if np.isfinite(found).all() and np.isfinite(worst) else float("inf")

    def holds(self, error: float) -> bool:
        return error < self.limit if self.kind == "below" else error <= self.limit


class Item:
    """Arrays and entry of one item: `item["real"]` is the input array `in_real`."""

    def __init__(self, entry: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        self.name: str = entry["name"]
        self.entry = entry
        self.inputs = {k[3:]: v for k, v in arrays.items() if k.startswith("in_")}
        self.expected = {k[4:]: v for k, v in arrays.items() if k.startswith("out_")}

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.inputs:
            raise DataAltered(f"{self.name} has no input in_{name}")
        return self.inputs[name]

    def named(self, pattern: str) -> list[re.Match[str]]:
        """The expected quantities that a pattern matches whole, in order."""
        return [m for q in self.expected if (m := re.fullmatch(pattern, q))]

    def tolerance(self, quantity: str, clause: str = "") -> Tolerance:
        """What golden.json states for a quantity, the clause with a given word if there is one."""
        stated = self.entry.get("tolerance", UNSTATED)
        if isinstance(stated, Mapping):
            patterns = [p for p in stated if fnmatch.fnmatchcase(quantity, p)]
            stated = stated[min(patterns, key=lambda p: p != quantity)] if patterns else UNSTATED
        clauses = re.split(r"[;,] (?![^(]*\))", stated)
        chosen = next((c for c in clauses if clause in c), clauses[0])
        found = re.search(r"\b(rel|abs|below) ([0-9.]+(?:e[+-]?[0-9]+)?)|\b(exact)\b", chosen)
        if found is None:
            raise DataAltered(f"{self.name}: no tolerance can be read from {chosen!r}")
        return Tolerance("exact", 0.0) if found[3] else Tolerance(found[1], float(found[2]))

    def disagreements(self) -> list[str]:
        """Quantities of which golden.json says otherwise than the arrays, or has and they lack."""

        def repeated(quantity: str, stated: Any) -> bool:
            if quantity not in self.expected:
                return False
            expected = self.expected[quantity]
            if not isinstance(stated, int | float):
                return True  # a shape, in words
            return expected.shape == () and bool(np.isclose(expected, stated, rtol=1e-12, atol=0))

        stated = self.entry.get("expected", {})
        return [quantity for quantity, value in stated.items() if not repeated(quantity, value)]


def read_index(folder: Path) -> dict[str, dict[str, Any]]:
    """Entries of `golden.json` by name."""
    path = folder / "golden.json"
    try:
        entries = json.loads(path.read_text("utf-8"))["items"]
        names = [entry["name"] for entry in entries]
    except OSError as error:
        raise DataMissing(
            f"no golden folder at {folder}: {error}", cure="name a folder with golden.json"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataAltered(f"{path} is no index of golden items: {error!r}") from None
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise DataAltered(f"{path} lists {', '.join(sorted(twice))} twice")
    return dict(zip(names, entries, strict=True))


def read_item(folder: Path, entry: Mapping[str, Any]) -> Item:
    """An item with its arrays; nothing is unpickled."""
    path = folder / entry.get("file", f"{entry['name']}.npz")
    try:
        with np.load(path) as arrays:
            return Item(entry, {key: arrays[key] for key in arrays})
    except OSError as error:
        raise DataMissing(f"{entry['name']}: its arrays can't be read: {error}") from None
    except (ValueError, EOFError, BadZipFile) as error:
        raise DataAltered(f"{path}: {error}") from None
