"""Working through a sweep: each run in a process of its own, whatever becomes of the others."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmark.contracts.errors import BenchError, RunLocked, TrainingFailed
from benchmark.contracts.launch import Begun, Ended, Job, Launcher
from benchmark.home import home
from benchmark.launch.said import error, progress, summary
from benchmark.launch.signals import stopping
from benchmark.pages.tables import update_boards
from benchmark.records.reading import read_record
from benchmark.registry.protocols import all_protocols
from benchmark.studies.planning import Cell, State
from benchmark.studies.state import Status, SweepFolder, statuses_of

TRIES = 5
"""How often a run is begun whose process dies."""

EVERY_SECONDS = 0.2
KEPT_EVERY_SECONDS = 1.0
AGAIN_AFTER_SECONDS = 10.0
"""When a run is tried again that another process was found to work on."""

OVER = ("done", "failed", "cancelled", "left out")


class Sweep:
    """The runs of a sweep, and what has become of them: `work()` until nothing is left."""

    def __init__(
        self,
        folder: SweepFolder,
        cells: Sequence[Cell],
        launcher: Launcher,
        memory: Callable[[Cell], int] = lambda cell: 0,
        tries: int = TRIES,
    ) -> None:
        """`memory` gives the bytes that a run will take, 0 where nobody knows."""
        self.folder, self.launcher, self.tries = folder, launcher, tries
        self.cells = {cell.key: cell for cell in cells}
        self.memory = {cell.key: memory(cell) for cell in cells}
        self.statuses = statuses_of(cells, folder.statuses())
        self.given: dict[Job, Status] = {}
        self.handed: set[str] = set()
        self.not_before: dict[str, float] = {}
        self.made = {cell.fit_id for cell in cells if cell.fitted}
        self.kept = 0.0
        self.brought = False
        for status in self.statuses:
            if status.state == "done":
                _tell_value(status)

    def work(self, show: Callable[[Sequence[Status]], None]) -> list[Status]:
        """Until every run is done, has failed, or was cancelled; `show` is told where they stand.

        However it ends, runs that are not over are queued when the sweep is taken up again.
        """
        with stopping():
            try:
                while not all(s.state in OVER or s.key in self.handed for s in self.statuses):
                    if self.folder.is_asked_to_end:
                        self._cancel()
                        break
                    self.launcher.submit(self._ready())
                    for event in self.launcher.poll():
                        self._take(event)
                    self._look()
                    show(self.statuses)
                    time.sleep(EVERY_SECONDS)
            finally:
                self.launcher.close()
                for status in self.given.values():
                    status.state, status.progress = "queued", ""
                self.folder.write_statuses(self.statuses)
        if self.brought:
            update_boards(all_protocols())
        show(self.statuses)
        return self.statuses

    def _ready(self) -> list[Job]:
        """What may begin: of runs that share a fit which is still to be made, one."""
        given = {status.key for status in self.given.values()} | self.handed
        under_way = {status.fit_id for status in self.given.values()} - self.made
        jobs = []
        for status in self.statuses:
            if status.state != "queued" or status.key in given:
                continue
            if status.fit_id in under_way or self.not_before.get(status.key, 0) > time.monotonic():
                continue
            if status.fit_id not in self.made:
                under_way.add(status.fit_id)
            words = (*self.cells[status.key].request.words(), "--json", "--lines")
            job = Job(status.name, words, self.memory[status.key])
            self.given[job] = status
            jobs.append(job)
        return jobs

    def _take(self, event: Begun | Ended) -> None:
        status = self.given[event.job]
        status.log = str(event.log)
        if isinstance(event, Begun):
            status.state, status.where, status.began = "running", event.where, time.time()
            status.tries += 1
            return
        del self.given[event.job]
        status.progress = ""
        status.seconds = time.time() - status.began if status.began else 0.0
        said = summary(event)
        if said is not None:
            status.state, status.why, status.record = "done", "", str(said["record"])
            self.made.add(status.fit_id)
            self.brought |= event.brought
            _tell_value(status)
        elif event.code is None:
            status.where = event.output
            self.handed.add(status.key)
            self.made.add(status.fit_id)  # what shares it waits in the queue
        elif event.code == RunLocked.exit_code:
            status.state, status.where = "queued", "another process"
            status.tries -= 1
            self.not_before[status.key] = time.monotonic() + AGAIN_AFTER_SECONDS
        elif event.lost and status.tries < self.tries:
            # what is short of memory is killed without a word: next time it has more to itself
            status.state = "queued"
            self.memory[status.key] *= 2
        else:
            self._fail(status, event)

    def _fail(self, status: Status, event: Ended) -> None:
        often = f" (tried {status.tries} times)" if event.lost else ""
        status.state, status.why = "failed", f"{error(event)}{often}"
        if event.code != TrainingFailed.exit_code or status.fit_id in self.made:
            return
        for other in self.statuses:
            if other.fit_id == status.fit_id and other.state == "queued":
                other.state = "failed"
                other.why = f"the fit that it shares with {status.name!r} failed"

    def _look(self) -> None:
        """See how far the runs are, and keep it now and then."""
        now = time.monotonic()
        if now - self.kept < KEPT_EVERY_SECONDS:
            return
        self.kept = now
        for status in self.statuses:
            if status.state == "running" and status.key not in self.handed:
                status.progress = progress(Path(status.log))
            if status.fit_id and (home() / "fits" / status.fit_id / "done.json").exists():
                self.made.add(status.fit_id)
        self.folder.write_statuses(self.statuses)

    def _cancel(self) -> None:
        for job in list(self.given):
            self.launcher.cancel(job)
        self.given.clear()
        for status in self.statuses:
            if status.state not in OVER:
                status.state, status.progress = "cancelled", ""


def _tell_value(status: Status) -> None:
    """What a run gave, from its record."""
    try:
        value = read_record(Path(status.record)).headline
    except BenchError as problem:
        status.state, status.why = "failed", f"error: {problem.sentence}"
        return
    status.metric, status.value, status.unit = value.metric, value.value, value.unit


def counts(statuses: Sequence[Status]) -> str:
    """ "3 done, 1 running, 2 queued": the states that occur."""
    found = Counter(status.state for status in statuses)
    order: tuple[State, ...] = ("done", "running", "queued", "failed", "cancelled", "left out")
    return ", ".join(f"{found[state]} {state}" for state in order if found[state]) or "nothing"
