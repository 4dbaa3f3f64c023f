"""Where things lie: `$BENCH_HOME` (data, prepared, weights, fits, runs, …), data roots, leaderboards."""

from __future__ import annotations

import os
from pathlib import Path

from benchmark.contracts.errors import BenchError

ROOTS = ("BENCH_HOME", "BENCH_DATA", "BENCH_WEIGHTS", "BENCH_LEADERBOARDS")
"""The variables that name folders, the second and third of them several."""


def settle() -> None:
    """Make relative roots absolute, so that a change of the working directory leads nowhere else, and
    processes that are started find the same. Raises `BenchError` for "~" of nobody."""
    for name in ROOTS:
        if given := os.environ.get(name):
            several = name in ("BENCH_DATA", "BENCH_WEIGHTS")
            roots = given.split(os.pathsep) if several else [given]
            os.environ[name] = os.pathsep.join(str(_root(name, r)) for r in roots if r)


def use_data_root(folder: str) -> None:
    """Let data sets lie in this folder alone, as with `BENCH_DATA`."""
    if os.pathsep in folder:
        raise BenchError(
            f"the data root {folder!r} has a {os.pathsep!r} in its name, which separates several in "
            "BENCH_DATA",
            cure="rename the folder, or give a link to it",
        )
    os.environ["BENCH_DATA"] = os.path.abspath(folder)


def _root(name: str, given: str) -> Path:
    try:
        return Path(given).expanduser().resolve()
    except RuntimeError:
        raise BenchError(
            f"{name}={given}: there is no such user's home", cure=f"name a folder in {name}"
        ) from None


def home() -> Path:
    """`$BENCH_HOME`, or the platform's folder for caches. Not created here."""
    given = os.environ.get("BENCH_HOME")
    if given:
        return _root("BENCH_HOME", given)
    import platformdirs

    return Path(platformdirs.user_cache_dir("bench"))


def data_places(dataset: str) -> list[Path]:
    """Where a data set in its publisher's layout is looked for, in order.

    `$BENCH_DATA/<dataset>` (`--data-root` sets it; several roots are separated as in PATH), then
    `$BENCH_HOME/data/<dataset>`.
    """
    roots = [r for r in os.environ.get("BENCH_DATA", "").split(os.pathsep) if r]
    return [_root("BENCH_DATA", r) / dataset for r in roots] + [home() / "data" / dataset]


def checkout() -> Path:
    """The folder that holds this package: the checkout, if bench runs from one."""
    return Path(__file__).resolve().parent.parent


def leaderboards() -> Path:
    """`$BENCH_LEADERBOARDS`, the checkout's `leaderboards/`, or the one in `$BENCH_HOME`."""
    given = os.environ.get("BENCH_LEADERBOARDS")
    if given:
        return _root("BENCH_LEADERBOARDS", given)
    here = checkout() / "leaderboards"
    return here if here.is_dir() else home() / "leaderboards"


def builtin_folder() -> Path:
    """Where the protocols of bench itself lie: in the checkout, else inside the installed package."""
    inside = checkout() / "protocols"
    return inside if inside.is_dir() else Path(__file__).resolve().parent / "_protocols"
