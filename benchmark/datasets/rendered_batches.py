"""A series of rendered pictures in batches and in order, drawn in processes where there are many."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmark.datasets.processes import can_travel, cores, in_processes
from benchmark.twins.renderer import Recipe, TwinBatch, render

CHUNK = 32
"""Pictures in a batch."""
WORTH = 150
"""Pictures that are worth a process, which takes as long to start. Threads would gain nothing: a picture
is thousands of short operations, and between any two of them Python's lock is held."""


def drawn(recipe: Recipe, size: int, seed: int, first: int, count: int) -> Iterator[TwinBatch]:
    """Pictures `first` to `first + count - 1` of a recipe's series, `size` pixels wide; the same whether
    this process draws them or several do."""
    work = partial(render_some, recipe, size, seed)
    pieces = [(first + start, min(CHUNK, count - start)) for start in range(0, count, CHUNK)]
    processes = min(cores(), count // WORTH)
    if processes > 1 and can_travel(work):
        yield from in_processes(work, pieces, processes)
    else:
        yield from (work(*piece) for piece in pieces)


def render_some(recipe: Recipe, size: int, seed: int, first: int, count: int) -> TwinBatch:
    """`render`, in the order of words that a process is given."""
    return render(recipe, count, size, seed, first=first)
