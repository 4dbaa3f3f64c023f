"""Metrics beside what others compute them with: seconds and megabytes, in one process, in turns.

    [OMP_NUM_THREADS=1] python perf/metric_peers.py [--rounds 2] [--only frechet-2048]

    frechet-2048   Gaussians of 2,048 dimensions from 5,000 features each: scipy's sqrtm of the
                   product (pytorch-fid, clean-fid), eigenvalues of the product (torchmetrics), ours
    frechet-1000   the same from 1,000 features each, whose covariances are singular
    chamfer        8,000 against 10,000 points: scipy's KD-tree on all cores, both ways
    neighbours     precision and recall of 2,000 x 512 features each: the package prdc
    memory         precision and recall of 20,000 real and 2,000 fake features of 4,096 dimensions,
                   in a process of its own: the most memory it ever held

torchmetrics and prdc are used where they are installed; else their published formulas stand in, in
a line or two each, and the result says so. Features are normal with a spread that falls with the
square root of the dimension's number. Errors are against the nuclear norm by NumPy, which forms no
covariance. On a busy machine set one thread: more of them wait for each other, and the waiting is
counted as work. Writes perf/results/metric_peers.json and prints the rows of the table in README.md.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import torch
from scipy.spatial import cKDTree

from benchmark.metrics.frechet import frechet_distance, frechet_distance_from_features
from benchmark.metrics.neighbours import precision_recall
from benchmark.metrics.points import chamfer

OUT = Path(__file__).parent / "results" / "metric_peers.json"
Arms = dict[str, Callable[[], Any]]


@functools.cache
def peer(module: str) -> Any:
    """A module that need not be installed, or none; imported before any clock runs."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def in_turns(arms: Arms, rounds: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Seconds of each turn (wall and processor) by arm, and each arm's last value."""
    seconds: dict[str, Any] = {name: {"wall": [], "processor": []} for name in arms}
    values = {}
    for _ in range(rounds):
        for name, arm in arms.items():
            wall, processor = time.perf_counter(), time.process_time()
            values[name] = arm()
            seconds[name]["processor"].append(round(time.process_time() - processor, 4))
            seconds[name]["wall"].append(round(time.perf_counter() - wall, 4))
    return seconds, values


def result(arms: Arms, rounds: int, **more: Any) -> dict[str, Any]:
    """Turns, and how many times faster ours is than each peer, by the median of either clock."""
    seconds, values = in_turns(arms, rounds)

    def times(peer: str, clock: str) -> float:
        ours, theirs = (statistics.median(seconds[arm][clock]) for arm in ("ours", peer))
        return round(theirs / ours, 2)

    faster = {
        peer: {clock: times(peer, clock) for clock in ("wall", "processor")}
        for peer in arms
        if peer != "ours"
    }
    return {"seconds": seconds, "times_faster": faster, "values": values, **more}


def features(rows: int, seed: int, dimensions: int = 2048) -> np.ndarray:
    rng = np.random.default_rng(seed)
    spread = np.arange(1, dimensions + 1) ** -0.5
    return rng.standard_normal((rows, dimensions)) * spread * (1 + 0.1 * seed) + 0.05 * seed


