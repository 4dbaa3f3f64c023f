"""LEAD (Karmali et al. 2022) and ContrastLandmark (Cheng et al. 2021), which shares its stages.

Registration only; torch is imported when a method runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmark.contracts import MethodSpec, hookimpl

PAPER: dict[str, Any] = {
    "network": "resnet50",
    "hypercolumn_size": 48,
    "unit_length": False,
    "epochs": 200.0,
    "batch": 256,
    "optimiser": "sgd",
    "learning_rate": 0.03,
    "warm_up": 0.0,
    "weight_decay": 1e-4,
    "target_momentum": 0.996,
    "hidden": 4096,
    "projection": 256,
    "crop_size": 96,
    "crop_area": (0.2, 1.0),
    "distil_epochs": 20.0,
    "distil_batch": 256,
    "distil_optimiser": "sgd",
    "distil_learning_rate": 0.03,
    "pyramid_width": 256,
    "head_width": 256,
    "distil_queries": None,
}
SMALL: dict[str, Any] = {
    "network": "narrow",
    "hypercolumn_size": 24,
    "unit_length": True,
    "epochs": 96.0,
    "batch": 128,
    "optimiser": "sgd",
    "learning_rate": 0.2,
    "warm_up": 0.05,
    "weight_decay": 1e-4,
    "target_momentum": 0.97,
    "hidden": 512,
    "projection": 128,
    "crop_size": 48,
    "crop_area": (0.35, 1.0),
    "crop_aspect": 1.0,
    "queue": 1024,  # of a few thousand images; a longer one holds an image's own last key
    "distil_epochs": 7.0,
    "distil_batch": 32,
    "distil_optimiser": "adamw",
    "distil_learning_rate": 1e-3,
    "pyramid_width": 64,
    "head_width": 128,
    "distil_queries": 144,
}
DEMO: dict[str, Any] = SMALL | {"epochs": 25.0}

#: As ContrastLandmark's README and stage 2 train; `hidden` is of BYOL alone.
CONTRAST_PAPER: dict[str, Any] = PAPER | {
    "epochs": 800.0,
    "target_momentum": 0.999,
    "projection": 128,
    "flip": 0.0,
    "distil_epochs": 10.0,
    "distil_batch": 32,
    "distil_optimiser": "adam",
    "distil_learning_rate": 1e-3,
    "distil_weight_decay": 5e-4,
}
CONTRAST_SMALL: dict[str, Any] = SMALL | {
    "learning_rate": 0.1,
    "target_momentum": 0.99,
    "flip": 0.0,
}
TINY: dict[str, Any] = {"epochs": 0.5, "batch": 16, "distil_epochs": 0.2, "distil_batch": 8}


@hookimpl
def bench_methods(register: Callable[[MethodSpec], None]) -> None:
    register(
        MethodSpec(
            id="lead",
            implementation="bench_lead.method:Lead",
            gives=["descriptors"],
            summary="BYOL, then a compact student that finds the same correspondences",
            paper="Karmali et al. 2022, LEAD: Self-Supervised Landmark Estimation by Aligning "
            "Distributions of Feature Similarity",
            licence="Apache-2.0",
            presets={"paper": PAPER, "small": SMALL, "demo": DEMO},
            default_preset="paper",
            twin_preset="small",
            untrained=["paper", "small", "demo"],
            tiny=TINY,
        )
    )
    register(
        MethodSpec(
            id="contrast-landmarks",
            implementation="bench_lead.method:ContrastLandmarks",
            gives=["descriptors"],
            summary="MoCo, then a projector whose descriptors tell near places from far ones",
            paper="Cheng et al. 2021, On Equivariant and Invariant Learning of Object Landmark "
            "Representations",
            licence="Apache-2.0",
            presets={
                "paper": CONTRAST_PAPER,
                "small": CONTRAST_SMALL,
                "demo": CONTRAST_SMALL | {"epochs": 25.0},
            },
            default_preset="paper",
            twin_preset="small",
            untrained=["paper", "small", "demo"],
            tiny=TINY | {"queue": 64},
        )
    )
