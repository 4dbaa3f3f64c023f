"""Images a second of preparing a split, against Pillow's decoder alone, in one process and in two.

    BENCH_DATA=... python perf/preparing.py [--rounds 2]

Pillow's arms open each picture of `ytf68:people/train` as RGB and keep nothing. Ours prepare the split
for `ytf5`, whole: samples, decoding, cropping, resizing, digests, and what is written to the disk. The
arms take turns; all have read the files once before.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

from PIL import Image

from benchmark.datasets import decoding
from benchmark.datasets.places import reader_of, require
from benchmark.datasets.preparing import open_split
from benchmark.registry.protocols import find_protocol

SPLIT = "people/train"


def decode(paths: list[Path]) -> None:
    for path in paths:
        with Image.open(path) as image:
            image.convert("RGB").load()


def pillow(paths: list[Path], processes: int) -> None:
    if processes == 1:
        decode(paths)
        return
    with get_context("fork").Pool(processes) as pool:
        pool.map(decode, [paths[i::processes] for i in range(processes)])


def ours(cores: int, worth: int) -> str:
    """The digest of the pixels; with `worth` above the number of images, threads decode."""
    decoding.cores, decoding.WORTH = lambda: cores, worth  # type: ignore[assignment]
    protocol = find_protocol("ytf5")
    split = open_split("ytf68", SPLIT, protocol.geometry_of(f"ytf68:{SPLIT}"),
                       protocol_folder=protocol.path.parent, anew=True)  # fmt: skip
    return split.pixels_digest


def processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2)
    rounds = parser.parse_args().rounds
    reader = reader_of("ytf68", require("ytf68"))
    paths = [sample.path for sample in reader.samples(SPLIT)]
    decode(paths)
    digests = set()
    arms: dict[str, Callable[[], object]] = {
        "Pillow alone, one process": lambda: pillow(paths, 1),
        "Pillow alone, two processes": lambda: pillow(paths, 2),
        "preparing, one thread": lambda: digests.add(ours(1, 10**9)),
        "preparing, two threads": lambda: digests.add(ours(2, 10**9)),
        "preparing, two processes": lambda: digests.add(ours(2, 1)),
    }
    wall: dict[str, list[float]] = {name: [] for name in arms}
    processor: dict[str, list[float]] = {name: [] for name in arms}
    with tempfile.TemporaryDirectory() as home:
        os.environ["BENCH_HOME"] = home
        for _ in range(rounds):
            for name, arm in arms.items():
                began, used = time.monotonic(), processor_seconds()
                arm()
                wall[name].append(round(time.monotonic() - began, 2))
                processor[name].append(round(processor_seconds() - used, 2))
    assert len(digests) == 1
    found = {
        "images": len(paths),
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "machine": platform.processor() or platform.machine(),
        "seconds": wall,
        "processor_seconds": processor,
        "images_per_second": {n: round(len(paths) / statistics.median(s)) for n, s in wall.items()},
    }
    path = Path(__file__).parent / "results" / "preparing.json"
    path.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    for name, speed in found["images_per_second"].items():  # type: ignore[attr-defined]
        print(f"| {name} | {speed} | {statistics.median(processor[name])} |")


if __name__ == "__main__":
    main()
