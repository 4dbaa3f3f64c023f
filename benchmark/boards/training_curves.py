"""What fits logged while they trained, laid over one another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.contracts.errors import BenchError, DataAltered, UnknownName
from benchmark.contracts.record import Record
from benchmark.files import read_json
from benchmark.home import home

WIDTH, HEIGHT = 560, 300
NOT_CURVES = {"stage", "step", "images", "images_per_second", "peak_memory_bytes"}
Curve = list[tuple[int, float]]
"""(images seen, value), in the order of training."""


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
    found: dict[tuple[str, str], Curve] = {}
    for row in [row for place in (*parts, folder) for row in _rows(place / "log.jsonl")]:
        for name in row.keys() - NOT_CURVES:
            found.setdefault((name, row.get("stage", "")), []).append((row["images"], row[name]))
    names = [name for name, _ in found]
    return {
        name if names.count(name) == 1 else f"{stage}/{name}": curve
        for (name, stage), curve in sorted(found.items())
    }


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        return [row for row in rows if "images" in row]
    except ValueError as error:
        raise DataAltered(f"{path} is no log of a fit: {error}") from None


def one_value(curves: Mapping[str, Mapping[str, Curve]], value: str) -> dict[str, Curve]:
    """The curve of one value for each run; refuses a value that one of them does not log."""
    for found in curves.values():
        if value not in found:
            raise UnknownName("logged value", value, found)
    return {run: found[value] for run, found in curves.items()}


def training_svg(curves: Mapping[str, Curve], value: str) -> str:
    """One line for each run: the mean over the steps between two rows of its log."""
    import altair
    import vl_convert

    values: list[dict[str, Any]] = [
        {"run": run, "images": images, "value": number}
        for run, curve in curves.items()
        for images, number in curve
        if images > 0
    ]
    low = min((v for curve in curves.values() for seen, v in curve if seen > 0), default=0.0)
    scale = altair.Scale(type="log") if low > 0 else altair.Scale(zero=False)
    chart = (
        altair.Chart(altair.Data(values=values))
        .mark_line(strokeWidth=1.5)
        .encode(
            x=altair.X("images:Q", title="images seen", axis=altair.Axis(format="~s")),
            y=altair.Y("value:Q", title=value, scale=scale),
            color=altair.Color(
                "run:N", title=None, sort=list(curves), legend=altair.Legend(labelLimit=400)
            ),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )
    text: str = vl_convert.vegalite_to_svg(chart.to_json())
    return text
