"""Several runs at once on this machine, as many as its cores, memory and GPUs carry.

The runs end with the process that was asked, however it ends.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.contracts.launch import Begun, Ended, Job, Launcher
from benchmark.launch.child import Child
from benchmark.settings import SettingsInvalid

UNKNOWN = 2**30
"""Bytes set aside for a run of which nobody knows how many it takes."""


@dataclass(frozen=True)
class Running:
    """A job, its process, and which place it takes."""

    job: Job
    child: Child
    place: int


class Local(Launcher):
    """One process a run. A place is a GPU where there are GPUs, else a share of the cores."""

    options = {  # noqa: RUF012
        "processes": "how many runs at once at most (default: one for each GPU; without GPUs, one for "
        "each core)",
        "memory": "GiB that runs may take together (default: what is free)",
    }

    def __init__(self, options: Mapping[str, str], folder: Path) -> None:
        super().__init__(options, folder)
        self.gpus = visible_gpus()
        self.cores = usable_cores()
        self.processes = (
            _positive("processes", options["processes"]) if "processes" in options else 0
        )
        self.memory = _positive("memory", options["memory"]) * 2**30 if "memory" in options else 0
        self.waiting: deque[Job] = deque()
        self.running: list[Running] = []
        self.count = 0

    def submit(self, jobs: Sequence[Job]) -> None:
        if not self.processes and jobs:
            # fewer runs than cores: each has several
            self.processes = len(self.gpus) or max(1, min(self.cores, len(jobs)))
        if not self.memory and jobs:
            self.memory = free_memory()
            self.say(
                f"at most {self.processes} at once (--launcher-option processes={self.processes}), "
                f"{self.memory / 2**30:.0f} GiB of memory; logs in {self.folder}"
            )
        self.waiting.extend(jobs)

    def poll(self) -> list[Begun | Ended]:
        events: list[Begun | Ended] = []
        for one in list(self.running):
            if (code := one.child.poll()) is not None:
                self.running.remove(one)
                events.append(Ended(one.job, code, one.child.output(), one.child.log))
        while self.waiting and self._room_for(self.waiting[0]):
            events.append(self._begin(self.waiting.popleft()))
        return events

    def cancel(self, job: Job) -> None:
        if job in self.waiting:
            self.waiting.remove(job)
        for one in [one for one in self.running if one.job == job]:
            one.child.end()
            self.running.remove(one)

    def close(self) -> None:
        self.waiting.clear()
        for one in self.running:
            one.child.end()
        self.running.clear()

    def _room_for(self, job: Job) -> bool:
        """Whether a place is free, and memory; a run that takes more than there is runs alone."""
        if len(self.running) >= self.processes:
            return False
        taken = sum(one.job.memory or UNKNOWN for one in self.running)
        return not self.running or taken + (job.memory or UNKNOWN) <= self.memory

    def _begin(self, job: Job) -> Begun:
        taken = {one.place for one in self.running}
        place = next(i for i in range(self.processes) if i not in taken)
        log = self.folder / f"{self.count}.log"
        self.count += 1
        child = Child(job.command(), log, self._variables(place))
        self.running.append(Running(job, child, place))
        return Begun(job, f"process {child.process.pid}", log)

    def _variables(self, place: int) -> dict[str, str]:
        """The variables by which runs at one place keep out of the way of the others."""
        if self.gpus:
            return {"CUDA_VISIBLE_DEVICES": self.gpus[place % len(self.gpus)]}
        threads = max(1, self.cores // self.processes)
        return {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads))}


def _positive(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise SettingsInvalid(f"{name}={text!r} is not a number of {name}, 1 or more")
    return int(text)


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory() -> int:
    """Bytes that new processes may take on this machine."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        kilobytes = next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))
        return int(kilobytes) * 1024
    except (OSError, StopIteration):  # not Linux: what there is, half of it free
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def visible_gpus() -> list[str]:
    """The CUDA devices that bench may use, as `CUDA_VISIBLE_DEVICES` names them."""
    import torch

    if not torch.cuda.is_available():
        return []
    chosen = [g.strip() for g in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if g.strip()]
    return chosen or [str(i) for i in range(torch.cuda.device_count())]
