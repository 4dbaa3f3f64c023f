"""Runs as jobs of a Slurm cluster, through submitit (`pip install structbench[slurm]`).

All runs of a launch are one job array. A job that nears its time limit, or whose node is taken away, is
put into the queue again by submitit and goes on from its last checkpoint.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.contracts.errors import BenchError
from benchmark.contracts.launch import Begun, Ended, Job, Launcher
from benchmark.launch.child import Child
from benchmark.launch.local import usable_cores
from benchmark.settings import SettingsInvalid

COMMON = {"name", "nodes", "cpus_per_task", "gpus_per_node", "mem_gb", "timeout_min"}
"""Parameters that submitit knows for every cluster; others are Slurm's own."""

DEFAULTS = {"name": "bench", "timeout_min": 24 * 60}
EVERY_SECONDS = 1.0
LOST = -9
"""The code of a job that left no result, as of a process that was killed."""


class Slurm(Launcher):
    """Options are submitit's: partition=gpu, gpus_per_node=1, timeout_min=600, account=…, qos=… ."""

    options = {  # noqa: RUF012
        "*": "any parameter of submitit: partition, account, qos, gpus_per_node, timeout_min, …",
        "wait": "yes (default), or no: hand the jobs over and end",
        "cluster": "slurm (default); local runs them on this machine, for trying out",
    }

    def __init__(self, options: Mapping[str, str], folder: Path) -> None:
        super().__init__(options, folder)
        rest = dict(options)
        self.wait = rest.pop("wait", "yes")
        if self.wait not in ("yes", "no"):
            raise SettingsInvalid(f"wait={self.wait!r} is neither yes nor no")
        cluster = rest.pop("cluster", "slurm")
        self.executor = _executor(cluster, folder, rest)
        # submitit's local executor begins at once whatever it is given
        self.most = usable_cores() if cluster == "local" else None
        self.held: list[Job] = []
        self.waiting: dict[Any, tuple[Job, Task]] = {}
        self.begun: set[Any] = set()
        self.asked, self.count = 0.0, 0

    def submit(self, jobs: Sequence[Job]) -> None:
        if not jobs:
            return
        if self.most is None:
            self._submit(jobs)
        else:
            self.held += jobs

    def _submit(self, jobs: Sequence[Job]) -> None:
        first = self.count
        self.count += len(jobs)
        tasks = [
            Task(job.command(), self.folder / f"{first + i}.log") for i, job in enumerate(jobs)
        ]
        with self.executor.batch():
            submitted = [self.executor.submit(task) for task in tasks]
        self.waiting |= dict(zip(submitted, zip(jobs, tasks, strict=True), strict=True))

    def poll(self) -> list[Begun | Ended]:
        if self.held and (room := (self.most or 0) - len(self.waiting)) > 0:
            begins, self.held = self.held[:room], self.held[room:]
            self._submit(begins)
        if self.wait == "no":
            handed = [
                Ended(job, None, f"job {given.job_id}", task.log)
                for given, (job, task) in self.waiting.items()
            ]
            self.waiting.clear()
            return list(handed)
        if time.monotonic() - self.asked < EVERY_SECONDS:
            return []
        self.asked = time.monotonic()
        events: list[Begun | Ended] = []
        for given, (job, task) in list(self.waiting.items()):
            if given not in self.begun and task.log.exists():
                self.begun.add(given)
                events.append(Begun(job, f"job {given.job_id}", task.log))
            if given.done():
                del self.waiting[given]
                self.begun.discard(given)
                events.append(self._ended(job, task, given))
        return events

    def cancel(self, job: Job) -> None:
        self.held = [other for other in self.held if other != job]
        for given in [g for g, (other, _) in self.waiting.items() if other == job]:
            given.cancel(check=False)
            del self.waiting[given]

    def _ended(self, job: Job, task: Task, given: Any) -> Ended:
        from submitit.core.utils import FailedJobError

        error = given.exception()
        if error is None:
            code, output = given.result()
            return Ended(job, code, output, task.log)
        with task.log.open("a", encoding="utf-8") as log:
            log.write(f"\nerror: job {given.job_id}: {error}\n")
        # a job without a result was killed, or its node was
        return Ended(job, 1 if isinstance(error, FailedJobError) else LOST, "", task.log)


class Task:
    """What the cluster executes: the command of one run."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.command, self.log = command, log

    def __call__(self) -> tuple[int, str]:
        child = Child(self.command, self.log, {})
        try:
            return child.wait(), child.output()
        finally:
            child.end()

    def checkpoint(self) -> Any:
        """What submitit puts into the queue when the job is taken away: the same again."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def _executor(cluster: str, folder: Path, options: Mapping[str, str]) -> Any:
    try:
        import submitit
    except ImportError:
        raise BenchError(
            "the launcher slurm needs submitit, which is not installed",
            cure="pip install 'structbench[slurm]'",
        ) from None
    if cluster not in ("slurm", "local"):
        raise SettingsInvalid(f"cluster={cluster!r} is neither slurm nor local")
    if cluster == "slurm" and shutil.which("srun") is None:
        raise BenchError(
            "there is no Slurm on this machine (no srun)",
            cure="start it on a login node, or choose --launcher local",
        )
    try:
        executor = submitit.AutoExecutor(folder=folder / "submitit", cluster=cluster)
        given = {k if k in COMMON else f"slurm_{k}": _value(k, v) for k, v in options.items()}
        executor.update_parameters(**DEFAULTS | given)
    except (NameError, TypeError, ValueError, AssertionError) as error:
        reason = " ".join(str(error).split())
        raise SettingsInvalid(f"the launcher slurm: {reason[:300]}") from None
    return executor


def _value(key: str, text: str) -> bool | float | str:
    """What submitit is given for KEY=VALUE: true and false as such, numbers where it wants them, and all
    else as it was typed, for an account may be called 0042.

    >>> _value("exclusive", "true"), _value("timeout_min", "90"), _value("account", "0042")
    (True, 90, '0042')
    """
    if text in ("true", "false"):
        return text == "true"
    if text.isascii() and text.isdigit() and str(int(text)) == text:
        return int(text)
    if key == "mem_gb":
        return float(text)
    return text
