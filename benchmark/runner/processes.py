"""A fit in several processes on one machine, one per device, which the main process starts and ends.

The main process holds the locks of run and fit, shows the progress and brings the first error; process
0 writes, and holds the locks of parts of the fit. A pipe to each process is its lifeline: where the main
process ends, however it does, the pipe breaks and the process ends itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NoReturn, cast

import torch
from torch import distributed

from benchmark.contracts.arithmetic import set_arithmetic
from benchmark.contracts.errors import BenchError, TrainingFailed
from benchmark.contracts.method import Progress
from benchmark.runner.checkpoints import Ranks
from benchmark.runner.fitting import Follower, learn, waiting_lock, workplace
from benchmark.runner.plan import Plan, make_plan
from benchmark.runner.request import Request

#: Processes may wait for long (while another run fits the same part): deaths are noticed otherwise.
PATIENCE = timedelta(days=30)


class FitFailed(RuntimeError):
    """An error in a process of the fit that bench has no name for."""


@dataclass(frozen=True)
class Share:
    """What one of several processes is sent: who it is, and the folder where the others are met."""

    ranks: Ranks
    scratch: Path

    def work(self, progress: Progress) -> None:
        """Its share of the work, done between `joined` and the end."""
        raise NotImplementedError


@dataclass(frozen=True)
class FitShare(Share):
    """A share of the fit that a request must come to."""

    request: Request
    fit_id: str

    def work(self, progress: Progress) -> None:
        ranks = self.ranks
        plan = make_plan(self.request, progress)
        if plan.fit_id != self.fit_id:
            raise BenchError(
                "methods or data changed while the fit was started", cure="start it again"
            )
        device = plan.device
        if device == "cuda":
            device = f"cuda:{ranks.rank}"
            torch.cuda.set_device(device)
        with joined(ranks, self.scratch, cuda=plan.device == "cuda"):
            progress(f"start {ranks.count} processes", ranks.count, ranks.count)
            if ranks.rank:
                mine = self.scratch / str(ranks.rank)
                place = workplace(
                    plan, progress, Follower, ranks=ranks, device=device, scratch=mine
                )
            else:
                place = workplace(plan, progress, ranks=ranks, device=device)
            learn(plan.cls(plan.fit_settings), place)


@dataclass(frozen=True)
class Failure:
    """An error on its way to the main process."""

    rank: int
    kind: type[BenchError] | None
    message: str
    cure: str
    trace: str

    @classmethod
    def of(cls, error: BaseException, rank: int) -> Failure:
        trace = traceback.format_exc()
        if isinstance(error, BenchError):
            return cls(rank, type(error), error.message, error.cure, trace)
        return cls(rank, None, f"{type(error).__name__}: {error}", "", trace)

    def error(self) -> Exception:
        """The error as it was raised; its traceback there is a note, which `--debug` shows."""
        error: Exception
        if self.kind is None:
            error = FitFailed(f"in process {self.rank} of the fit: {self.message}")
        else:
            error = self.kind.__new__(self.kind)  # whose own __init__ may take other words
            BenchError.__init__(error, self.message, cure=self.cure)
        error.add_note(f"in process {self.rank} of the fit:\n{self.trace}")
        return error


@dataclass(frozen=True)
class Worker:
    """A process of the fit, as the main process sees it."""

    rank: int
    process: subprocess.Popen[bytes]
    pipe: Connection

    def died(self) -> TrainingFailed:
        """The error that says how it ended."""
        code = self.process.wait()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return TrainingFailed(
            f"process {self.rank} of the fit died ({how})",
            cure="the same command goes on from the last checkpoint; if memory ran out, choose a "
            "smaller batch",
        )


def fit_together(plan: Plan, progress: Progress) -> bool:
    """Fit in `plan.request.devices` processes what `fitting.fit` fits in one. True when it was found.

    Raises what a process raised, or `TrainingFailed` for one that died; the others are then ended.
    """
    with waiting_lock(plan.fit_folder, progress):
        if workplace(plan, progress).done:
            return True
        count, request = plan.request.devices, replace(plan.request, device=plan.device)
        progress(f"start {count} processes", 0, count)
        work_together(
            count, lambda ranks, place: FitShare(ranks, place, request, plan.fit_id), progress
        )
        return False


def work_together(
    count: int, share: Callable[[Ranks, Path], Share], progress: Progress = lambda *a, **k: None
) -> None:
    """Do `count` shares of a work, each in a process of its own, and wait for all. Errors as
    `fit_together`."""
    workers: list[Worker] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        try:
            for rank in range(count):
                workers.append(_start(rank))
                with suppress(BrokenPipeError):  # it died: `_listen` says so
                    workers[-1].pipe.send(share(Ranks(rank, count), Path(scratch)))
            _listen(workers, progress)
        finally:
            for worker in workers:
                worker.process.kill()
                worker.process.wait()
                worker.pipe.close()


def _start(rank: int) -> Worker:
    here, there = Pipe()
    with there:
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            f"from benchmark.runner.processes import work; work({there.fileno()})"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            pass_fds=[there.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if rank else None,
            start_new_session=True,  # Ctrl-C is for the main process, which ends the others
        )
    return Worker(rank, process, here)


def _listen(workers: list[Worker], progress: Progress) -> None:
    """Pass progress on until all have ended well."""
    running = {worker.pipe: worker for worker in workers}
    while running:
        for pipe in cast(list[Connection], wait(list(running))):
            try:
                message = pipe.recv()
            except (EOFError, ConnectionResetError):
                worker = running.pop(pipe)
                if worker.process.wait() != 0:
                    raise worker.died() from None
                continue
            if isinstance(message, Failure):
                raise _cause(message, workers)
            stage, step, total, values = message
            progress(stage, step, total, **values)


def _cause(failure: Failure, workers: list[Worker]) -> Exception:
    """What a process says went wrong; or, where another one died, that: it breaks their connection."""
    if failure.kind is None:
        for worker in workers:
            with suppress(subprocess.TimeoutExpired):
                if worker.process.wait(1 / len(workers)) != 0:
                    return worker.died()
    return failure.error()


def work(descriptor: int) -> None:
    """A process of the fit: does the task that comes through the pipe, and ends with the pipe."""
    pipe = Connection(descriptor)
    try:
        share: Share = pipe.recv()
    except (EOFError, ConnectionResetError):
        os._exit(1)
    threading.Thread(target=_end_with, args=(pipe, share.scratch), daemon=True).start()
    try:
        set_arithmetic()
        share.work(lambda *step, **values: _say(pipe, share.ranks, step, values))
    except BaseException as error:
        with suppress(OSError):
            pipe.send(Failure.of(error, share.ranks.rank))
        # the main process ends this one; were it gone before, the others would fail for want of it
        threading.Event().wait()


def _end_with(pipe: Connection, scratch: Path) -> NoReturn:
    with suppress(EOFError, OSError):
        pipe.recv()  # nothing is sent: it returns when the main process is gone
    shutil.rmtree(scratch, ignore_errors=True)
    os._exit(1)


def _say(pipe: Connection, ranks: Ranks, step: tuple[Any, ...], values: dict[str, float]) -> None:
    """Process 0 tells the main process how far all are."""
    if ranks.rank == 0:
        pipe.send((*step, values))


@contextmanager
def joined(ranks: Ranks, scratch: Path, *, cuda: bool = False) -> Iterator[None]:
    """Meet the other processes in `scratch`, and end together with them."""
    torch.set_num_threads(max(1, torch.get_num_threads() // ranks.count))
    distributed.init_process_group(
        "cpu:gloo,cuda:nccl" if cuda else "gloo",
        store=distributed.FileStore(str(scratch / "meeting"), ranks.count),
        rank=ranks.rank,
        world_size=ranks.count,
        timeout=PATIENCE,
    )
    yield
    ranks.agree(None)
    distributed.destroy_process_group()
