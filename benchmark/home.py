"""Where things lie: `$BENCH_HOME` (data, prepared, weights, fits, runs), data roots, leaderboards."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """`$BENCH_HOME`, or the platform's folder for caches. Not created here."""
    given = os.environ.get("BENCH_HOME")
    if given:
        return Path(given).expanduser().resolve()
    import platformdirs

    return Path(platformdirs.user_cache_dir("bench"))


def data_places(dataset: str) -> list[Path]:
    """Where a data set in its publisher's layout is looked for, in order.

    `$BENCH_DATA/<dataset>` (`--data-root` sets it; several roots are separated as in PATH), then
    `$BENCH_HOME/data/<dataset>`.
    """
    roots = [r for r in os.environ.get("BENCH_DATA", "").split(os.pathsep) if r]
    return [Path(r).expanduser().resolve() / dataset for r in roots] + [home() / "data" / dataset]


def checkout() -> Path:
    """The folder that holds this package: the checkout, if bench runs from one."""
    return Path(__file__).resolve().parent.parent


def leaderboards() -> Path:
    """`$BENCH_LEADERBOARDS`, the checkout's `leaderboards/`, or the one in `$BENCH_HOME`."""
    given = os.environ.get("BENCH_LEADERBOARDS")
    if given:
        return Path(given).expanduser().resolve()
    here = checkout() / "leaderboards"
    return here if here.is_dir() else home() / "leaderboards"


def builtin_folder() -> Path:
    """Where the protocols of bench itself lie: in the checkout, else inside the installed package."""
    inside = checkout() / "protocols"
    return inside if inside.is_dir() else Path(__file__).resolve().parent / "_protocols"
