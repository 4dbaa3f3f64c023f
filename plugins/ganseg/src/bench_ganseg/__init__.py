"""GANSeg (He et al. 2022): registration only; torch is imported when the method runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmark.contracts import MethodSpec, hookimpl

#: As the text says; what it leaves open (widths, the reach of crops) is as released. Faces in the wild,
#: and birds.
PAPER: dict[str, Any] = {
    "points_hidden": 2,
    "looks_hidden": 2,
    "spread": "deviation",
    "heat": "gaussian",
    "grid": "centres",
    "penalty": "squared",
    "penalty_every": 1,
    "regularise_every": 1,
    "concentration": 10.0,
    "concentration_over": "sum",
    "area_of": "heat",
    "background_shift": "both",
    "steps": 30_000,
}
PAPER_FLOWERS: dict[str, Any] = PAPER | {"concentration": 30.0}
PAPER_TAICHI: dict[str, Any] = PAPER_FLOWERS | {"parts": 10, "background_shift": "columns"}

#: As xingzhehe/GANSeg a3f5078 trains on faces in the wild: 30 passes of 712 batches.
RELEASED: dict[str, Any] = {
    "spread": "absolute",
    "heat": "cone",
    "grid": "corners",
    "penalty": "one",
    "penalty_every": 16,
    "regularise_every": 2,
    "concentration": 10.0,
    "concentration_over": "mean",
    "area_of": "disc",
    "background_shift": "columns",
    "steps": 21_360,
}
#: Birds and flowers have two blocks a level, and crops of 0.9 of the picture or more.
_SIX: dict[str, Any] = {
    "levels": (32, 32, 64, 64, 128, 128),
    "widths": (256, 256, 128, 128, 64, 64),
    "crop_area": 0.9,
    "crop_aspect": 1.1,
}
RELEASED_CUB: dict[str, Any] = RELEASED | _SIX | {"steps": 14_040}
RELEASED_FLOWERS: dict[str, Any] = (
    RELEASED | _SIX | {"concentration": 30.0, "single_final": True, "steps": 8_640}
)
RELEASED_TAICHI: dict[str, Any] = RELEASED | {
    "parts": 10,
    "concentration": 30.0,
    "mirror": False,
    "steps": 30_000,
}
#: One CPU core for some four minutes, at 32 pixels. Parts have a fixed size, for a learned one
#: collapses; real images are cropped, for what is always in the middle gives parts no reason to move.
SMALL: dict[str, Any] = {
    "parts": 8,
    "embedding": 32,
    "noise": 64,
    "hidden": 64,
    "points_hidden": 2,
    "looks_hidden": 2,
    "divisor": 2.5,
    "start": "lattice",
    "levels": (8, 8, 16, 32),
    "widths": (64, 64, 48, 32),
    "mask_width": 32,
    "encoding": 32,
    "convolutions": 1,
    "spade": 32,
    "spade_kernel": 1,
    "margin": 2,
    "background_start": 2.0,
    "mask_gain": 0.1,
    "final_gain": 0.1,
    "tanh": False,
    "judge_widths": (32, 64, 96, 128),
    "judge_convolutions": 1,
    "judge_hidden": 128,
    "spread_group": 8,
    "penalty": "squared",
    "penalty_weight": 8.0,
    "penalty_every": 16,
    "sigma": 0.22,
    "concentration": 300.0,
    "area": 1.0,
    "concentration_over": "mean",
    "area_of": "disc",
    "spread": "absolute",
    "crop_area": 0.4,
    "steps": 500,
    "batch": 16,
    "learning_rate": 1e-3,
    "judge_rate": 1e-3,
    "betas": (0.0, 0.99),
    "average": 2_000.0,
    "ramp": 0.05,
    "precision": "bfloat16",
    "student": "small",
    "student_steps": 250,
    "student_batch": 16,
    "student_rate": 1e-3,
    "jitter": 0.3,
}
DEMO: dict[str, Any] = SMALL | {"steps": 300, "student_steps": 150}


@hookimpl
def bench_methods(register: Callable[[MethodSpec], None]) -> None:
    register(
        MethodSpec(
            id="ganseg",
            version=2,  # `small` crops real images, for a third of the steps
            implementation="bench_ganseg.method:GanSegMethod",
            gives=["parts", "generator"],
            summary="images generated from parts; a student finds the parts in real ones",
            paper="He et al. 2022, GANSeg: Learning to Segment by Unsupervised Hierarchical "
            "Image Generation",
            licence="Apache-2.0",
            presets={
                "paper": PAPER,
                "paper-flowers": PAPER_FLOWERS,
                "paper-taichi": PAPER_TAICHI,
                "released": RELEASED,
                "released-cub": RELEASED_CUB,
                "released-flowers": RELEASED_FLOWERS,
                "released-taichi": RELEASED_TAICHI,
                "small": SMALL,
                "demo": DEMO,
            },
            default_preset="paper",
            twin_preset="demo",
            untrained=["paper", "released", "small", "demo"],
            tiny=SMALL
            | {
                "parts": 3,
                "embedding": 8,
                "noise": 8,
                "hidden": 8,
                "levels": (4, 8, 16),
                "widths": (8, 8, 8),
                "mask_width": 8,
                "encoding": 8,
                "spade": 8,
                "judge_widths": (8, 8, 8),
                "judge_hidden": 8,
                "student_width": 8,
                "steps": 6,
                "batch": 8,
                "student_steps": 4,
                "student_batch": 8,
            },
        )
    )
