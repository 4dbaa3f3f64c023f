"""What fits logged while they trained: each number a curve, of one run or laid over one another."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from benchmark.boards.plot import Axis, Plot, looks
from benchmark.contracts.errors import BenchError, DataAltered, InvalidInput, UnknownName
from benchmark.files import read_json
from benchmark.home import home
from benchmark.records.model import Record

WIDTH, HEIGHT = 560, 280
NOT_CURVES = {"stage", "step", "images", "images_per_second", "peak_memory_bytes"}


@dataclass(frozen=True)
class Curve:
    """A logged value in the order of training: `points` are (images seen, value), and `along` says so.

    Where lines of the log name no `images` their `step` is counted, and without one the lines.
    """

    points: tuple[tuple[int, float], ...]
    along: str = "images seen"

    def thinned(self, most: int = 400) -> list[tuple[float, float]]:
        """At most so many points: means of as many neighbours each as it takes."""
        every = -(-len(self.points) // most)
        groups = [self.points[i : i + every] for i in range(0, len(self.points), every or 1)]
        return [
            (sum(x for x, _ in g) / len(g), sum(value for _, value in g) / len(g)) for g in groups
        ]


def logged(record: Record) -> dict[str, Curve]:
    """The curves of a run's fit by name: the value's, with its stage where another stage logs it too.

    Read from the fit's folder and from those of the parts it shares with others; raises `BenchError`
    where the fit is not on this machine.
    """
    folder = home() / "fits" / record.fit_id
    if not (folder / "done.json").exists():
        raise BenchError(
            f"the fit {record.fit_id} of run {record.run_id} is not on this machine",
            cure="what is logged in training stays where it was fitted; run it here",
        )
    about = read_json(folder / "done.json", f"delete {folder} and fit it again")
    parts = [home() / "fits" / "parts" / part["folder"] for part in about["parts"].values()]
    found: dict[tuple[str, str], list[tuple[dict[str, Any], float]]] = defaultdict(list)
    for row in [row for place in (*parts, folder) for row in _rows(place / "log.jsonl")]:
        for name in row.keys() - NOT_CURVES:
            if _number(row[name]):
                found[name, row.get("stage", "")].append((row, row[name]))
    names = [name for name, _ in found]
    return {
        name if names.count(name) == 1 else f"{stage}/{name}": _curve(rows)
        for (name, stage), rows in sorted(found.items())
    }


def _curve(rows: list[tuple[dict[str, Any], float]]) -> Curve:
    for key, along in (("images", "images seen"), ("step", "steps")):
        if all(_number(row.get(key)) for row, _ in rows):
            # what a killed fit logged after its last checkpoint is logged again: the later one counts
            return Curve(tuple({row[key]: value for row, value in rows}.items()), along)
    return Curve(tuple((i, value) for i, (_, value) in enumerate(rows, start=1)), "lines logged")


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _rows(path: Path) -> list[dict[str, Any]]:
    """The lines of a fit's log; one that a kill left half-written is passed over."""
    if not path.exists():
        return []
    found = [_row(line) for line in path.read_text("utf-8", "replace").splitlines()]
    if found and not any(found):
        raise DataAltered(f"{path} is no log of a fit")
    return [row for row in found if row is not None]


def _row(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def default_value(curves: Mapping[str, Mapping[str, Curve]]) -> str:
    """The value that is meant where none is named: the loss, else the only one that all runs log; empty
    where that leaves a choice."""
    if any("loss" in found for found in curves.values()):
        return "loss"
    common = set.intersection(*(set(found) for found in curves.values()))
    return common.pop() if len(common) == 1 else ""


def one_value(curves: Mapping[str, Mapping[str, Curve]], value: str) -> dict[str, Curve]:
    """The curve of one value for each run; refuses a value that one of them does not log, and curves
    along different things."""
    for found in curves.values():
        if value not in found:
            raise UnknownName("logged value", value, found)
    chosen = {run: found[value] for run, found in curves.items()}
    if len(along := sorted({curve.along for curve in chosen.values()})) > 1:
        raise InvalidInput(
            f"{value} is logged along {' and along '.join(along)}, so the curves can't be laid over "
            "one another",
            cure="log `images`, the number seen so far, in each of the methods",
        )
    return chosen


def training_svg(curves: Mapping[str, Curve], value: str) -> Markup:
    """A file of SVG with one line for each run: the mean over the steps between two rows of its log."""
    lines = {run: [(x, y) for x, y in curve.points if x > 0] for run, curve in curves.items()}
    points = [point for line in lines.values() for point in line]
    if not points:
        raise InvalidInput(
            f"{value} is logged before the first step only: there is no line to draw"
        )
    up = Axis.around((y for _, y in points), HEIGHT, log=all(y > 0 for _, y in points))
    along = next(curve.along for curve in curves.values())
    plot = Plot(Axis.around((x for x, _ in points), WIDTH), up, names=(along, value))
    for (run, line), (colour, dash) in zip(lines.items(), looks(), strict=False):
        if line:
            plot.line(line, colour=colour, dash=dash, width=1.5, says=run, legend=True)
    return plot.svg(alone=True)
