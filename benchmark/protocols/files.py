"""Protocol files: found, read, checked against the digests that were frozen."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from benchmark.contracts.errors import BenchError, DataAltered, UnknownName
from benchmark.home import builtin_folder
from benchmark.protocols.model import Protocol

LOCK = "digests.lock"


class ProtocolInvalid(BenchError):
    """A protocol file does not say what a protocol must say, or was altered after it was frozen."""

    exit_code = 11


def read_protocol(path: Path) -> Protocol:
    """Read and check one file; its place must say the same id and version as its content."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        protocol = Protocol.model_validate(content)
    except tomllib.TOMLDecodeError as error:
        raise ProtocolInvalid(f"{path} is not TOML: {error}") from None
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(p) for p in e['loc']) or 'protocol'}: {e['msg']}"
            for e in error.errors()
        )
        raise ProtocolInvalid(f"{path}: {faults}") from None
    if (protocol.id, str(protocol.version)) != (path.parent.name, path.stem):
        raise ProtocolInvalid(
            f"{path} says {protocol.name}", cure=f"move it to {protocol.id}/{protocol.version}.toml"
        )
    return protocol


def protocol_files(folders: tuple[Path, ...]) -> dict[str, Path]:
    """`id@version` → file, for all folders, sorted."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in folder.glob("*/*.toml"):
            if path.stem.isdecimal():
                found.setdefault(f"{path.parent.name}@{path.stem}", path)
    return dict(sorted(found.items(), key=lambda kv: (kv[1].parent.name, int(kv[1].stem))))


@cache
def _read_cached(path: Path) -> Protocol:
    return read_protocol(path)


def protocol_folders() -> tuple[Path, ...]:
    """The built-in folder and those that plugins register."""
    from benchmark.plugins import plugins

    return (builtin_folder(), *plugins().protocol_folders)


def all_protocols() -> list[Protocol]:
    """Every version of every protocol."""
    return [_read_cached(path) for path in protocol_files(protocol_folders()).values()]


def protocol_path(name: str) -> Path:
    """The file of `id` (its newest version) or `id@version`."""
    files = protocol_files(protocol_folders())
    if name in files:
        return files[name]
    versions = [n for n in files if n.partition("@")[0] == name]
    if versions:
        return files[versions[-1]]
    base = name.partition("@")[0]
    others = [n for n in files if n.partition("@")[0] == base]
    if others:
        raise UnknownName("protocol version", name, others)
    raise UnknownName("protocol", name, {n.partition("@")[0] for n in files})


def find_protocol(name: str) -> Protocol:
    """The protocol `id` or `id@version`; what was frozen is checked against the lock."""
    path = protocol_path(name)
    protocol = _read_cached(path)
    lock = read_lock(path.parent.parent)
    frozen = lock.get(protocol.name)
    if frozen is not None and frozen != protocol.digest():
        raise DataAltered(
            f"protocol {protocol.name} was changed after it was frozen: digest "
            f"{protocol.digest()[:12]}, frozen {frozen[:12]}",
            cure="undo the change, or make it a new version that names what it supersedes",
        )
    return protocol


def is_frozen(name: str) -> bool:
    """Whether the content of `id@version` can't change any more; a draft's may."""
    return name in read_lock(protocol_path(name).parent.parent)


def read_lock(folder: Path) -> dict[str, str]:
    """The frozen digests of a protocols folder."""
    path = folder / LOCK
    if not path.exists():
        return {}
    lines = (line.split() for line in path.read_text("utf-8").splitlines() if line.strip())
    return {parts[0]: parts[1] for parts in lines}


def freeze(folder: Path, also: Mapping[str, str] | None = None) -> list[str]:
    """Add digests not yet in the lock (of versions, and those of `also`); return their names.

    What is frozen is never touched.
    """
    lock = read_lock(folder)
    files = protocol_files((folder,))
    digests = {name: read_protocol(path).digest() for name, path in files.items()} | dict(
        also or {}
    )
    added = [name for name in digests if name not in lock]
    lock |= {name: digests[name] for name in added}
    text = "".join(f"{name} {digest}\n" for name, digest in sorted(lock.items()))
    (folder / LOCK).write_text(text, "utf-8")
    return added
