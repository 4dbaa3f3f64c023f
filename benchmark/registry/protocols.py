"""Protocols by name: bench's own and those that plugins bring."""

from __future__ import annotations

from pathlib import Path

from benchmark.protocols.files import Broken, find_in, path_in, protocol_files, protocols_in
from benchmark.protocols.model import Protocol
from benchmark.protocols.papers import broken_files
from benchmark.registry.plugins import plugins


def protocol_folders() -> tuple[Path, ...]:
    """The folder of bench's own and those that plugins register."""
    return tuple(plugins().protocol_folders)


def known_files() -> dict[str, Path]:
    """`id@version` → file, of all folders."""
    return protocol_files(protocol_folders())


def all_protocols() -> list[Protocol]:
    """Every version of every protocol that can be read: not `all_broken`."""
    return protocols_in(protocol_folders())


def all_broken() -> list[Broken]:
    """Every file of these folders that is refused alone."""
    return broken_files(protocol_folders())


def find_protocol(name: str) -> Protocol:
    """The protocol `id` (its newest version) or `id@version`; a frozen one is checked against the lock.

    Example: `find_protocol("mafl").name` is "mafl@2".
    """
    return find_in(protocol_folders(), name)


def protocol_path(name: str) -> Path:
    """The file of `id` (its newest version) or `id@version`."""
    return path_in(protocol_folders(), name)
