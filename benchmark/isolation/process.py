"""A method's own process: started with the Python of its environment, ended with this one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import weakref
from contextlib import suppress
from importlib.util import find_spec
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

from benchmark.contracts.errors import BenchError, PluginBroken, TrainingFailed
from benchmark.contracts.spec import MethodSpec
from benchmark.home import checkout, home
from benchmark.isolation.environments import InstalledEnvironment, environment_of
from benchmark.isolation.wire import Gone, Raised, Wire

WITH_BENCH = """
import site
for place in {places!r}:
    site.addsitedir(place)
"""
"""What the environment has comes first, then all that bench itself has."""

ALONE = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
for name, file in {packages!r}.items():
    found = spec_from_file_location(name, file)
    sys.modules[name] = module_from_spec(found)
    found.loader.exec_module(sys.modules[name])
"""
"""Two packages of bench's Python, by their place: bench and the method. None of the others."""

WORK = """
from benchmark.isolation.worker import work
work({pipe}, {lifeline}, {scratch!r}, {implementation!r}, {method!r})
"""


class Process:
    """The process in which one method lives. `wire.answer` does what it asks for while it fits.

    What it prints goes to a file in its scratch folder until `log_to` names another.
    """

    def __init__(self, spec: MethodSpec) -> None:
        self.spec = spec
        self.environment = environment_of(spec)
        (home() / "scratch").mkdir(parents=True, exist_ok=True)
        self.scratch = Path(tempfile.mkdtemp(prefix="method-", dir=home() / "scratch"))
        self.log = self.scratch / "process.log"
        pipe, there = Pipe()
        lifeline, self._held = os.pipe()
        with there, self.log.open("wb") as log:
            code = _paths(spec, self.environment) + WORK.format(
                pipe=there.fileno(),
                lifeline=lifeline,
                scratch=str(self.scratch),
                implementation=spec.implementation,
                method=spec.id,
            )
            self.child = subprocess.Popen(
                [str(self.environment.python), "-c", code],
                pass_fds=[there.fileno(), lifeline],
                env={k: v for k, v in os.environ.items() if k not in NOT_PASSED},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for this process, which then ends that one
            )
        os.close(lifeline)
        self.wire = Wire(pipe, self.scratch, "calls", "answers", refuse)
        self.close = weakref.finalize(self, _end, self.child, pipe, self._held, self.scratch)

    def log_to(self, path: Path) -> None:
        """From now on what the process prints is added to this file."""
        self.call("log_to", str(path))
        self.log = path

    def call(self, name: str, *arguments: Any) -> Any:
        """Ask the process. What it raises is raised here; where bench itself fails meanwhile (or is
        stopped), the process is ended, for it waits for an answer."""
        try:
            return self.wire.call(name, *arguments)
        except Raised as raised:
            raise self._error(raised) from None
        except Gone:
            error = self._died()
            self.close()
            raise error from None
        except BaseException:
            self.close()
            raise

    def _error(self, raised: Raised) -> Exception:
        kind = _error_class(raised.kind)
        error: Exception
        if kind is not None:
            error = kind.__new__(kind)  # whose own __init__ may take other words
            BenchError.__init__(error, raised.message, cure=raised.cure)
        else:
            kept = self.log.parent != self.scratch
            error = PluginBroken(
                f"method {self.spec.id!r} failed in its own process: {raised.message}",
                cure=f"its traceback is in {self.log}" if kept else "--debug shows its traceback",
            )
        with suppress(OSError), self.log.open("a", encoding="utf-8") as log:
            log.write(raised.trace)
        error.add_note(f"in the process of method {self.spec.id!r}:\n{raised.trace}")
        return error

    def _died(self) -> Exception:
        code = self.child.wait()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        with suppress(OSError):
            lines = self.log.read_text("utf-8", "replace").strip().splitlines()
            how += f"; its last words: {lines[-1]}" if lines else ""
        return TrainingFailed(
            f"the process of method {self.spec.id!r} died ({how})",
            cure="the same command goes on from the last checkpoint; if memory ran out, choose a "
            "smaller batch",
        )


def refuse(name: str, *arguments: Any) -> None:
    """Nothing may be asked of bench now."""
    raise PluginBroken(f"the method's process asked for {name!r}, which it may not")


NOT_PASSED = {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}


def _end(child: subprocess.Popen[bytes], pipe: Any, held: int, scratch: Path) -> None:
    """End the process with all that it started, and remove its scratch folder."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.wait()
    pipe.close()
    os.close(held)
    shutil.rmtree(scratch, ignore_errors=True)


def _paths(spec: MethodSpec, environment: InstalledEnvironment) -> str:
    """The code by which the process finds bench and the method."""
    if not environment.alone:
        places = [str(Path(p).absolute()) for p in sys.path if p and Path(p).is_dir()]
        return WITH_BENCH.format(places=places)
    package = spec.implementation.partition(":")[0].partition(".")[0]
    found = find_spec(package)
    if found is None or found.origin is None:
        raise PluginBroken(f"method {spec.id!r}: there is no package {package!r}")
    own = str(checkout() / "benchmark" / "__init__.py")
    return ALONE.format(packages={"benchmark": own, package: found.origin})


def _error_class(name: str) -> type[BenchError] | None:
    """The error of bench with that name."""
    waiting: list[type[BenchError]] = [BenchError]
    while waiting:
        kind = waiting.pop()
        if kind.__name__ == name:
            return kind
        waiting += kind.__subclasses__()
    return None
