"""Report errors in the code of a method, or a reader, as its own: which call, at which line."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.contracts.errors import BenchError, InvalidInput, PluginBroken
from benchmark.contracts.names import LONGEST_LINE, shown

if TYPE_CHECKING:
    from benchmark.contracts.dataset import Reader
    from benchmark.contracts.method import Method


@contextmanager
def errors_of(
    method: Method | Reader,
    call: str,
    cure: str = "mend the method; --debug shows the whole traceback",
) -> Iterator[None]:
    """Raise as `PluginBroken` what goes wrong while `call` of a method, or of a data set's reader, runs.

    Errors that a person can act on already (`BenchError`) pass as they are.
    """
    try:
        yield
    except BenchError:
        raise
    except Exception as error:
        raise PluginBroken(
            f"{type(method).__name__}.{call} failed{_where(method, error)}: {in_one_line(error)}",
            cure=cure,
        ) from error


@contextmanager
def prediction_of(method: Method) -> Iterator[None]:
    """`errors_of` of `predict`; one of a wrong shape, or with NaN, is the method's error too."""
    try:
        with errors_of(method, "predict"):
            yield
    except InvalidInput as error:
        raise PluginBroken(
            f"{type(method).__name__}.predict: {error.message}",
            cure=error.cure
            or "`benchmark.contracts.predictions` says what each kind of prediction holds",
        ) from error


def _where(method: Method | Reader, error: Exception) -> str:
    """The innermost line of its own package that the error came through."""
    package = type(method).__module__.partition(".")[0]
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        if frame.f_globals.get("__name__", "").partition(".")[0] == package:
            file = Path(frame.f_code.co_filename)
            return f" ({file.parent.name}/{file.name}, line {line})"
    return ""


def in_one_line(error: BaseException) -> str:
    """An error in one line that may be printed, whatever it says."""
    if isinstance(error, PluginBroken):
        return shown(error.message, quote=False, most=LONGEST_LINE)
    text = str(error).strip().splitlines()
    line = f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
    return shown(line, quote=False, most=LONGEST_LINE)
