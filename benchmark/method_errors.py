"""Report errors in the code of a method, or a reader, as its own: which call, at which line."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.contracts.errors import BenchError, InvalidInput, PluginBroken
from benchmark.contracts.machine_errors import machine_error
from benchmark.contracts.names import LONGEST_LINE, shown

if TYPE_CHECKING:
    from benchmark.contracts.dataset import Reader
    from benchmark.contracts.method import Method


@contextmanager
def errors_of(
    method: Method | Reader | type[Method],
    call: str,
    cure: str = "mend the method; --debug shows the whole traceback",
) -> Iterator[None]:
    """Raise as `PluginBroken` what goes wrong while `call` of a method, or of a data set's reader, runs.

    Errors that a person can act on already (`BenchError`) pass as they are, and what the machine refuses
    is told as that. What the call prints goes to standard error, for standard output is what bench says.
    """
    try:
        with _kept():
            yield
    except (BenchError, KeyboardInterrupt):
        raise
    except BaseException as error:
        if not isinstance(error, Exception | SystemExit | GeneratorExit):
            raise
        if (refused := machine_error(error)) is not None:
            raise refused from error
        raise PluginBroken(
            f"{_name(method)}.{call} failed{_where(method, error)}: {in_one_line(error)}",
            cure=cure,
        ) from error


@contextmanager
def _kept() -> Iterator[None]:
    """Send what is printed to standard error; put back the working directory and the variables that say
    where bench reads and writes."""
    if threading.current_thread() is not threading.main_thread():
        yield  # these are of all threads: one that ends would put back what another has changed
        return
    folder, places = _working_directory(), _of_bench()
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        if folder is not None and folder != _working_directory():
            os.chdir(folder)
        if places != _of_bench():
            for name in _of_bench().keys() - places.keys():
                del os.environ[name]
            os.environ.update(places)


def _working_directory() -> str | None:
    try:
        return os.getcwd()
    except FileNotFoundError:  # it was removed
        return None


def _of_bench() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("BENCH_")}


@contextmanager
def prediction_of(method: Method) -> Iterator[None]:
    """`errors_of` of `predict`; one of a wrong shape, or with NaN, is the method's error too."""
    try:
        with errors_of(method, "predict"):
            yield
    except InvalidInput as error:
        raise PluginBroken(
            f"{_name(method)}.predict: {error.message}",
            cure=error.cure
            or "`benchmark.contracts.predictions` says what each kind of prediction holds",
        ) from error


def _class(method: Method | Reader | type[Method]) -> type[object]:
    return method if isinstance(method, type) else type(method)


def _name(method: Method | Reader | type[Method]) -> str:
    return _class(method).__name__


def _where(method: Method | Reader | type[Method], error: BaseException) -> str:
    """The innermost line of its own package that the error came through."""
    package = _class(method).__module__.partition(".")[0]
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        if frame.f_globals.get("__name__", "").partition(".")[0] == package:
            file = Path(frame.f_code.co_filename)
            return f" ({file.parent.name}/{file.name}, line {line})"
    return ""


def in_one_line(error: BaseException) -> str:
    """An error in one line that may be printed, whatever it says."""
    if isinstance(error, PluginBroken):
        return shown(error.message, quote=False, most=LONGEST_LINE)
    try:
        text = str(error).strip().splitlines()
    except Exception:  # an error of a plugin may fail at that too
        text = []
    line = f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
    return shown(line, quote=False, most=LONGEST_LINE)
