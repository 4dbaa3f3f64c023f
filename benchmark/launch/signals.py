"""Signals that end a launch as Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn


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
