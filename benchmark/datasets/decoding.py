"""Decoding the images of a split: on all cores, in processes where there are many, in one order always.

Decoders hold Python's lock for a part of each image, so that threads leave cores idle; processes do not,
but take a second to start. Each has one chunk of samples at a time, and chunks are taken up in the order
of the samples: however many processes there are, pixels come out the same, and memory holds a chunk for
each. They are started as fresh interpreters, not forked, and end when this process does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import NamedTuple

import numpy as np

from benchmark.contracts.dataset import Sample
from benchmark.datasets.geometry import Placed, place
from benchmark.protocols import Geometry

CHUNK = 64
"""Samples that a process has at a time; of 136 × 136 pixels, 3.5 MB."""
WORTH = 1500
"""Images that are worth a process: threads decode them in the time that it takes to start."""
MOST_HELD = 512
"""Images that threads have ready at a time."""

Crop = np.ndarray | None


class Task(NamedTuple):
    """All that `place` asks of many samples; a process holds it as long as it lives."""

    geometry: Geometry
    silhouette: bool


def in_order(
    samples: Sequence[Sample],
    crops: Sequence[Crop],
    task: Task,
    mask_of: Callable[[Sample], np.ndarray] | None = None,
    *,
    processes: int | None = None,
) -> Iterator[Placed]:
    """Each sample's image under the geometry, in the order of the samples; errors are those of `place`.

    Default for `processes` is what the cores allow and the images are worth. Masks are read by the data
    set's reader, which lives in this process, so with `mask_of` threads decode.
    """
    if processes is None:
        processes = min(cores(), len(samples) // WORTH)
    if mask_of is not None or processes < 2:
        yield from _by_threads(samples, crops, task, mask_of)
    else:
        yield from _by_processes(samples, crops, task, processes)


def cores() -> int:
    """Those that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _by_threads(
    samples: Sequence[Sample],
    crops: Sequence[Crop],
    task: Task,
    mask_of: Callable[[Sample], np.ndarray] | None,
) -> Iterator[Placed]:
    def one(sample: Sample, crop: Crop) -> Placed:
        mask = mask_of(sample) if mask_of else None
        return place(sample, task.geometry, crop, mask, silhouette=task.silhouette)

    with ThreadPoolExecutor(cores()) as pool:
        for start in range(0, len(samples), MOST_HELD):
            end = start + MOST_HELD
            yield from pool.map(one, samples[start:end], crops[start:end])


def _by_processes(
    samples: Sequence[Sample], crops: Sequence[Crop], task: Task, processes: int
) -> Iterator[Placed]:
    """Chunk i is decoded by process i modulo their number, and asked for in this order."""
    chunks = [slice(start, start + CHUNK) for start in range(0, len(samples), CHUNK)]
    with ExitStack() as started:
        workers = [started.enter_context(Worker(task)) for _ in range(processes)]
        for worker, chunk in zip(workers, chunks, strict=False):
            worker.begin(samples[chunk], crops[chunk])
        for number, chunk in enumerate(chunks):
            worker = workers[number % processes]
            found = worker.finish()
            if number + processes < len(chunks):
                following = chunks[number + processes]
                worker.begin(samples[following], crops[following])
            yield from found
            # what could not be decoded there, or was lost with its process, is decoded here: an error
            # is then raised where it is understood
            for sample, crop in zip(samples[chunk][len(found) :], crops[chunk][len(found) :],
                                    strict=True):  # fmt: skip
                yield place(sample, task.geometry, crop, silhouette=task.silhouette)


class Worker:
    """A process that decodes one chunk at a time; one that is lost gives nothing from then on."""

    def __init__(self, task: Task) -> None:
        self.pipe, there = Pipe()
        with there:
            code = (
                f"import sys; sys.path[:] = {sys.path!r}; "
                f"from benchmark.datasets.decoding import work; work({there.fileno()})"
            )
            self.process = subprocess.Popen(
                [sys.executable, "-c", code],
                pass_fds=[there.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for this process; that one ends with the pipe
            )
        self._send(task)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.wait()

    def begin(self, samples: Sequence[Sample], crops: Sequence[Crop]) -> None:
        """Have these decoded."""
        # what `place` has no use for stays here: it may be large, or of a plugin's own making
        self._send([replace(s, identity="", mask=None, extra={}) for s in samples], list(crops))

    def finish(self) -> list[Placed]:
        """What was decoded of the chunk: all of it, or all before the first that failed."""
        try:
            found: list[Placed] = self.pipe.recv()
        except (OSError, EOFError):
            return []
        return found

    def _send(self, *content: object) -> None:
        with suppress(OSError):
            self.pipe.send(content)


def work(descriptor: int) -> None:
    """Decode what comes through the pipe until its other end is closed: what a process does."""
    with Connection(descriptor) as pipe, suppress(EOFError, OSError):
        (task,) = pipe.recv()
        while True:
            pipe.send(_decoded(task, *pipe.recv()))


def _decoded(task: Task, samples: list[Sample], crops: list[Crop]) -> list[Placed]:
    found: list[Placed] = []
    with suppress(Exception):  # the other process meets it again, at the first that is not here
        for sample, crop in zip(samples, crops, strict=True):
            found.append(place(sample, task.geometry, crop, silhouette=task.silhouette))
    return found