def gaussian(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x.mean(axis=0), np.cov(x, rowvar=False)


def by_sqrtm(m1: np.ndarray, c1: np.ndarray, m2: np.ndarray, c2: np.ndarray) -> float:
    root = scipy.linalg.sqrtm(c1 @ c2).real
    return float(((m1 - m2) ** 2).sum() + np.trace(c1) + np.trace(c2) - 2 * np.trace(root))


def by_eigvals(m1: np.ndarray, c1: np.ndarray, m2: np.ndarray, c2: np.ndarray) -> float:
    sides = [torch.from_numpy(x) for x in (m1, c1, m2, c2)]
    if fid := peer("torchmetrics.image.fid"):
        return float(fid._compute_fid(*sides))
    roots = torch.linalg.eigvals(sides[1] @ sides[3]).sqrt().real.sum()
    gap = (sides[0] - sides[2]).square().sum()
    return float(gap + sides[1].trace() + sides[3].trace() - 2 * roots)


def exact(real: np.ndarray, fake: np.ndarray) -> float:
    rows = [(x - x.mean(axis=0)) / np.sqrt(len(x) - 1) for x in (real, fake)]
    gap = ((real.mean(axis=0) - fake.mean(axis=0)) ** 2).sum()
    nuclear = np.linalg.norm(rows[0] @ rows[1].T, "nuc")
    return float(gap + sum((x**2).sum() for x in rows) - 2 * nuclear)


def errors(values: dict[str, float], truth: float) -> dict[str, float]:
    return {name: abs(value - truth) / truth for name, value in values.items()}


def frechet_full(rounds: int) -> dict[str, Any]:
    """From moments on, which all three share: the step that is said to take a minute."""
    real, fake = features(5000, 1), features(5000, 2)
    moments = *gaussian(real), *gaussian(fake)
    arms: Arms = {
        "ours": lambda: frechet_distance(*moments),
        "scipy sqrtm": lambda: by_sqrtm(*moments),
        "torchmetrics eigvals": lambda: by_eigvals(*moments),
    }
    found = result(arms, rounds)
    truth = exact(real[:2500], fake[:2500])  # the size at which the nuclear norm is still cheap
    half = *gaussian(real[:2500]), *gaussian(fake[:2500])
    found["relative_error_at_2500"] = {"ours": errors({"": frechet_distance(*half)}, truth)[""]}
    return found


def frechet_few(rounds: int) -> dict[str, Any]:
    """From features on: with fewer rows than dimensions ours needs no covariance."""
    real, fake = features(1000, 1), features(1000, 2)
    arms: Arms = {
        "ours": lambda: frechet_distance_from_features(real, fake),
        "scipy sqrtm": lambda: by_sqrtm(*gaussian(real), *gaussian(fake)),
        "torchmetrics eigvals": lambda: by_eigvals(*gaussian(real), *gaussian(fake)),
        "ours from moments": lambda: frechet_distance(*gaussian(real), *gaussian(fake)),
    }
    found = result(arms, rounds)
    found["relative_error"] = errors(found["values"], exact(real, fake))
    return found


def clouds(rounds: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)

    def sphere(count: int) -> np.ndarray:
        x = rng.normal(size=(count, 3))
        return (
            x / np.linalg.norm(x, axis=1, keepdims=True) * (1 + 0.02 * rng.normal(size=(count, 1)))
        )

    pred, target = sphere(8000), sphere(10_000)

    def tree() -> float:
        there = cKDTree(target).query(pred, workers=-1)[0].mean()
        return float(100 * (there + cKDTree(pred).query(target, workers=-1)[0].mean()))

    arms: Arms = {"ours": lambda: chamfer(pred, target).distance, "scipy cKDTree": tree}
    return result(arms, max(15, rounds))


def neighbours(rounds: int) -> dict[str, Any]:
    real, fake = features(2000, 0, 512), features(2000, 1, 512)

    def package() -> list[float]:
        if prdc := peer("prdc"):
            found = prdc.compute_prdc(real, fake, 5)
            return [float(found["precision"]), float(found["recall"])]
        return by_full_tables(real, fake)

    def ours() -> list[float]:
        return [float(x.mean()) for x in precision_recall(real, fake, 5, "open")]

    return result({"ours": ours, "prdc": package}, rounds)


def by_full_tables(real: np.ndarray, fake: np.ndarray) -> list[float]:
    def table(a: np.ndarray, b: np.ndarray) -> torch.Tensor:
        return torch.cdist(torch.from_numpy(a), torch.from_numpy(b))

    radii = [table(x, x).kthvalue(6, dim=1).values for x in (real, fake)]
    across = table(real, fake)
    precision, recall = (across < radii[0][:, None]).any(0), (across < radii[1]).any(1)
    return [float(x.double().mean()) for x in (precision, recall)]


def memory(rounds: int) -> dict[str, Any]:
    """Largest resident set of a process that does nothing else; the limit is 2 GB."""
    command = [sys.executable, __file__, "--memory-child"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(text)
    return found


def memory_child() -> None:
    def megabytes() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // 10**6

    rng = np.random.default_rng(0)
    real, fake = np.empty((20_000, 4096), np.float32), np.empty((2000, 4096), np.float32)
    for x in (real, fake):
        rng.standard_normal(out=x, dtype=np.float32)
    before, start = megabytes(), time.perf_counter()
    scores = precision_recall(real, fake)
    print(
        json.dumps(
            {
                "real": real.shape,
                "fake": fake.shape,
                "megabytes_of_features": (real.nbytes + fake.nbytes) // 10**6,
                "peak_megabytes_before": before,
                "peak_megabytes": megabytes(),
                "seconds": round(time.perf_counter() - start, 1),
                "values": [float(x.mean()) for x in scores],
            }
        )
    )


PARTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "frechet-2048": frechet_full,
    "frechet-1000": frechet_few,
    "chamfer": clouds,
    "neighbours": neighbours,
    "memory": memory,
}


def rows(parts: dict[str, Any]) -> str:
    lines = []
    for name, part in parts.items():
        if "times_faster" not in part:
            continue
        for arm, seconds in part["seconds"].items():
            wall, processor = (statistics.median(seconds[c]) for c in ("wall", "processor"))
            faster = part["times_faster"].get(arm)
            ratio = f"{faster['wall']:g} / {faster['processor']:g}" if faster else "1"
            lines.append(f"| {name} | {arm} | {wall:.3g} | {processor:.3g} | {ratio} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--memory-child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_child:
        memory_child()
        return
    known = json.loads(OUT.read_text()) if OUT.is_file() else {}
    parts = known.get("parts", {})
    for module in ("torchmetrics.image.fid", "prdc"):
        peer(module)
    for name in arguments.only or PARTS:
        parts[name] = PARTS[name](arguments.rounds)
        parts[name]["load_average_after"] = [round(x, 1) for x in os.getloadavg()]
        print(
            name, json.dumps({k: v for k, v in parts[name].items() if k != "seconds"}), flush=True
        )
        OUT.write_text(json.dumps(content(parts), indent=1) + "\n")
    print(rows(parts))


def content(parts: dict[str, Any]) -> dict[str, Any]:
    packages = ("numpy", "scipy", "torch", "torchmetrics", "prdc")
    return {
        "machine": {
            "cores": os.cpu_count(),
            "threads": os.environ.get("OMP_NUM_THREADS", "all"),
            "system": platform.system(),
            "python": platform.python_version(),
        },
        "packages": {name: version(name) or "not installed: its formula" for name in packages},
        "parts": {name: parts[name] for name in PARTS if name in parts},
    }


if __name__ == "__main__":
    main()
