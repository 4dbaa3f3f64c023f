"""Frozen backbones and DFF: registration only; torch is imported when a method runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmark.contracts import MethodSpec, hookimpl

LITE0: dict[str, Any] = {
    "backbone": "efficientnet-lite0",
    "layers": ("stage2", "stage3", "stage5"),
    "size": 192,
}
SQUEEZENET: dict[str, Any] = {
    "backbone": "squeezenet",
    "layers": ("fire3", "fire5", "fire9"),
    "size": 192,
}
PARTS: dict[str, Any] = {"backbone": "squeezenet", "layers": ("fire9",), "size": 224}
TINY: dict[str, Any] = {
    "backbone": "squeezenet",
    "layers": ("fire4", "fire9"),
    "trained": False,
    "size": 48,
}


@hookimpl
def bench_methods(register: Callable[[MethodSpec], None]) -> None:
    register(
        MethodSpec(
            id="frozen-backbone",
            implementation="bench_frozen.descriptors:FrozenBackbone",
            gives=["descriptors"],
            summary="maps of a frozen network as descriptors, without any training",
            licence="Apache-2.0",
            presets={
                "efficientnet-lite0": LITE0,
                "squeezenet": SQUEEZENET,
                "efficientnet-lite0-untrained": LITE0 | {"trained": False},
                "squeezenet-untrained": SQUEEZENET | {"trained": False},
            },
            default_preset="efficientnet-lite0",
            twin_preset="squeezenet-untrained",
            tiny=TINY | {"grid": 6},
        )
    )
    register(
        MethodSpec(
            id="dff",
            version=2,  # factors lie where the network's cells do; 1: stretched over the picture
            implementation="bench_frozen.factors:DeepFeatureFactorisation",
            gives=["parts"],
            summary="maps of a frozen network as sums of a few, by non-negative factors",
            paper="Collins et al. 2018, Deep Feature Factorization for Concept Discovery",
            licence="Apache-2.0",
            presets={
                "foreground": PARTS | {"parts": 2},
                "parts": PARTS | {"parts": 4},
                "foreground-untrained": PARTS | {"parts": 2, "trained": False},
            },
            default_preset="foreground",
            twin_preset="foreground-untrained",
            tiny=TINY | {"layers": ("fire9",), "parts": 3, "fitted": 16, "updates": 10},
        )
    )
