"""A protocol named by the path of its file, while somebody writes it: known in this process alone.

What is run under it stands on no board. Its digest tells its runs from those of any other content.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmark.protocols.model import Protocol

DRAFT = "under a draft: "
"""How the note of a record begins that says so."""

_files: dict[str, tuple[Path, Protocol]] = {}


def is_path(name: str) -> bool:
    """Whether a protocol is named by its file.

    >>> is_path("drafts/faces.toml"), is_path("ytf5@1")
    (True, False)
    """
    return name.endswith(".toml")


def add_draft(path: Path, protocol: Protocol) -> None:
    """From now on `protocol.name`, which is no installed protocol's, is this one."""
    _files[protocol.name] = (path, protocol)


def drafts() -> Mapping[str, tuple[Path, Protocol]]:
    """`id@version` → file and content of the drafts that were named by their path."""
    return _files


def is_draft(name: str) -> bool:
    """Whether `id@version` is such a draft."""
    return name in _files
