"""Pure work on many pieces in processes: results in the order of the pieces, errors as if done here.

Each process is a fresh interpreter, no fork of this one, and ends when this one does. It has one
piece at a time, and results are taken up in order: memory holds a piece for each process, however
many pieces there are, and what comes out is the same for any number of processes. What fails in
one, or is lost with it, is done again here, so that an error is raised where it is understood.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, TypeVar

Result = TypeVar("Result")
Work = Callable[..., Result]


def cores() -> int:
    """Those that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def can_travel(work: Work[Any]) -> bool:
    """Whether `work` can be handed to another process, as far as this one can tell."""
    try:
        pickle.dumps(work)
    except Exception:  # whatever the objects in it raise
        return False
    return True


def in_processes(
    work: Work[Result], pieces: Sequence[tuple[Any, ...]], processes: int
) -> Iterator[Result]:
    """`work(*piece)` for each piece, in their order; errors are those of `work`.

    `work` is a function of a module, or a `functools.partial` of one, and gives the same for the same
    piece wherever it runs.

    Example: `in_processes(math.factorial, [(3,), (4,)], 2)` gives 6, then 24.
    """
    with ExitStack() as started:
        workers = [started.enter_context(Worker(work)) for _ in range(processes)]
        for worker, piece in zip(workers, pieces, strict=False):
            worker.begin(piece)
        for number, piece in enumerate(pieces):
            worker = workers[number % processes]
            found = worker.finish()
            if number + processes < len(pieces):
                worker.begin(pieces[number + processes])
            yield found[0] if found else work(*piece)


class Worker:
    """A process that does one piece at a time; one that is lost gives nothing from then on."""

    def __init__(self, work: Work[Any]) -> None:
        self.pipe, there = Pipe()
        with there:
            code = (
                f"import sys; sys.path[:] = {sys.path!r}; "
                f"from benchmark.datasets.processes import serve; serve({there.fileno()})"
            )
            self.process = subprocess.Popen(
                [sys.executable, "-c", code],
                pass_fds=[there.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # what goes wrong there is met again, and said, here
                start_new_session=True,  # Ctrl-C is for this process; that one ends with the pipe
            )
        self.begin(work)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.wait()

    def begin(self, piece: object) -> None:
        """Hand over the next piece, if it can be."""
        self.busy = False
        with suppress(Exception):  # the process is lost, or an object in the piece can't travel
            self.pipe.send(piece)
            self.busy = True

    def finish(self) -> list[Any]:
        """The result of the piece, alone in a list; an empty one where it failed or never left."""
        if not self.busy:
            return []
        try:
            found: list[Any] = self.pipe.recv()
        except (OSError, EOFError):
            return []
        return found


def serve(descriptor: int) -> None:
    """What a process does: the work, on each piece that comes, until the pipe's other end is closed."""
    with Connection(descriptor) as pipe, suppress(EOFError, OSError):
        work = pipe.recv()
        while True:
            piece = pipe.recv()
            found = []
            with suppress(Exception):
                found = [work(*piece)]
            pipe.send(found)
