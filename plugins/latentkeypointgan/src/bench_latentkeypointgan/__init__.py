"""LatentKeypointGAN (He et al. 2021): registration only; torch is imported when the method runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmark.contracts import MethodSpec, hookimpl

#: What is recalled of the paper, and the later networks of its authors where nothing is.
PAPER: dict[str, Any] = {
    "size": 128,
    "landmarks": 10,
    "start": "constant",
    "start_side": 4,
    "tau": 0.01,
    "noise": 256,
    "embedding": 128,
    "background_loss": 100.0,
    "penalty": 10.0,
    "pairs": 200_000,
    "real_share": 0.0,
}
#: One CPU core for a quarter of an hour, on images of 32 pixels.
SMALL: dict[str, Any] = {
    "size": 32,
    "landmarks": 10,
    "noise": 64,
    "width": 128,
    "embedding": 32,
    "divisor": 10.0,
    "roam": 0.25,
    "tau": 0.04,
    "start": "positional",
    "start_side": 8,
    "margin": 2,
    "base": 768,
    "most": 64,
    "hidden": 0,
    "convolutions": 1,
    "modulation": 1,
    "output": "tanh",
    "last": 0.1,
    "discriminator_base": 512,
    "discriminator_most": 96,
    "spread": True,
    "penalty": 1.0,
    "penalty_every": 16,
    "background_loss": 0.0,
    "images": 15_360,
    "batch": 16,
    "generator_rate": 5e-4,
    "discriminator_rate": 5e-4,
    "betas": (0.0, 0.99),
    "average": 2_000.0,
    "ramp": 0.05,
    "mirror": True,
    "shift": 0.125,
    "precision": "bfloat16",
    "pairs": 14_000,
    "pairs_batch": 32,
    "detector_width": 16,
    "downs": 3,
    "ups": 2,
    "jitter": 0.4,
    "blur": 0.5,
    "pixel_noise": 0.05,
    "real_share": 0.25,
}
DEMO: dict[str, Any] = SMALL | {"pairs": 5_000}


@hookimpl
def bench_methods(register: Callable[[MethodSpec], None]) -> None:
    register(
        MethodSpec(
            id="latentkeypointgan",
            implementation="bench_latentkeypointgan.method:LatentKeypointGan",
            gives=["landmarks", "generator"],
            summary="a GAN that draws with K points, and a detector trained on what it draws",
            paper="He et al. 2021, LatentKeypointGAN: Controlling Images via Latent Keypoints",
            licence="Apache-2.0",
            presets={"paper": PAPER, "small": SMALL, "demo": DEMO},
            default_preset="paper",
            twin_preset="demo",
            untrained=["small", "demo"],
            tiny=SMALL
            | {
                "size": 16,
                "landmarks": 4,
                "noise": 8,
                "width": 16,
                "embedding": 8,
                "start_side": 4,
                "base": 128,
                "most": 8,
                "discriminator_base": 128,
                "discriminator_most": 16,
                "background_loss": 100.0,
                "images": 64,
                "batch": 8,
                "pairs": 32,
                "pairs_batch": 8,
                "detector_width": 4,
                "downs": 2,
                "ups": 1,
                "precision": "float32",
            },
        )
    )
