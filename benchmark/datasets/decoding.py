"""Decoding the images of a split: on all cores, in processes where there are many, in one order always.

Python's lock is held for a part of each image, so that threads leave cores idle; processes do not, but
take a second to start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from benchmark.contracts.dataset import Sample
from benchmark.datasets.geometry import Placed, place
from benchmark.datasets.processes import cores, in_processes
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
    # what `place` has no use for stays here: it may be large, or of a plugin's own making
    bare = [replace(s, identity="", mask=None, extra={}) for s in samples]
    chunks = [slice(start, start + CHUNK) for start in range(0, len(samples), CHUNK)]
    pieces = [(bare[chunk], list(crops[chunk])) for chunk in chunks]
    for placed in in_processes(partial(decoded, task), pieces, processes):
        yield from placed


def decoded(task: Task, samples: Sequence[Sample], crops: Sequence[Crop]) -> list[Placed]:
    """Each sample's image under the geometry: what a process does with a chunk."""
    return [
        place(sample, task.geometry, crop, silhouette=task.silhouette)
        for sample, crop in zip(samples, crops, strict=True)
    ]
