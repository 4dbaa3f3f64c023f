"""The contract of a launcher: where runs execute. What is launched is one `bench run` of one seed.

A run has an identity and goes on where it stopped, so a launcher may start a job again whenever it was
lost: a run that is done is only read.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class Job:
    """One run: what people call it, and the words after `bench`, which print one JSON object."""

    name: str
    words: tuple[str, ...]

    def command(self) -> list[str]:
        """The command line, with the Python that bench runs in."""
        return [sys.executable, "-m", "benchmark", *self.words]


@dataclass(frozen=True)
class Ended:
    """What became of a job: exit code, standard output, and the file of its standard error.

    `code` is None where the job was submitted and not waited for; `output` then names the queue and job.
    """

    job: Job
    code: int | None
    output: str
    log: Path


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
    def launch(self, jobs: Sequence[Job]) -> Iterator[Ended]:
        """Execute all jobs and give each when it has ended; one that fails does not stop the others."""
