"""Errors a user can act on: what was expected, what came, where, and the cure.

Every error that reaches the command line is a `BenchError`. The command line prints its message and
its cure and exits with its code; a traceback appears only with `--debug`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST_NAMED = 12
"""How many alternatives an error names."""


LISTED = {
    "finished run": "bench ls runs",
    "method": "bench ls methods",
    "protocol": "bench ls protocols",
    "data set": "bench ls datasets",
}
"""What shows all names of a kind."""


class BenchError(Exception):
    """Something the user can mend.

    `message` says what was expected, what came and where; `cure` says what to do about it.
    """

    exit_code = 1

    def __init__(self, message: str, *, cure: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message}\n  cure: {self.cure}" if self.cure else self.message

    @property
    def sentence(self) -> str:
        """Message and cure in one line."""
        return f"{self.message}; {self.cure}" if self.cure else self.message


class InvalidInput(BenchError, ValueError):
    """A metric, probe or prediction was given a bad shape, an empty array, NaN or infinity."""

    exit_code = 3


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question with the close ones among known names and a space after it; empty where none is close.

    >>> did_you_mean("point", ["points", "side"])
    "did you mean 'points'? "
    """
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(repr(c) for c in close)}? " if close else ""


def listed(names: Iterable[str], most: int = MOST_NAMED) -> str:
    """Names in order, the first of them where there are many.

    >>> listed("cab", most=2)
    'a, b and 1 more'
    """
    found = sorted(names)
    rest = len(found) - most
    return ", ".join(found[:most]) + (f" and {rest} more" if rest > 0 else "") or "none"


class UnknownName(BenchError, LookupError):
    """No method, protocol, data set or run of that name; close names are suggested."""

    exit_code = 2

    def __init__(self, kind: str, name: str, known: Iterable[str], *, cure: str = "") -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        more = LISTED.get(kind, "") if len(self.known) > MOST_NAMED else ""
        super().__init__(
            f"there is no {kind} {name!r}",
            cure=cure
            or f"{did_you_mean(name, self.known)}known {_plural(kind)}: {listed(self.known)}"
            + (f"; `{more}` shows them all" if more else ""),
        )


def by_beginning(kind: str, name: str, known: Iterable[str]) -> str:
    """The known name that is this one, or the only one that begins so; raises `UnknownName`.

    >>> by_beginning("run", "3f", ["3f2a", "8be0"])
    '3f2a'
    """
    every = list(known)
    fitting = [name] if name in every else [one for one in every if one.startswith(name)]
    if len(fitting) != 1:
        raise UnknownName(kind, name, fitting or every)
    return fitting[0]


def _plural(kind: str) -> str:
    """For people: "splits of taichi", "probe families"."""
    word, of, whose = kind.partition(" of ")
    return f"{word[:-1]}ies{of}{whose}" if word.endswith("y") else f"{word}s{of}{whose}"


class Incompatible(BenchError):
    """The method gives nothing the protocol can score."""

    exit_code = 2


class DataMissing(BenchError):
    """Data that must be obtained first: what, from where, under which terms, and where to put it."""

    exit_code = 4


class DataAltered(BenchError):
    """Data on disk is not what its digest says."""

    exit_code = 5


class RunLocked(BenchError):
    """Another process works on the same run."""

    exit_code = 6


class RecordTooNew(BenchError):
    """A record (or prepared data) was written by a newer version of bench."""

    exit_code = 7


class PluginBroken(BenchError):
    """A plugin could not be loaded or does not keep the contract."""

    exit_code = 8


class DiskFull(BenchError):
    """There was no room to write; nothing half-written was left."""

    exit_code = 9


class TrainingFailed(BenchError):
    """A method's training went wrong in a way that can be named (a loss that is not finite, …)."""

    exit_code = 10
