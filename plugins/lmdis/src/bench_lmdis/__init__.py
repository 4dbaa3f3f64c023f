"""LMDIS (Zhang et al. 2018): registration only; torch is imported when the method runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmark.contracts import MethodSpec, hookimpl

#: As YutingZhang/lmdis-rep 2d3830e trains on CelebA. Its number of steps is not stated: 300,000 give
#: each of the three rates as many steps as the first two have there. Losses over points are one mean
#: over images and warps there, of which these are two, and are divided by shares of 80 in 96 pixels:
#: 100, 20 and 1e4 there are 100 / 2 / (80 / 96)², 20 / 2 and 1e4 / (80 / 96) here.
PAPER: dict[str, Any] = {
    "landmarks": 10,
    "size": 80,
    "padded": 96,
    "claims": "released",
    "concentration": 72.0,
    "separation": 10.0,
    "equivariance": 12_000.0,
    "steps": 300_000,
    "batch": 16,
    "changes": (1 / 3, 2 / 3),
    "learning_rates": (1e-3, 1e-4, 1e-5),
    "reconstruction": (0.1, 1.0, 10.0),
    "weight_decay": 1e-6,
    "norm_momentum": 3e-4,
}
#: Another data set's weights, from the same code: AFLW's, which goes on from a fit on CelebA there.
AFLW: dict[str, Any] = PAPER | {"separation": 8.0, "separation_bandwidth": 0.06}
SMALL: dict[str, Any] = {
    "landmarks": 10,
    "size": 48,
    "padded": 64,
    "width": 0.25,
    "skips": 1,
    "drawn_features": 16,
    "scales": 3,
    "steps": 1500,
    "batch": 16,
    "changes": (2 / 3,),
    "learning_rates": (2e-3, 5e-4),
    "reconstruction": (1.0, 10.0),
    "weight_decay": 0.0,
    "norm_momentum": 0.02,
    "precision": "bfloat16",
}
DEMO: dict[str, Any] = SMALL | {"steps": 300}


@hookimpl
def bench_methods(register: Callable[[MethodSpec], None]) -> None:
    register(
        MethodSpec(
            id="lmdis",
            implementation="bench_lmdis.method:Lmdis",
            gives=["landmarks"],
            summary="K points that follow warps and through which an autoencoder passes the image",
            paper="Zhang et al. 2018, Unsupervised Discovery of Object Landmarks as Structural "
            "Representations",
            licence="Apache-2.0",
            presets={"paper": PAPER, "aflw": AFLW, "small": SMALL, "demo": DEMO},
            default_preset="paper",
            twin_preset="demo",
            untrained=["paper", "aflw", "small", "demo"],
            tiny={
                "landmarks": 4,
                "size": 16,
                "padded": 24,
                "width": 0.1,
                "skips": 1,
                "drawn_features": 4,
                "scales": 2,
                "steps": 6,
                "batch": 4,
                "norm_momentum": 0.1,
            },
        )
    )
