"""Several runs at once on this machine: one process each, one GPU each where there are GPUs.

The runs end with the process that was asked, however it ends.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from benchmark.contracts.launch import Ended, Job, Launcher
from benchmark.lifeline import VARIABLE
from benchmark.settings import SettingsInvalid


class Pool(Launcher):
    """As many processes as there are GPUs (or a few on a CPU), which take one run after the other."""

    options = {  # noqa: RUF012
        "processes": "how many runs at once (default: one for each GPU; without GPUs, half the cores)"
    }

    def __init__(self, options: Mapping[str, str], folder: Path) -> None:
        super().__init__(options, folder)
        self.gpus = _gpus()
        text = options.get("processes", str(len(self.gpus) or max(1, (os.cpu_count() or 1) // 2)))
        if not (text.isascii() and text.isdigit()) or int(text) < 1:
            raise SettingsInvalid(f"processes={text!r} is not a number of processes")
        self.processes = int(text)
        self.running: set[subprocess.Popen[bytes]] = set()
        self.stopped, self.lock = False, threading.Lock()

    def launch(self, jobs: Sequence[Job]) -> Iterator[Ended]:
        at_once = min(self.processes, len(jobs))
        self.say(
            f"{len(jobs)} run{'' if len(jobs) == 1 else 's'}, {at_once} at once "
            f"(--launcher-option processes={at_once}); logs in {self.folder}"
        )
        places: queue.Queue[dict[str, str]] = queue.Queue()
        for number in range(self.processes):
            places.put(self._place(number))
        lifeline, held = os.pipe()
        with stopping(), _closing(lifeline, held), ThreadPoolExecutor(self.processes) as pool:
            waiting = [
                pool.submit(self._run, i, job, places, lifeline) for i, job in enumerate(jobs)
            ]
            try:
                for count, ended in enumerate(as_completed(waiting), start=1):
                    result = ended.result()
                    how = "done" if result.code == 0 else f"ended with exit code {result.code}"
                    self.say(f"{how}: {result.job.name} ({count} of {len(jobs)})")
                    yield result
            except BaseException:
                self._stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _stop(self) -> None:
        """End all runs, and let none begin."""
        with self.lock:
            self.stopped = True
            for process in self.running:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def _place(self, number: int) -> dict[str, str]:
        """The variables by which runs at one place keep out of the way of the others."""
        if self.gpus:
            return {"CUDA_VISIBLE_DEVICES": self.gpus[number % len(self.gpus)]}
        threads = max(1, (os.cpu_count() or 1) // self.processes)
        return {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads))}

    def _run(
        self, number: int, job: Job, places: queue.Queue[dict[str, str]], lifeline: int
    ) -> Ended:
        place = places.get()
        log, printed = self.folder / f"{number}.log", self.folder / f"{number}.out"
        try:
            # a file, not a pipe: what a method leaves running holds a pipe open after its run has ended
            with log.open("wb") as errors, printed.open("wb") as output, self.lock:
                if self.stopped:
                    return Ended(job, None, "never begun", log)
                process = subprocess.Popen(
                    job.command(),
                    env={**os.environ, **place, VARIABLE: str(lifeline)},
                    pass_fds=[lifeline],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    start_new_session=True,  # Ctrl-C is for bench, which then ends them all
                )
                self.running.add(process)
            self.say(f"begun: {job.name}")
            code = process.wait()
            with self.lock:
                self.running.discard(process)
            return Ended(job, code, printed.read_text("utf-8", "replace"), log)
        finally:
            places.put(place)


@contextmanager
def _closing(*descriptors: int) -> Iterator[None]:
    try:
        yield
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


@contextmanager
def stopping() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a block as Ctrl-C does, with the exit code that they give a program.

    One that is ignored (SIGHUP under nohup) stays so. Signals are for the main thread: elsewhere nothing
    changes.
    """

    def stop(number: int, frame: Any) -> NoReturn:
        raise SystemExit(128 + number)

    before = {}
    main = threading.current_thread() is threading.main_thread()
    for number in (signal.SIGTERM, signal.SIGHUP) if main else ():
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _gpus() -> list[str]:
    """The CUDA devices that bench may use, as `CUDA_VISIBLE_DEVICES` names them."""
    import torch

    if not torch.cuda.is_available():
        return []
    chosen = [g.strip() for g in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if g.strip()]
    return chosen or [str(i) for i in range(torch.cuda.device_count())]
