"""Where the time of scoring a generator goes, before and after, in turns in one process.

    BENCH_DATA=… python perf/generator_scoring.py [--rounds 3]

A small seeded network generates 96-pixel images; features are those of `fd-squeezenet`, path lengths by
`lpips-squeeze` (weights below `$BENCH_DATA/weights`), as `ytf68_images` asks. *Before* reads 32 images
at a time, keeps every map, resizes in one thread, and generates anew for a second network; *now* is the
code as it is. What was tried besides and left stands below them, with how far its values move. One
thread and two are measured in a process each.

Writes `perf/results/generator_scoring.json` and prints the rows of the table in README.md.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

OUT = Path(__file__).parent / "results" / "generator_scoring.json"
IMAGES, BATCH, PAIRS, AT_ONCE, SIZE = 64, 32, 32, 8, 96


def measured(threads: int, rounds: int) -> list[dict[str, Any]]:
    """A row for each arm: seconds for 1,000 images or paths, and how far its values moved."""
    import numpy as np
    import torch
    from cleanfid.resize import make_resizer
    from torch import nn

    from benchmark.contracts import Generator
    from benchmark.metrics.path_length import perceptual_path_distances
    from benchmark.networks.feature_networks import feature_network
    from benchmark.networks.lpips import Lpips, _unit
    from benchmark.networks.resize import clean_resize

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    ups = [[nn.ConvTranspose2d(16, 16, 4, 2, 1), nn.ReLU()] for _ in range(4)]
    network = nn.Sequential(
        nn.Unflatten(1, (16, 3, 3)), *(layer for up in ups for layer in up),
        nn.ConvTranspose2d(16, 3, 4, 2, 1), nn.Tanh(),
    ).requires_grad_(False)  # fmt: skip
    for weight in network.parameters():
        weight.mul_(2)  # as drawn the images would be grey
    generator = Generator(144, 1, SIZE, lambda z: z[:, None], lambda w, noise: network(w[:, 0]))
    now, before, last = (feature_network("fd-squeezenet") for _ in range(3))
    for part in before.maps.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    last.maps.to(memory_format=torch.channels_last)
    lpips = Lpips("lpips-squeeze")
    one_by_one = make_resizer("PIL", False, "bicubic", (224, 224))

    def generated() -> list[Any]:
        return [b.permute(0, 2, 3, 1) for b in generator.stream(IMAGES, 0, batch=BATCH)]

    batches = generated()
    levels = [torch.from_numpy(clean_resize(b, 224)).permute(0, 3, 1, 2) for b in batches]

    def whole(network: Any, some: Any) -> Any:
        (maps,) = network.maps(some / 127.5 - 1)
        return maps.mean(dim=(2, 3))

    def parts(size: int) -> Any:
        return torch.cat([whole(now, some) for each in levels for some in each.split(size)])

    def paths(distance: Callable[[Any, Any], Any]) -> Any:
        return perceptual_path_distances(generator, distance, pairs=PAIRS, batch=AT_ONCE)

    def together(near: Any, far: Any) -> Any:
        maps = lpips.maps((torch.cat([near, far]) - lpips.shift) / lpips.scale)
        total = 0
        for i, each in enumerate(maps):
            one, other = _unit(each).chunk(2)
            squared = (one - other).square() * getattr(lpips, f"head{i}")[:, None, None]
            total = total + squared.sum(dim=1).mean(dim=(1, 2))
        return total

    def channels_last(near: Any, far: Any) -> Any:
        near, far = (x.contiguous(memory_format=torch.channels_last) for x in (near, far))
        return lpips(near, far)

    def stacked(found: Any) -> np.ndarray:
        return np.concatenate([np.asarray(each) for each in found])

    pairs: list[tuple[str, str, int, Callable[[], Any]]] = [
        ("generate for two networks", "before: twice", IMAGES,
         lambda: stacked(generated() and generated())),
        ("generate for two networks", "now: once", IMAGES, lambda: stacked(generated())),
        ("resize", "before: one thread", IMAGES,
         lambda: np.stack([one_by_one(x) for b in batches for x in np.asarray(b)])),
        ("resize", "now", IMAGES, lambda: stacked(clean_resize(b, 224) for b in batches)),
        ("SqueezeNet", "before", IMAGES, lambda: torch.cat([whole(before, x) for x in levels])),
        ("SqueezeNet", "now", IMAGES, lambda: torch.cat([now.read(x) for x in levels])),
        ("SqueezeNet", "left: weights channels last", IMAGES,
         lambda: torch.cat([last.read(x) for x in levels])),
        ("SqueezeNet", "left: 64 at a time", IMAGES,
         lambda: torch.cat([whole(now, x) for x in torch.cat(levels).split(64)])),
        ("SqueezeNet", "left: 8 at a time", IMAGES, lambda: parts(8)),
        ("paths", "before, and now", PAIRS, lambda: paths(lpips)),
        ("paths", "left: both ends in one batch", PAIRS, lambda: paths(together)),
        ("paths", "left: channels last", PAIRS, lambda: paths(channels_last)),
        ("paths", "of these, generating", PAIRS, lambda: paths(lambda a, b: torch.zeros(len(a)))),
    ]  # fmt: skip
    wall: dict[int, list[float]] = {i: [] for i in range(len(pairs))}
    spent: dict[int, list[float]] = {i: [] for i in range(len(pairs))}
    found: dict[int, np.ndarray] = {}
    with torch.inference_mode():
        for turn in range(rounds + 1):
            for i, (_, _, _, arm) in enumerate(pairs):
                began, used = time.perf_counter(), time.process_time()
                found[i] = np.asarray(arm())
                if turn:  # the first warms up
                    wall[i].append(time.perf_counter() - began)
                    spent[i].append(time.process_time() - used)
    rows, first = [], {}
    for i, (step, arm, count, _) in enumerate(pairs):
        reference = first.setdefault(step, found[i])
        moved = np.abs(found[i] - reference.astype(np.float64))
        scale = np.abs(reference).max() if step != "paths" else np.abs(reference)
        rows.append(
            {
                "threads": threads, "step": step, "by": arm,
                "wall_s_per_1000": 1000 / count * statistics.median(wall[i]),
                "processor_s_per_1000": 1000 / count * statistics.median(spent[i]),
                "turns_wall_s": wall[i],
                "same_bits": bool(np.array_equal(found[i], reference)),
                "moved": float((moved / scale).max()),
            }
        )  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.threads:
        print(json.dumps(measured(given.threads, given.rounds)))
        return
    rows = []
    for threads in (1, 2):
        words = [sys.executable, __file__, "--rounds", str(given.rounds), "--threads", str(threads)]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        rows += json.loads(done.stdout.splitlines()[-1])
    for row in rows:
        same = "same bits" if row["same_bits"] else f"moved by {row['moved']:.1e}"
        print(
            f"| {row['threads']} | {row['step']} | {row['by']} | {row['wall_s_per_1000']:.2f} | "
            f"{row['processor_s_per_1000']:.2f} | {same} |"
        )
    OUT.write_text(json.dumps({"processor": platform.machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
