"""The contract of a launcher: where runs execute. What is launched is one `bench run` of one seed.

A run has an identity and goes on where it stopped, so a launcher may start a job again whenever it was
lost: a run that is done is only read.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class Job:
    """One run: what people call it, and the words after `bench`, which print one JSON object.

    `memory` is how many bytes it is expected to take; 0 where nobody knows.
    """

    name: str
    words: tuple[str, ...]
    memory: int = 0

    def command(self) -> list[str]:
        """The command line, with the Python that bench runs in."""
        return [sys.executable, "-m", "benchmark", *self.words]


@dataclass(frozen=True)
class Begun:
    """A job has begun at `where` (a process, a node); `log` is the file of its standard error."""

    job: Job
    where: str
    log: Path


@dataclass(frozen=True)
class Ended:
    """What became of a job: exit code, standard output, and the file of its standard error.

    `code` is None where the job was submitted and not waited for; `output` then names the queue and job.
    It is negative where the job was `lost`. `brought` says that the record was made on a machine with a
    home of its own, and lies on the board here without its tables having been written.
    """

    job: Job
    code: int | None
    output: str
    log: Path
    brought: bool = False

    @property
    def lost(self) -> bool:
        """Whether its process or its machine died: it may be submitted again, and goes on."""
        return self.code is not None and self.code < 0


class Launcher(ABC):
    """Executes jobs somewhere. Register it with a `LauncherSpec`."""

    options: ClassVar[Mapping[str, str]] = {}
    """What `--launcher-option` takes: name → one line; "*" where the names are not this class's."""

    def __init__(self, options: Mapping[str, str], folder: Path) -> None:
        """`folder` is an empty folder of this launch, for logs.

        `self.say(line)` prints a line on standard error.
        """
        self.given, self.folder = dict(options), folder
        self.say: Callable[[str], None] = lambda line: None

    @abstractmethod
    def submit(self, jobs: Sequence[Job]) -> None:
        """Take jobs, which begin when there is room for them. One that has ended may be given again."""

    @abstractmethod
    def poll(self) -> Sequence[Begun | Ended]:
        """What has happened since it was last asked, without waiting: each job ends once, and one that
        fails does not stop the others."""

    @abstractmethod
    def cancel(self, job: Job) -> None:
        """End a job, or don't begin it; nothing more is heard of it."""

    def close(self) -> None:
        """End what is left of this launch; called once, however it ends."""
        return
