"""Silhouettes of clouds, forward and backward: ours against a straightforward dense way, in turns.

    python perf/cloud_projection.py [--clouds 32] [--points 8000] [--side 64] [--rounds 3] [--threads 1]

Both splat points trilinearly into side³ voxels, blur them with 21 taps, scale, clip, and follow the
rays; silhouettes and gradients are compared before any time is taken. The plain way is the usual one:
points are rotated by two quaternion products, each of the eight corners is a scatter of its own, the
blur is three `conv3d`, and the silhouette is the sum of termination probabilities from cumulative
products.
`dense` is the plain way with the whole 21³ kernel in one `conv3d`, left out beyond 32 voxels a side.
Peak memory is of each way in a process of its own.

Writes `perf/results/cloud_projection.json` unless told `--dry`.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from bench_dpc.projection import Cameras, occupancy, silhouettes
from bench_dpc.rotations import conjugate, multiply, unit
from torch import Tensor
from torch.nn import functional

SIGMA, TAPS, FOCAL, DISTANCE, SCALE = 2.0, 21, 1.875, 2.0, 0.7
Way = Callable[[Tensor, Tensor, int], Tensor]


def ours(points: Tensor, rotation: Tensor, side: int) -> Tensor:
    """What dpc does."""
    cameras = Cameras.looking(rotation, FOCAL, DISTANCE)
    scale = points.new_full((len(points),), SCALE)
    voxels = occupancy(points, scale, cameras, side=side, sigma=SIGMA, taps=TAPS, cells="corners")
    return silhouettes(voxels)


def _plain(points: Tensor, rotation: Tensor, side: int, *, dense: bool) -> Tensor:
    q = unit(rotation)[:, None]
    pure = functional.pad(points, (1, 0))
    turned = multiply(multiply(q, pure), conjugate(q))[..., 1:]
    depth = turned[..., 0] + DISTANCE
    down, right = -FOCAL * turned[..., 1] / depth, FOCAL * turned[..., 2] / depth
    places = torch.stack([depth - DISTANCE, down, right], -1)
    inside = (places.abs() <= 0.5).all(-1)
    at = (places + 0.5) * (side - 1)
    low = at.detach().floor()
    share = at - low
    voxels = points.new_zeros(len(points), side**3)
    for corner in range(8):
        bits = at.new_tensor([corner >> 2 & 1, corner >> 1 & 1, corner & 1])
        weight = (bits * share + (1 - bits) * (1 - share)).prod(-1)
        cell = (low + bits).long()
        there = inside & (cell < side).all(-1)
        index = (cell[..., 0] * side + cell[..., 1]) * side + cell[..., 2]
        voxels = voxels.scatter_add(1, index.where(there, 0), weight.where(there, 0.0))
    voxels = voxels.clamp(max=1).view(-1, 1, side, side, side)
    taps = torch.arange(TAPS, dtype=points.dtype) - TAPS // 2
    band = (-0.5 * (taps / SIGMA) ** 2).exp()
    band = band / band.sum()
    if dense:
        kernel = torch.einsum("i,j,k->ijk", band, band, band)[None, None]
        voxels = functional.conv3d(voxels, kernel, padding=TAPS // 2)
    else:
        for axis in range(3):
            shape, padding = [1, 1, 1, 1, 1], [0, 0, 0]
            shape[axis + 2], padding[axis] = TAPS, TAPS // 2
            voxels = functional.conv3d(voxels, band.view(shape), padding=padding)
    full = (voxels[:, 0] * SCALE).clamp(0, 1).clamp(1e-5, 1 - 1e-5)
    passed = (1 - full).cumprod(1)
    before = torch.cat([torch.ones_like(passed[:, :1]), passed[:, :-1]], 1)
    return (full * before).sum(1)


def plain(points: Tensor, rotation: Tensor, side: int) -> Tensor:
    """The usual way, with a separable blur."""
    return _plain(points, rotation, side, dense=False)


def dense(points: Tensor, rotation: Tensor, side: int) -> Tensor:
    """The usual way, with one kernel of three dimensions."""
    return _plain(points, rotation, side, dense=True)


WAYS: dict[str, Way] = {"ours": ours, "plain": plain, "dense": dense}


def task(clouds: int, points: int) -> tuple[Tensor, Tensor]:
    """Clouds that fill an ellipsoid, and rotations."""
    draw = torch.Generator().manual_seed(0)
    places = torch.randn(clouds, points, 3, generator=draw) * torch.tensor([0.12, 0.06, 0.06])
    return places, torch.randn(clouds, 4, generator=draw)


def turn(way: Way, points: Tensor, rotation: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Silhouettes, and the gradients of half the sum of their squares."""
    given = [tensor.clone().requires_grad_() for tensor in (points, rotation)]
    found = way(*given, side)
    grads = torch.autograd.grad(found.square().sum() / 2, given)
    return found.detach(), *grads


def peak(name: str, clouds: int, points: int, side: int, threads: int) -> int:
    """MiB that a process held at most which took one turn; to be called in a process of its own."""
    torch.set_num_threads(threads)
    if name:
        turn(WAYS[name], *task(clouds, points), side)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, value in (
        ("clouds", 32),
        ("points", 8000),
        ("side", 64),
        ("rounds", 3),
        ("threads", 1),
    ):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--dry", action="store_true", help="write no file")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    names = [name for name in WAYS if name != "dense" or given.side <= 32]
    size = (given.clouds, given.points)
    # first of all: a process takes over the peak of the one that starts it
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        rows = [(name, *size, given.side, given.threads) for name in ["", *names]]
        held = dict(zip(["nothing", *names], pool.starmap(peak, rows, chunksize=1), strict=True))
    data = task(*size)
    reference = turn(ours, *data, given.side)
    for name in names:
        for one, other in zip(turn(WAYS[name], *data, given.side), reference, strict=True):
            torch.testing.assert_close(one, other, rtol=2e-3, atol=2e-3)
    wall: dict[str, list[float]] = {name: [] for name in names}
    processor: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(given.rounds):
        for name in names:
            began, worked = time.perf_counter(), time.process_time()
            turn(WAYS[name], *data, given.side)
            wall[name].append(round(time.perf_counter() - began, 4))
            processor[name].append(round(time.process_time() - worked, 4))
    times = {n: round(statistics.median(a / b for a, b in zip(v, processor["ours"], strict=True)), 2)
             for n, v in processor.items()}  # fmt: skip
    result = {
        "machine": platform.processor() or platform.machine(), "torch": torch.__version__,
        "clouds": given.clouds, "points": given.points, "side": given.side,
        "threads": given.threads, "wall_seconds": wall, "processor_seconds": processor,
        "times_ours": times, "peak_mib": held,
    }  # fmt: skip
    if not given.dry:
        path = Path(__file__).parent / "results" / "cloud_projection.json"
        path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"nothing but torch: {held['nothing']} MiB")
    for name in names:
        print(f"| {name} | {', '.join(map(str, processor[name]))} | {times[name]} | {held[name]} |")


if __name__ == "__main__":
    main()
