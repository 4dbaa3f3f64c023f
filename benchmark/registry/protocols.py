"""Protocols by name: bench's own and those that plugins bring."""

from __future__ import annotations

from pathlib import Path

from benchmark.protocols.files import (
    Broken,
    ProtocolInvalid,
    find_in,
    path_in,
    protocol_files,
    protocols_in,
    read_model,
)
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
    """The protocol `id` (its newest version), `id@version`, or that of a file while one writes it.

    A frozen one is checked against the lock. Example: `find_protocol("mafl").name` is "mafl@2".
    """
    if is_path(name):
        return _of_file(Path(name).absolute())
    return _drafts.get(name) or find_in(protocol_folders(), name)


def protocol_path(name: str) -> Path:
    """The file of `id` (its newest version), of `id@version`, or that itself."""
    if is_path(name) or name in _drafts:
        return find_protocol(name).path
    return path_in(protocol_folders(), name)


_drafts: dict[str, Protocol] = {}
"""Those that were named by their file in this process, by `id@version`."""


def is_path(name: str) -> bool:
    """Whether a protocol is named by its file.

    >>> is_path("drafts/faces.toml"), is_path("ytf5@1")
    (True, False)
    """
    return name.endswith(".toml")


def is_draft(protocol: Protocol) -> bool:
    """Whether it was named by its file: what is run under it stands on no board."""
    return protocol.name in _drafts


def _of_file(path: Path) -> Protocol:
    """The protocol of a file, from now on a draft; or the installed one that says the same.

    Raises `ProtocolInvalid` where an installed protocol of that name says something else.
    """
    protocol = read_model(path, Protocol)
    protocol.read_from(path)
    installed = known_files().get(protocol.name)
    if installed is None:
        _drafts[protocol.name] = protocol
        return protocol
    found = find_in(protocol_folders(), protocol.name)
    if protocol.digest() != found.digest():
        raise ProtocolInvalid(
            f"{path} says {protocol.name}, and {installed} says another thing under that name",
            cure="give the draft an id or a version of its own",
        )
    return found
