"""StyleGAN2-ADA and HSR: registration only; torch is imported when a method runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmark.contracts import MethodSpec, hookimpl

#: StyleGAN2-ADA's own choice for one GPU; what depends on the images' side is worked out from it.
AUTO: dict[str, Any] = {"mapping": 2, "base": 16384, "augment": "bgc"}
#: The release's configuration for FFHQ and the like at 256 pixels.
PAPER256: dict[str, Any] = {
    "mapping": 8,
    "base": 16384,
    "batch": 64,
    "spread_group": 8,
    "gamma": 1.0,
    "average": 20_000.0,
    "ramp": None,
    "augment": "bgc",
}
#: One CPU core for about seven minutes, on images of 32 pixels.
SMALL: dict[str, Any] = {
    "z": 128,
    "w": 128,
    "mapping": 2,
    "base": 1024,
    "most": 128,
    "images": 20_000,
    "batch": 8,
    "gamma": 0.05,
    "mirror": True,
    "path_weight": 0.0,
    "mixing": 0.0,
    "augment": "none",
}
#: With a network of ImageNet's labels as teacher.
SMALL_HSR: dict[str, Any] = SMALL | {
    "teacher": "efficientnet-lite0",
    "teacher_layers": ("stage7", "stage6", "stage5", "stage3"),
    "teacher_size": 128,
    "teacher_scale": "own",
    "hsr": (4, 8, 16, 32),
    "hsr_from": 4_000,
    "hidden": 256,
}
DEMO: dict[str, Any] = SMALL | {"images": 6_000}


@hookimpl
def bench_methods(register: Callable[[MethodSpec], None]) -> None:
    register(
        MethodSpec(
            id="stylegan2",
            implementation="bench_stylegan2.method:StyleGan2Method",
            gives=["generator"],
            summary="StyleGAN2 with adaptive augmentation; HSR with a teacher",
            paper="Karras et al. 2020, Training Generative Adversarial Networks with Limited Data; "
            "Karmali et al. 2022, Hierarchical Semantic Regularization of Latent Spaces in StyleGANs",
            licence="Apache-2.0",
            presets={
                "auto": AUTO,
                "paper256": PAPER256,
                "small": SMALL,
                "small-hsr": SMALL_HSR,
                "demo": DEMO,
            },
            default_preset="auto",
            twin_preset="small",
            untrained=["small", "small-hsr", "demo"],
            tiny={
                "size": 16,
                "z": 8,
                "w": 8,
                "base": 64,
                "most": 8,
                "images": 128,
                "batch": 8,
                "mirror": True,
                "augment": "bgc",
                "adapt": 256,
            },
        )
    )
    register(
        MethodSpec(
            id="stylegan2-file",
            implementation="bench_stylegan2.method:StyleGan2File",
            gives=["generator"],
            summary="a StyleGAN2 generator that was trained elsewhere, from a file of weights",
            licence="Apache-2.0",
        )
    )
