"""Protocol files: found, read, checked against the digests that were frozen."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from benchmark.contracts.errors import BenchError, DataAltered, UnknownName
from benchmark.contracts.names import LONGEST_LINE, is_version, shown
from benchmark.files import write_text
from benchmark.protocols.model import Protocol, ProtocolInvalid

LOCK = "digests.lock"
DIGEST = re.compile(r"[0-9a-f]{64}")
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Broken:
    """A file in a folder of protocols that is refused alone: what it would be, and why it is not."""

    name: str
    path: Path
    error: BenchError

    @property
    def reason(self) -> str:
        """Why, in one line that may be printed, whatever the file says."""
        return shown(self.error.message, quote=False, most=LONGEST_LINE)


def read_protocol(path: Path) -> Protocol:
    """Read and check one file; its place must say the same id and version as its content."""
    protocol = read_model(path, Protocol)
    if (protocol.id, str(protocol.version)) != (path.parent.name, path.stem):
        raise ProtocolInvalid(
            f"{path} says {protocol.name}", cure=f"move it to {protocol.id}/{protocol.version}.toml"
        )
    protocol.read_from(path)
    return protocol


def read_model(path: Path, model: type[Model]) -> Model:
    """What a TOML file says, checked; raises `ProtocolInvalid` with everything that is wrong with it."""
    try:
        return model.model_validate(tomllib.loads(path.read_text("utf-8"), parse_float=_finite))
    except OSError as error:
        raise ProtocolInvalid(f"{path} can't be read: {error.strerror}") from None
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(p) for p in e['loc']) or model.__name__.lower()}: {e['msg']}"
            for e in error.errors()
        )
        raise ProtocolInvalid(f"{path}: {faults}") from None
    except (ValueError, RecursionError) as error:
        raise ProtocolInvalid(f"{path} is not TOML: {error}") from None


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is no number that a protocol may name")
    return number


def protocol_files(folders: tuple[Path, ...]) -> dict[str, Path]:
    """`id@version` → file, for all folders, sorted."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in folder.glob("*/*.toml"):
            if is_version(path):
                found.setdefault(f"{path.parent.name}@{path.stem}", path)
    return dict(sorted(found.items(), key=lambda kv: (kv[1].parent.name, int(kv[1].stem))))


@cache
def _read_cached(path: Path) -> Protocol:
    return read_protocol(path)


def protocols_in(folders: tuple[Path, ...]) -> list[Protocol]:
    """Every version of every protocol of these folders that can be read: not `broken_protocols`."""
    return [p for p in map(_readable, protocol_files(folders).values()) if p is not None]


def _readable(path: Path) -> Protocol | None:
    try:
        return _read_cached(path)
    except ProtocolInvalid:
        return None


def broken_protocols(folders: tuple[Path, ...]) -> list[Broken]:
    """What is refused alone in these folders: protocols and locks."""
    found = []
    for folder in folders:
        for name, path in {**protocol_files((folder,)), LOCK: folder / LOCK}.items():
            try:
                read_lock(folder) if name == LOCK else _read_cached(path)
            except ProtocolInvalid as error:
                found.append(Broken(name, path, error))
    return found


def path_in(folders: tuple[Path, ...], name: str) -> Path:
    """The file of `id` (its newest version) or `id@version` in these folders."""
    files = protocol_files(folders)
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


def find_in(folders: tuple[Path, ...], name: str) -> Protocol:
    """The protocol `id` or `id@version`; what was frozen is checked against the lock."""
    path = path_in(folders, name)
    protocol = _read_cached(path)
    frozen = lock_of(protocol).get(protocol.name)
    if frozen is not None and frozen != protocol.digest():
        raise DataAltered(
            f"protocol {protocol.name} was changed after it was frozen: digest "
            f"{protocol.digest()[:12]}, frozen {frozen[:12]}",
            cure="undo the change, or make it a new version that names what it supersedes",
        )
    return protocol


def versions_of(protocol: Protocol) -> list[Protocol]:
    """All versions of its id that lie beside it and can be read, the newest last."""
    files = sorted(filter(is_version, protocol.path.parent.iterdir()), key=lambda p: int(p.stem))
    return [p for p in map(_readable, files) if p is not None] or [protocol]


def is_frozen(protocol: Protocol) -> bool:
    """Whether its content can't change any more; a draft's may."""
    return protocol.name in lock_of(protocol)


def lock_of(protocol: Protocol) -> dict[str, str]:
    """The frozen digests of the folder that it lies in; none for a file that lies elsewhere."""
    path = protocol.path
    if (path.parent.name, path.stem) != (protocol.id, str(protocol.version)):
        return {}
    return read_lock(path.parent.parent)


def read_lock(folder: Path) -> dict[str, str]:
    """The frozen digests of a folder of protocols, by name.

    A line holds what is frozen ("id@version", or "probe:name" for the constants of a probe), a space
    and its sha256. Raises `ProtocolInvalid` for any other line.
    """
    path = folder / LOCK
    if not path.exists():
        return {}
    frozen: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
        name, _, digest = line.partition(" ")
        if line and (not DIGEST.fullmatch(digest) or name in frozen):
            raise ProtocolInvalid(
                f"{path}, line {number}: expected a name that is frozen once, a space and a sha256 of "
                f"64 hexadecimal digits, got {shown(line)}",
                cure="restore the file as it was committed",
            )
        if line:
            frozen[name] = digest
    return frozen


def freeze(folder: Path, digests: Mapping[str, str]) -> list[str]:
    """Add those digests that are not yet in the folder's lock; return their names.

    What is frozen is never touched, and where nothing is new neither is the file.
    """
    lock = read_lock(folder)
    added = [name for name in digests if name not in lock]
    if added:
        lock |= {name: digests[name] for name in added}
        text = "".join(f"{name} {digest}\n" for name, digest in sorted(lock.items()))
        try:
            write_text(folder / LOCK, text)
        except OSError as error:
            raise ProtocolInvalid(
                f"{folder / LOCK} can't be written: {error.strerror}",
                cure="freeze in a checkout that you may write to (pip install -e), and commit the file",
            ) from None
    return added
