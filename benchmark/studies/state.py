"""What a sweep remembers: which runs it was asked for, where each stands, whether it is to end."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import filelock

from benchmark.contracts.errors import RunLocked, UnknownName, by_beginning
from benchmark.files import read_json, write_json
from benchmark.home import home
from benchmark.runner.request import Request
from benchmark.studies.planning import Cell, State

MEND = "delete {}; the same `bench sweep` begins it anew, and finds the runs that are done"


@dataclass
class Status:
    """Where one run of a sweep stands; `value` is the headline metric's, in `unit`."""

    key: str
    name: str
    state: State
    why: str = ""
    fit_id: str = ""
    tries: int = 0
    where: str = ""
    log: str = ""
    progress: str = ""
    began: float = 0.0
    seconds: float = 0.0
    record: str = ""
    metric: str = ""
    value: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class Asked:
    """What a sweep was asked for: runs, and where they are to execute."""

    name: str
    requests: tuple[Request, ...]
    launcher: str
    options: Mapping[str, str] = field(default_factory=dict)


def sweep_name(stem: str, requests: Sequence[Request]) -> str:
    """The same for the same runs: words of the study's file, and a digest of what is asked for.

    >>> sweep_name("My study", [Request("lead", "ytf5")])
    'my-study-d53cc902'
    """
    text = json.dumps([request.words() for request in requests])
    shown = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "sweep"
    return f"{shown[:40]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


class SweepFolder:
    """The folder `$BENCH_HOME/sweeps/<name>`."""

    def __init__(self, name: str) -> None:
        self.name, self.path = name, home() / "sweeps" / name

    @contextmanager
    def driven(self) -> Iterator[None]:
        """Hold it as the one process that works on this sweep; raises `RunLocked` for a second."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.path / ".sweep.lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise RunLocked(
                f"sweep {self.name} is being worked on by another process",
                cure=f"`bench sweep status {self.name}` says how far it is, `… cancel` ends it",
            ) from None
        try:
            self._asked_to_end.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    @property
    def is_driven(self) -> bool:
        """Whether a process works on it."""
        lock = filelock.FileLock(self.path / ".sweep.lock")
        try:
            with lock.acquire(timeout=0):
                return False
        except filelock.Timeout:
            return True

    def write_asked(self, asked: Asked) -> None:
        """Keep what was asked for."""
        write_json(self.path / "sweep.json", asdict(asked))

    def asked(self) -> Asked:
        """What was asked for."""
        keys = ("name", "requests", "launcher", "options")
        about = self._read("sweep.json", *keys)
        requests = tuple(Request(**request) for request in about["requests"])
        return Asked(about["name"], requests, about["launcher"], about["options"])

    def write_statuses(self, statuses: Sequence[Status]) -> None:
        """Keep where each run stands."""
        write_json(self.path / "state.json", {"runs": [asdict(status) for status in statuses]})

    def statuses(self) -> list[Status]:
        """Where each run stood when that was last kept; none before the first time."""
        if not (self.path / "state.json").exists():
            return []
        return [Status(**run) for run in self._read("state.json", "runs")["runs"]]

    def ask_to_end(self) -> None:
        """Have the process that works on it cancel what is left."""
        self._asked_to_end.touch()

    @property
    def is_asked_to_end(self) -> bool:
        """Whether someone has."""
        return self._asked_to_end.exists()

    @property
    def _asked_to_end(self) -> Path:
        return self.path / "cancel"

    def _read(self, name: str, *keys: str) -> Any:
        return read_json(self.path / name, MEND.format(self.path), *keys)


def find_sweep(name: str = "") -> SweepFolder:
    """The sweep of that name or its only beginning, or the one that was last worked on.

    Raises `UnknownName`.
    """
    known = {path.parent.name: path.stat().st_mtime for path in _kept()}
    if not known:
        cure = "none was begun yet: `bench sweep STUDY.toml` does"
        raise UnknownName("sweep", name or "latest", known, cure=cure)
    return SweepFolder(
        by_beginning("sweep", name, known) if name else max(known, key=known.__getitem__)
    )


def _kept() -> list[Path]:
    return sorted((home() / "sweeps").glob("*/state.json"))


def statuses_of(cells: Sequence[Cell], before: Sequence[Status]) -> list[Status]:
    """Where the cells of a plan stand, given where they stood `before`.

    What had failed stays failed, with its reason; what was cancelled or under way is queued again.
    """
    stood = {status.key: status for status in before}
    found = []
    for cell in cells:
        status = Status(
            cell.key, cell.name, cell.state, cell.why, cell.fit_id, record=str(cell.record)
        )
        old = stood.get(cell.key)
        if old and old.state == "failed" and cell.state == "queued":
            status = old
        elif old and old.state == "done" == cell.state:
            status.seconds, status.tries = old.seconds, old.tries
        found.append(status)
    return found
