"""Every golden item of a folder through bench, value by value."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmark.contracts.errors import BenchError, UnknownName
from tests.golden import generative, landmarks, shapes
from tests.golden.items import Item, Tolerance, Value, read_index, read_item

COMPUTED: dict[str, Callable[[Item], Iterator[Value]]] = {
    "nme_5pt": landmarks.normalised_errors,
    "nme_68pt": landmarks.normalised_errors,
    "linear_regression_scops_fixture": landmarks.linear_regression,
    "linear_regression_synthetic": landmarks.linear_regression,
    "taichi_mae_real_labels": landmarks.taichi,
    "taichi_mae_synthetic": landmarks.taichi,
    "softargmax_regressor": landmarks.softargmax,
    "landmark_matching": landmarks.matching,
    "tps_warp": landmarks.thin_plate,
    "part_centres": landmarks.centres,
    "foreground_iou": shapes.foreground,
    "mask_xor": shapes.disagreement,
    "frechet_full_rank": generative.frechet,
    "frechet_rank_deficient": generative.frechet,
    "frechet_large_mean": generative.frechet,
    "kid_full_sample": generative.kid,
    "precision_recall_k3_prdc_k5": generative.neighbours,
    "precision_recall_ties": generative.neighbours,
    "ppl_trimming": generative.path_length,
    "als": generative.linearity,
    "lpips_squeeze": generative.lpips,
    "clean_resize_up": generative.resized,
    "clean_resize_down": generative.resized,
    "chamfer": shapes.clouds,
    "pose_accuracy": shapes.pose,
    "alignment": shapes.alignment,
    "camera_quaternion": shapes.camera,
}

FOR_INFORMATION = {
    "*": ["lib_*"],
    "als": ["released_code_std", "released_code_trapezoid_area", "sigma_per_attribute"],
    "ppl_trimming": ["ppl_untrimmed", "ppl_variant_*"],
    "pose_accuracy": ["median_even_average"],
}
"""Expected values that are kept beside the golden ones and that bench does not claim to give."""


@dataclass(frozen=True)
class Row:
    """One value compared. `error` is in the terms of the tolerance; `relative` is the largest
    difference over the largest expected value."""

    item: str
    quantity: str
    function: str
    error: float
    relative: float
    tolerance: Tolerance

    @property
    def within(self) -> bool:
        return self.tolerance.holds(self.error)


@dataclass
class Checked:
    """All about one item: values compared, what went wrong besides, values left out."""

    name: str
    rows: list[Row] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    for_information: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.faults and all(row.within for row in self.rows)

    @property
    def worst(self) -> Row | None:
        """The value nearest to its tolerance, or furthest beyond it."""

        def part(row: Row) -> tuple[bool, float]:
            return not row.within, row.error / row.tolerance.limit if row.tolerance.limit else 0.0

        return max(self.rows, key=part, default=None)


def check_folder(folder: Path, only: Iterable[str] = ()) -> list[Checked]:
    """Each item that bench knows or the folder lists, or those in `only`, in bench's order.

    An item that one of the two lacks is a fault of that item. Raises `DataMissing` or `DataAltered`
    when there is no index to begin with, `UnknownName` for names in `only` that nobody knows.
    """
    entries = read_index(folder)
    names = [*COMPUTED, *(name for name in entries if name not in COMPUTED)]
    chosen = set(only)
    for name in chosen:
        if name not in names:
            raise UnknownName("golden item", name, names)
    checked = []
    for name in names:
        if chosen and name not in chosen:
            continue
        if name not in COMPUTED:
            checked.append(Checked(name, faults=["unknown item: nothing in bench computes it"]))
        elif name not in entries:
            checked.append(Checked(name, faults=["missing item: golden.json does not list it"]))
        else:
            checked.append(_check(folder, entries[name]))
    return checked


def _check(folder: Path, entry: dict[str, object]) -> Checked:
    result = Checked(str(entry["name"]))
    try:
        item = read_item(folder, entry)
        for value in COMPUTED[item.name](item):
            if value.quantity in item.expected:
                result.rows.append(_compare(item, value))
    except BenchError as error:
        result.faults.append(str(error))
        return result
    except Exception as error:
        # Whatever a damaged item makes of a computation is that item's fault; the others go on.
        result.faults.append(f"{type(error).__name__}: {error}")
        return result
    if not result.rows:
        result.faults.append("nothing was compared")
    given = {row.quantity for row in result.rows}
    for quantity in item.expected:
        patterns = FOR_INFORMATION["*"] + FOR_INFORMATION.get(item.name, [])
        if any(fnmatch.fnmatchcase(quantity, pattern) for pattern in patterns):
            result.for_information.append(quantity)
        elif quantity not in given:
            result.faults.append(f"nothing in bench computes {quantity}")
    result.faults += [
        f"golden.json and {entry.get('file')} disagree on {quantity}"
        for quantity in item.disagreements()
    ]
    return result


def _compare(item: Item, value: Value) -> Row:
    tolerance = item.tolerance(value.quantity, value.clause)
    found = np.asarray(value.found, np.float64)
    expected = np.asarray(item.expected[value.quantity], np.float64)
    if value.up_to_sign and found.shape == expected.shape:
        found = found * np.where((found * expected).sum(axis=-1, keepdims=True) < 0, -1.0, 1.0)
    error = tolerance.error(found, expected)
    relative = float("inf")
    if found.shape == expected.shape:
        largest = float(np.abs(expected).max(initial=0.0))
        difference = float(np.abs(found - expected).max(initial=0.0))
        relative = difference / largest if largest else difference
    return Row(item.name, value.quantity, value.function, error, relative, tolerance)
