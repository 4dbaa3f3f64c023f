"""Annotation-invariant style transfer (2020): registration only; torch is imported when it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmark.contracts import CommandSpec, MethodSpec, hookimpl

#: Table 6.1 of the thesis, "constrained"; all else is what the defaults say.
EXPERIMENT2: dict[str, Any] = {"alpha_weight": (2.0, 2.0), "feature_weight": (1.75, 1.75)}
#: The same table, "less constrained".
EXPERIMENT3: dict[str, Any] = {"alpha_weight": (1.0, 1.0), "feature_weight": (1.25, 1.25)}
#: One CPU core for less than ten minutes, on images of 64 pixels.
SMALL: dict[str, Any] = {
    "alpha": "exact",
    "width": 16,
    "blocks": 2,
    "skip": True,
    "judge_width": 16,
    "judge_layers": 2,
    "features": "squeezenet",
    "feature_layer": "fire9",
    "feature_weight": (0.25, 0.25),
    "steps": 2000,
    "batch": 2,
    "learning_rate": 5e-4,
    "cooling": 0.5,
    "mirror": True,
}
#: A minute or two, and no file of weights: features are those of a network drawn from a seed.
DEMO: dict[str, Any] = SMALL | {"features_trained": False, "steps": 400}


@hookimpl
def bench_methods(register: Callable[[MethodSpec], None]) -> None:
    register(
        MethodSpec(
            id="aist",
            implementation="bench_aist.method:Aist",
            gives=["translation"],
            summary="CycleGAN that keeps outlines and features: renders in the look of photographs",
            paper="a thesis of 2020 on annotation-invariant style transfer; Zhu et al. 2017, Unpaired "
            "Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
            licence="Apache-2.0",
            presets={
                "experiment2": EXPERIMENT2,
                "experiment3": EXPERIMENT3,
                "small": SMALL,
                "demo": DEMO,
            },
            default_preset="experiment2",
            twin_preset="demo",
            tiny={
                "width": 4,
                "blocks": 1,
                "judge_width": 4,
                "judge_layers": 1,
                "features": "squeezenet",
                "feature_layer": "fire2",
                "features_trained": False,
                "steps": 8,
                "batch": 2,
                "pool": 3,
                "mirror": True,
            },
        )
    )


@hookimpl
def bench_commands(register: Callable[[CommandSpec], None]) -> None:
    register(
        CommandSpec(
            "two-sample",
            "bench_aist.command:command",
            "How well a fresh classifier tells a run's translations from the target domain.",
        )
    )
