"""Rows of a board that was never run: a method, the same network untrained, a ceiling."""

from __future__ import annotations

from dataclasses import replace

from benchmark.boards.measured import Floor, Measured
from benchmark.boards.rows import Row

METHOD = Row(
    method="emerging",
    variant="small dimension=64",
    role="method",
    value=8.95,
    ci95=(7.39, 10.50),
    ci_items=None,
    ci_seeds=None,
    seeds=(0, 1, 2),
    items=857,
    supervision="none",
    seconds=774.0,
    withdrawn="",
    floor=Floor(-4.70, -9.18, -0.22, 3, 3),
    reported=None,
    runs=("a", "b", "c"),
    weights=("squeezenet1_1_features.pth",),
    rank=(1, 10),
    metrics=(Measured("nme_iod", 8.95, (7.39, 10.50)),),
)
FLOOR = replace(
    METHOD,
    method="random-features",
    variant="emerging-small settings.dimension=64",
    role="floor",
    value=13.64,
    ci95=(9.54, 17.75),
    floor=None,
    rank=None,
    runs=("d",),
    metrics=(Measured("nme_iod", 13.64, (9.54, 17.75)),),
)
CEILING = replace(FLOOR, method="oracle", variant="", role="ceiling", value=0.0, ci95=(0.0, 0.0),
                  seeds=(0,), supervision="labels", weights=(), runs=("e",),
                  metrics=(Measured("nme_iod", 0.0, (0.0, 0.0)),))  # fmt: skip
ROWS = [CEILING, METHOD, FLOOR]
