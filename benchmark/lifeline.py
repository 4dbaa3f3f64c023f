"""A process that ends with the one that started it, however that one ended.

The parent holds the end of a pipe into which nothing is written; when it is gone, by SIGKILL too, the
child reads the end of the file, and ends itself with all that it started.
"""

from __future__ import annotations

import os
import signal
import threading

VARIABLE = "BENCH_LIFELINE"
"""Names the file descriptor of the child's end."""


def hold(descriptor: int) -> None:
    """End this process group when whoever holds the other end of the pipe has ended."""
    threading.Thread(target=_wait, args=(descriptor,), daemon=True).start()


def hold_given() -> None:
    """The same, if whoever started this process gave a lifeline; it is not handed on."""
    if (given := os.environ.pop(VARIABLE, "")).isdigit():
        hold(int(given))


def _wait(descriptor: int) -> None:
    try:
        while os.read(descriptor, 1):
            pass
    except OSError:
        return  # no descriptor of that number: the variable was left in an environment by something else
    os.killpg(0, signal.SIGKILL)
