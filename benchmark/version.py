"""The version of bench, by itself, so that any room may know it; and those of installed packages."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__version__ = "0.1.0"


def installed(distribution: str) -> str:
    """The version of an installed package; empty where there is none, or none that can be read.

    A folder of metadata that an uninstall left behind has no version, which `importlib` gives as None.

    Example: `installed("numpy")` is like "2.4.6", `installed("nosuch")` "".
    """
    try:
        return version(distribution) or ""
    except (PackageNotFoundError, ValueError, KeyError):
        return ""
