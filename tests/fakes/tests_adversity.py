"""Processes that end at a moment that a test chooses: at the n-th thing that they do to the disk."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from benchmark.contracts.errors import BenchError
from benchmark.pages.publish import LIST

FORK = multiprocessing.get_context("fork")
CHANGES = frozenset(
    {
        "os.rename",
        "os.mkdir",
        "os.rmdir",
        "os.remove",
        "os.link",
        "os.symlink",
        "os.truncate",
        "os.chmod",
    }
)
"""Audit events of what changes a disk, beside files that are opened to be written."""

Work = Callable[[], object]


def forked(work: Work, seconds: float = 300) -> int:
    """The exit code of a process that does this work: 0, that of a `BenchError`, or minus a signal."""
    process = FORK.Process(target=_coded, args=(work,))
    process.start()
    return ended(process, seconds)


def ended(process: BaseProcess, seconds: float = 300) -> int:
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        raise AssertionError("it hangs")
    return process.exitcode


def events(work: Work) -> int:
    """How often the work changes the disk."""
    read, write = os.pipe()

    def counted() -> None:
        count = [0]
        sys.addaudithook(lambda name, args: count.__setitem__(0, count[0] + _changes(name, args)))
        work()
        os.write(write, str(count[0]).encode())

    assert forked(counted) == 0
    os.close(write)
    with os.fdopen(read) as pipe:
        return int(pipe.read())


def killed_at(work: Work, event: int) -> bool:
    """Do the work in a process that SIGKILL ends just before its n-th change, from 1; whether it came so
    far."""

    def short() -> None:
        left = [event]

        def hook(name: str, args: tuple[object, ...]) -> None:
            if _changes(name, args):
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        work()

    code = forked(short)
    assert code in (0, -signal.SIGKILL), code
    return code != 0


def with_files_of(work: Work, most: int) -> int:
    """The exit code where no file may grow beyond so many bytes, as on a disk that is full."""

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        work()

    return forked(limited)


def _coded(work: Work) -> None:
    try:
        work()
    except BenchError as error:
        os._exit(error.exit_code)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(70)


def _changes(name: str, args: tuple[object, ...]) -> bool:
    if name == "open":
        path, _, flags = args
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        return bool(writes) and str(path) != os.devnull
    return name in CHANGES


def tree(folder: Path) -> dict[str, bytes]:
    """The files below a folder by their paths, locks and hidden ones left out."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.suffix not in (".lock", ".pid")
        and not any(part[0] == "." for part in path.relative_to(folder).parts)
    }


def half_written(folder: Path) -> list[Path]:
    """Hidden names below a folder that are neither locks nor a site's list of its files."""
    hidden = [p for p in folder.rglob(".*") if p.name not in (".lock", LIST)]
    return [p for p in hidden if p.suffix != ".lock"]
