"""Several runs at once on this machine: one process each, one GPU each where there are GPUs."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path

from benchmark.contracts.launch import Ended, Job, Launcher
from benchmark.settings import SettingsInvalid


class Pool(Launcher):
    """As many processes as there are GPUs (or a few on a CPU), which take one run after the other."""

    options = {  # noqa: RUF012
        "processes": "how many runs at once (default: the number of GPUs, else half the cores)"
    }

    def __init__(self, options: Mapping[str, str], folder: Path) -> None:
        super().__init__(options, folder)
        self.gpus = _gpus()
        text = options.get("processes", str(len(self.gpus) or max(1, (os.cpu_count() or 1) // 2)))
        if not text.isdigit() or int(text) < 1:
            raise SettingsInvalid(f"processes={text!r} is not a number of processes")
        self.processes = int(text)
        self.running: set[subprocess.Popen[bytes]] = set()

    def launch(self, jobs: Sequence[Job]) -> Iterator[Ended]:
        places: queue.Queue[dict[str, str]] = queue.Queue()
        for number in range(self.processes):
            places.put(self._place(number))
        with ThreadPoolExecutor(self.processes) as pool:
            waiting = [pool.submit(self._run, i, job, places) for i, job in enumerate(jobs)]
            try:
                for ended in as_completed(waiting):
                    yield ended.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in list(self.running):
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                raise

    def _place(self, number: int) -> dict[str, str]:
        """The variables by which runs at one place keep out of the way of the others."""
        if self.gpus:
            return {"CUDA_VISIBLE_DEVICES": self.gpus[number % len(self.gpus)]}
        threads = max(1, (os.cpu_count() or 1) // self.processes)
        return {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads))}

    def _run(self, number: int, job: Job, places: queue.Queue[dict[str, str]]) -> Ended:
        place = places.get()
        log = self.folder / f"{number}.log"
        try:
            with log.open("wb") as errors:
                process = subprocess.Popen(
                    job.command(),
                    env=os.environ | place,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=True,  # Ctrl-C is for bench, which then ends them all
                )
                self.running.add(process)
                output, _ = process.communicate()
            self.running.discard(process)
            return Ended(job, process.returncode, output.decode("utf-8", "replace"), log)
        finally:
            places.put(place)


def _gpus() -> list[str]:
    """The CUDA devices that bench may use, as `CUDA_VISIBLE_DEVICES` names them."""
    import torch

    if not torch.cuda.is_available():
        return []
    chosen = [g.strip() for g in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if g.strip()]
    return chosen or [str(i) for i in range(torch.cuda.device_count())]
