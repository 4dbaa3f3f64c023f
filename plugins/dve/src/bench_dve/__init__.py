"""DVE (Thewlis et al. 2019): registration only; torch is imported when the method runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmark.contracts import MethodSpec, hookimpl

#: The hourglass as released: descriptors of length 20, the rate down at half of the epochs.
PAPER: dict[str, Any] = {
    "network": "hourglass",
    "dimension": 64,
    "size": 96,
    "length": 20.0,
    "epochs": 100.0,
    "batch": 16,
    "learning_rate": 1e-3,
    "drops": (0.5,),
    "bias_rate": 1.0,  # a rate of their own is in the configuration of SmallNet alone
    "folded": True,
}
#: SmallNet as released: raw descriptors. It saw 70 pixels with 15 around; 72 keep whole margins here.
SMALLNET: dict[str, Any] = {
    "network": "smallnet",
    "dimension": 64,
    "size": 72,
    "length": None,
    "epochs": 100.0,
    "batch": 32,
    "learning_rate": 1e-3,
    "drops": (0.7, 0.9),
    "folded": True,
}
SMALL: dict[str, Any] = {
    "network": "smallnet",
    "width": 0.5,
    "dimension": 32,
    "size": 48,
    "length": 10.0,
    "unit_length": True,
    "steps": 2500,
    "batch": 16,
    "learning_rate": 1e-3,
    "drops": (0.7, 0.9),
    "precision": "bfloat16",
}
DEMO: dict[str, Any] = SMALL | {"steps": 500}


@hookimpl
def bench_methods(register: Callable[[MethodSpec], None]) -> None:
    register(
        MethodSpec(
            id="dve",
            implementation="bench_dve.method:Dve",
            gives=["descriptors"],
            summary="descriptors that follow every pixel through warps, by way of a third image",
            paper="Thewlis et al. 2019, Unsupervised Learning of Landmarks by Descriptor Vector "
            "Exchange",
            licence="Apache-2.0",
            presets={"paper": PAPER, "smallnet": SMALLNET, "small": SMALL, "demo": DEMO},
            default_preset="paper",
            twin_preset="demo",
            untrained=["paper", "smallnet", "small", "demo"],
            tiny={"width": 0.2, "dimension": 6, "size": 24, "steps": 6, "batch": 4},
        )
    )
