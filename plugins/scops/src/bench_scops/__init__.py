"""SCOPS (Hung et al. 2019): registration only; torch is imported when the method runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmark.contracts import MethodSpec, hookimpl

#: As NVlabs/SCOPS 05da7e4 trains on faces in the wild (exps/SCOPS_K8_retrain.json), but for its
#: networks: features come from VGG16, where it has VGG19, and both start from torchvision's weights.
PAPER: dict[str, Any] = {
    "parts": 8,
    "size": 256,
    "segmenter": "deeplab",
    "initial_file": "resnet50-0676ba61.pth",
    "initial_sha256": "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
    "backbone": "vgg16",
    "layers": ("relu5_2", "relu5_3"),
    "features_size": 256,
    "saliency": "silhouettes",
    "steps": 100_000,
    "batch": 6,
}
WITHOUT: dict[str, Any] = PAPER | {"saliency": "none"}
SMALL: dict[str, Any] = {
    "parts": 4,
    "size": 64,
    "segmenter": "small",
    "backbone": "squeezenet",
    "layers": ("fire9",),
    "features_size": 192,
    "unit_length": True,
    "compare": "grid",
    "saliency": "factors",
    "initial_basis": "factors",
    "concentration": 0.1,
    "divided": "once",
    "equivariance": 1.0,
    "equivariance_mean": "pixels",
    "outside": "ignored",
    "centres": 1.0,
    "consistency": 10.0,
    "consistency_mean": "pixels",
    "orthonormal": 0.1,
    "steps": 1500,
    "batch": 12,
    "optimiser": "adam",
    "learning_rate": 2e-3,
    "head_rate": 1.0,
    "basis_rate": 2e-3,
    "weight_decay": 0.0,
    "schedule": "cosine",
    "precision": "bfloat16",
}
SMALL_WITHOUT: dict[str, Any] = SMALL | {"saliency": "none"}
#: Needs no file of weights: what it explains is seen by a network drawn from a seed.
DEMO: dict[str, Any] = SMALL | {"trained": False, "features_size": 96, "steps": 300}


@hookimpl
def bench_methods(register: Callable[[MethodSpec], None]) -> None:
    register(
        MethodSpec(
            id="scops",
            # 3: maps lie where the network's cells do, centres too leave out what is beyond the picture,
            # control points move evenly, colours change before the warp. 2: maps to explain are found
            # once, in chunks; 1: anew in each step's batch
            version=3,
            implementation="bench_scops.method:Scops",
            gives=["parts"],
            summary="parts that follow warps and explain what a frozen network sees",
            paper="Hung et al. 2019, SCOPS: Self-Supervised Co-Part Segmentation",
            licence="Apache-2.0",
            presets={
                "paper": PAPER,
                "paper-without": WITHOUT,
                "small": SMALL,
                "small-without": SMALL_WITHOUT,
                "demo": DEMO,
            },
            default_preset="paper",
            twin_preset="demo",
            untrained=["small", "small-without", "demo"],
            tiny={
                "parts": 2,
                "size": 16,
                "width": 4,
                "segmenter": "small",
                "backbone": "squeezenet",
                "layers": ("fire4",),
                "trained": False,
                "features_size": 32,
                "saliency": "factors",
                "initial_basis": "factors",
                "fitted": 8,
                "compare": "grid",
                "optimiser": "adam",
                "learning_rate": 1e-3,
                "steps": 6,
                "batch": 4,
            },
        )
    )
