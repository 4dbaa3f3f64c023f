"""LEAD (Karmali et al. 2022): registration only; torch is imported when the method runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmark.contracts import MethodSpec, Reported, hookimpl

_BOARDS = ("mafl", "aflw_m", "aflw_r", "w300")
#: NME in % with all labels, from the thesis: table 3.2 (hypercolumn) and 3.4 (compact descriptors).
_HYPERCOLUMN = (2.39, 6.23, 5.65, 4.66)
_COMPACT = {
    64: (2.93, 6.61, 6.32, 5.32),
    128: (2.91, 6.60, 6.21, 5.41),
    256: (2.87, 6.51, 6.12, 5.37),
}


def _reported() -> tuple[Reported, ...]:
    def rows(values: tuple[float, ...], table: str, settings: Mapping[str, Any]) -> list[Reported]:
        source = f"Karmali et al. 2022, table {table}"
        return [
            Reported(
                protocol,
                "nme_iod",
                value,
                source,
                {"network": "resnet50", **settings},
                not_comparable="its probe follows ContrastLandmark's schedule, not DVE's",
            )
            for protocol, value in zip(_BOARDS, values, strict=True)
        ]

    found = rows(_HYPERCOLUMN, "3.2", {"reduction": "none"})
    for dimension, values in _COMPACT.items():
        found += rows(values, "3.4", {"reduction": "fpn", "dimension": dimension})
    return tuple(found)


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
    "distil_epochs": 7.0,
    "distil_batch": 32,
    "distil_optimiser": "adamw",
    "distil_learning_rate": 1e-3,
    "pyramid_width": 64,
    "head_width": 128,
    "distil_queries": 144,
}
DEMO: dict[str, Any] = SMALL | {"epochs": 25.0}


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
            reported=_reported(),
            tiny={"epochs": 0.5, "batch": 16, "distil_epochs": 0.2, "distil_batch": 8},
        )
    )
