"""Where things lie: `$BENCH_HOME` (data, prepared, weights, fits, runs, …), data roots, leaderboards."""

from __future__ import annotations

import hashlib
import os
import re
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
            roots = _several(given) if several else [given]
            remote = is_address if name == "BENCH_DATA" else lambda root: False
            absolute = [r if remote(r) else str(_root(name, r)) for r in roots]
            os.environ[name] = os.pathsep.join(absolute)


def use_data_root(folder: str) -> None:
    """Let data sets lie in this folder alone, as with `BENCH_DATA`."""
    if os.pathsep in folder:
        raise BenchError(
            f"the data root {folder!r} has a {os.pathsep!r} in its name, which separates several in "
            "BENCH_DATA",
            cure="rename the folder, or give a link to it",
        )
    os.environ["BENCH_DATA"] = os.path.abspath(folder)


def is_address(root: str) -> bool:
    """Whether a data root lies elsewhere, in an object store say.

    >>> is_address("s3://bucket/sets"), is_address("/data/sets")
    (True, False)
    """
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", root) is not None


def _several(given: str) -> list[str]:
    """The roots in a variable; the colon of an address parts none."""
    return [root for root in re.split(rf"{re.escape(os.pathsep)}(?!//)", given) if root]


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


def data_roots() -> list[Path | str]:
    """Where folders of data sets are looked for, in order: `$BENCH_DATA` (`--data-root` sets it; several
    are separated as in PATH), then `$BENCH_HOME/data`. A root elsewhere is its address."""
    given = _several(os.environ.get("BENCH_DATA", ""))
    roots: list[Path | str] = [r if is_address(r) else _root("BENCH_DATA", r) for r in given]
    return [*roots, home() / "data"]


def data_places(dataset: str) -> list[Path]:
    """Where a data set in its publisher's layout is looked for on this machine, in the order of
    `data_roots`. What lies elsewhere is kept in `$BENCH_HOME/cache` once it was fetched."""
    return [(kept(r) if isinstance(r, str) else r) / dataset for r in data_roots()]


def kept(address: str) -> Path:
    """Where what is fetched from an address is kept.

    Example: for "s3://bucket/sets" a folder `cache/s3-bucket-sets-` and eight digits.
    """
    name = re.sub(r"[^A-Za-z0-9.]+", "-", shown(address)).strip("-.")[:60]
    digest = hashlib.sha256(address.rstrip("/").encode()).hexdigest()[:8]
    return home() / "cache" / f"{name}-{digest}"


def shown(address: str) -> str:
    """An address as it may be printed: without the name and the password that it may hold.

    >>> shown("ftp://user:secret@host/sets/")
    'ftp://host/sets'
    """
    return re.sub(r"(?<=://)[^/@]*@", "", address).rstrip("/")


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
