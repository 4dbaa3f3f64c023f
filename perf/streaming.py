"""Memory of a Fréchet distance and of a path length against the number of generated images.

    BENCH_DATA=… python perf/streaming.py

A small seeded network generates 64-pixel images; features are those of `fd-squeezenet`, distances
those of `lpips-squeeze` (weights below `$BENCH_DATA/weights`). Each count runs in a process of its
own, whose peak memory is read at its end; the first line is the process with all networks loaded and
32 images through them.

Writes `perf/results/streaming.json`.
"""

from __future__ import annotations

import json
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

COUNTS = (32, 500, 1000, 2000)
OUT = Path(__file__).parent / "results" / "streaming.json"


def one(count: int) -> dict[str, float]:
    """Distance of `count` images to as many others, and `count` paths: seconds and peak memory."""
    import torch
    from torch import nn

    from benchmark.contracts import Generator
    from benchmark.metrics.frechet import FeatureMoments, frechet_distance
    from benchmark.metrics.path_length import perceptual_path_length
    from benchmark.networks.feature_networks import feature_network
    from benchmark.networks.lpips import Lpips

    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Unflatten(1, (16, 2, 2)), nn.ConvTranspose2d(16, 32, 4, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(32, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 32, 4, 2, 1),
        nn.ReLU(), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(16, 3, 4, 2, 1), nn.Tanh(),
    ).requires_grad_(False)  # fmt: skip
    for weight in network.parameters():
        weight.mul_(2)  # as drawn the images would be grey
    generator = Generator(
        64,
        1,
        64,
        lambda z: z[:, None],
        lambda w, noise: network(w[:, 0]),
    )
    squeezenet, lpips = feature_network("fd-squeezenet"), Lpips("lpips-squeeze")
    began = time.monotonic()
    sides = []
    for seed in (0, 1):
        sides.append(FeatureMoments(squeezenet.dimensions))
        for images in generator.stream(count, seed, batch=32, device="cpu"):
            pixels = images.permute(0, 2, 3, 1).numpy()
            sides[-1].update(squeezenet.features(pixels))
    one, other = sides
    distance = frechet_distance(one.mean, one.covariance(), other.mean, other.covariance())
    compared = time.monotonic()
    length = perceptual_path_length(generator, lpips, pairs=count, seed=0)
    return {
        "images": count,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "distance_seconds": compared - began,
        "path_seconds": time.monotonic() - compared,
        "distance": float(distance),
        "path_length": float(length),
    }


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(one(int(sys.argv[1]))))
        return
    rows = []
    for count in COUNTS:
        done = subprocess.run(
            [sys.executable, __file__, str(count)], check=True, capture_output=True, text=True
        )
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print({k: round(v, 3) for k, v in rows[-1].items()}, flush=True)
    OUT.write_text(json.dumps({"processor": platform.machine(), "runs": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
