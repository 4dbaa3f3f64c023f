"""A run as a child process: it ends with the process that started it, and leaves no other behind."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from benchmark.lifeline import VARIABLE


class Child:
    """`command` in a process group of its own, standard error appended to `log`."""

    def __init__(self, command: Sequence[str], log: Path, more: Mapping[str, str]) -> None:
        """`more` are variables of its environment beside those of this process."""
        self.log, self.printed = log, log.with_suffix(".out")
        lifeline, self.held = os.pipe()
        try:
            # a file, not a pipe: what a method leaves running holds a pipe open after its run has ended
            with log.open("ab") as errors, self.printed.open("wb") as output:
                self.process = subprocess.Popen(
                    command,
                    env={**os.environ, **more, VARIABLE: str(lifeline)},
                    pass_fds=[lifeline],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    start_new_session=True,  # Ctrl-C is for bench, which then ends them all
                )
        except BaseException:
            os.close(self.held)
            raise
        finally:
            os.close(lifeline)

    def poll(self) -> int | None:
        """Its exit code, negative where a signal ended it; None while it runs."""
        if self.process.returncode is None:
            if not self._has_ended(os.WNOHANG):
                return None
            self._finish()
        return self.process.returncode

    def wait(self) -> int:
        """Wait for its exit code."""
        if self.process.returncode is None:
            self._has_ended(0)
            self._finish()
        return self.process.returncode

    def end(self) -> None:
        """End it now, with all that it started."""
        if self.process.returncode is None:
            self._finish()

    def output(self) -> str:
        """What it printed, which is kept no longer."""
        text = self.printed.read_text("utf-8", "replace")
        self.printed.unlink(missing_ok=True)
        return text

    def _has_ended(self, how: int) -> bool:
        """Whether it has, without reaping it, where the system can tell so."""
        if not hasattr(os, "waitid"):
            return (self.process.poll() if how else self.process.wait()) is not None
        found = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT | how)
        return found is not None

    def _finish(self) -> None:
        # the group goes before its leader is reaped: until then nothing else can have its number
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.held)
