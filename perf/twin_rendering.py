"""Pictures a second of the face twin, and what bounds it: where the time of one thread goes.

    python perf/twin_rendering.py [--faces 100] [--size 136]

One thread, two threads and the two processes by which splits are rendered take turns; pixels are
equal. What a face costs at several sizes, in processor milliseconds of one thread, parts what NumPy
does to pixels from what a scene costs however small it is drawn: building it, and a few dozen
operations for each of its solids, most of which cover few rays.
"""

from __future__ import annotations

import argparse
import cProfile
import hashlib
import json
import os
import platform
import pstats
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from benchmark.datasets import rendered_batches
from benchmark.datasets.rendered_batches import drawn
from benchmark.twins import raycast
from benchmark.twins.face import FaceRecipe, render_faces
from benchmark.twins.renderer import TwinBatch


def digest(batches: Iterable[TwinBatch]) -> str:
    found = hashlib.sha256()
    for batch in batches:
        found.update(batch.images.tobytes())
    return found.hexdigest()


def by_threads(count: int, size: int, threads: int) -> str:
    return digest([render_faces(count, size, threads=threads)])


def by_processes(count: int, size: int, processes: int) -> str:
    rendered_batches.cores, rendered_batches.WORTH = lambda: processes, 1
    return digest(drawn(FaceRecipe(range(200)), size, 0, 0, count))


def operation(pixels: int) -> float:
    """Microseconds of a multiplication of float32 in place."""
    values = np.ones(pixels, np.float32)
    one = np.float32(1)
    times = 20_000_000 // (pixels + 1000)
    began = time.process_time()
    for _ in range(times):
        values *= one
    return round((time.process_time() - began) / times * 1e6, 2)


def cost(size: int, faces: int = 30) -> float:
    """Processor milliseconds of a face of that size, by one thread: the least of three turns."""
    turns = []
    for _ in range(3):
        began = time.process_time()
        render_faces(faces, size)
        turns.append(time.process_time() - began)
    return round(min(turns) / faces * 1e3, 1)


def windows(count: int, size: int) -> list[int]:
    """How many rays each solid is asked about."""
    asked: list[int] = []
    ellipsoid = raycast._ellipsoid

    def counted(form, u, v, cut, *, fading):  # type: ignore[no-untyped-def]
        asked.append(int(np.prod(np.broadcast_shapes(u.shape, v.shape))))
        return ellipsoid(form, u, v, cut, fading=fading)

    raycast._ellipsoid = counted
    try:
        render_faces(count, size)
    finally:
        raycast._ellipsoid = ellipsoid
    return asked


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--faces", type=int, default=300)
    parser.add_argument("--size", type=int, default=136)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    faces, size = given.faces, given.size
    arms: dict[str, Callable[[], str]] = {
        "one thread": lambda: by_threads(faces, size, 1),
        "two threads": lambda: by_threads(faces, size, 2),
        "two processes": lambda: by_processes(faces, size, 2),
    }
    by_threads(4, size, 1)
    pixels = set()
    wall: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(given.rounds):
        for name, arm in arms.items():
            began = time.monotonic()
            pixels.add(arm())
            wall[name].append(round(time.monotonic() - began, 2))
    assert len(pixels) == 1
    profile = cProfile.Profile()
    profile.runcall(render_faces, 40, size)
    stats = pstats.Stats(profile)
    total = stats.total_tt  # type: ignore[attr-defined]
    where: dict[str, float] = {}
    for (file, _, function), (_, _, own, _, _) in stats.stats.items():  # type: ignore[attr-defined]
        name = f"{Path(file).stem}.{function}" if "benchmark" in file else "numpy and builtins"
        where[name] = where.get(name, 0.0) + own
    top = sorted(where.items(), key=lambda item: -item[1])[:8]
    asked = np.array(windows(40, size))
    found = {
        "faces": faces,
        "size": size,
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "machine": platform.processor() or platform.machine(),
        "seconds": wall,
        "faces_per_second": {n: round(faces / statistics.median(s), 1) for n, s in wall.items()},
        "milliseconds_a_face": {str(side): cost(side) for side in (16, 68, 136, 272)},
        "own_time_percent": {name: round(100 * own / total, 1) for name, own in top},
        "solids_a_face": round(len(asked) / 40, 1),
        "rays_a_solid": {"median": int(np.median(asked)), "mean": int(asked.mean())},
        "microseconds_of_an_operation": {str(n): operation(n) for n in (1, 1000, 10_000, 74_000)},
    }
    path = Path(__file__).parent / "results" / "twin_rendering.json"
    path.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
