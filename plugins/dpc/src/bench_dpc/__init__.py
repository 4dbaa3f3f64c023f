"""Differentiable point clouds (2018): registration only; torch is imported when the method runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmark.contracts import MethodSpec, hookimpl

#: As eldar/differentiable-point-clouds d9b6725 trains, which are the defaults: 8 objects × 4 views.
RELEASED: dict[str, Any] = {"objects": 8, "pairs": "first", "keep": (0.07, 1.0)}
#: As the paper and the thesis say: 4 objects × 4 views, a tenth of the points at first.
PAPER: dict[str, Any] = {"objects": 4, "pairs": "each", "keep": (0.1, 1.0)}
#: One CPU core for some six minutes.
SMALL: dict[str, Any] = {
    "size": 32,
    "code": 256,
    "points": 1000,
    "grid": 32,
    "cells": "centres",
    "taps": 11,
    "sigma": (1.5, 0.4),
    "keep": (0.3, 1.0),
    "objects": 4,
    "steps": 4000,
    "learning_rate": 1e-3,
    "cooling": 0.3,
    "weight_decay": 0.0,
}
#: About a minute.
DEMO: dict[str, Any] = SMALL | {"steps": 800}


@hookimpl
def bench_methods(register: Callable[[MethodSpec], None]) -> None:
    register(
        MethodSpec(
            id="dpc",
            implementation="bench_dpc.method:Dpc",
            gives=["shape_and_pose"],
            summary="a point cloud and a pose of one view, learned from silhouettes of several",
            paper="Insafutdinov and Dosovitskiy 2018, Unsupervised Learning of Shape and Pose with "
            "Differentiable Point Clouds",
            licence="Apache-2.0",
            presets={"paper": PAPER, "released": RELEASED, "small": SMALL, "demo": DEMO},
            default_preset="released",
            twin_preset="demo",
            untrained=["small", "demo"],
            tiny={
                "size": 16,
                "width": 4,
                "code": 16,
                "points": 60,
                "grid": 16,
                "cells": "centres",
                "sigma": (1.5, 0.5),
                "keep": (0.3, 1.0),
                "objects": 4,
                "views": 3,
                "steps": 8,
                "learning_rate": 1e-3,
            },
        )
    )
