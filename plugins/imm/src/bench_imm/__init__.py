"""IMM (Jakab et al. 2018): registration only; torch is imported when the method runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmark.contracts import MethodSpec, hookimpl

#: As Jain's re-implementation in PyTorch trains; `batch` and the floor of the rate are not stated there.
PAPER: dict[str, Any] = {
    "layout": "seed",
    "size": 128,
    "pairs": "warp",
    "perceptual": "vgg16",
    "weighting": "fixed",
    "epochs": 100.0,
    "batch": 50,
    "learning_rate": 1e-3,
    "schedule": "plateau",
    "weight_decay": 5e-4,
    "clip": 1.0,
    "clip_by": "all",
}
#: As tomasjakab/imm 0fee6b2 trains; runs had about 3 million steps, the code stops at 30 million.
RELEASED: dict[str, Any] = {
    "layout": "released",
    "initial": "truncated_normal",
    "size": 128,
    "pairs": "warp",
    "perceptual": "vgg16",
    "weighting": "running",
    "steps": 3_000_000,
    "batch": 50,
    "learning_rate": 1e-3,
    "schedule": "decay",
    "weight_decay": 1e-5,
    "clip": 1.0,
    "clip_by": "variable",
}
#: One CPU core for about five minutes, chosen on the validation people of `ytf5`. At a rate of 1e-3
#: the points of the bilinear renderer stay together for half of the steps.
SMALL: dict[str, Any] = {
    "layout": "released",
    "size": 48,
    "width": 16,
    "blocks": 3,
    "sigma": 0.15,
    "margin": True,
    "perceptual": "squeezenet",
    "depth": 3,
    "weighting": "running",
    "steps": 2600,
    "batch": 16,
    "learning_rate": 2e-3,
    "schedule": "cosine",
    "warm_up": 0.05,
    "weight_decay": 0.0,
    "precision": "bfloat16",
}
#: Needs no file of weights: its loss looks through a network drawn from a seed.
DEMO: dict[str, Any] = SMALL | {"perceptual": "untrained", "steps": 600}


@hookimpl
def bench_methods(register: Callable[[MethodSpec], None]) -> None:
    register(
        MethodSpec(
            id="imm",
            implementation="bench_imm.method:Imm",
            gives=["landmarks"],
            summary="K points from which, with another view, the image can be rendered",
            paper="Jakab et al. 2018, Unsupervised Learning of Object Landmarks through "
            "Conditional Image Generation",
            licence="Apache-2.0",
            presets={"paper": PAPER, "released": RELEASED, "small": SMALL, "demo": DEMO},
            default_preset="paper",
            twin_preset="demo",
            untrained=["paper", "released", "small", "demo"],
            tiny={
                "perceptual": "untrained",
                "depth": 1,
                "layout": "released",
                "size": 32,
                "width": 4,
                "blocks": 3,
                "steps": 8,
                "batch": 8,
            },
        )
    )
