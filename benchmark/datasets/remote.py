"""Data sets in object stores: fetched through fsspec, kept on this machine, fetched again where changed.

A data set is fetched when it is to be prepared or verified; what is prepared needs it no more. Each
object is kept under what tells it from its later versions: its path, its size and the store's tag (an
ETag, a checksum or a time). From these the folder of the data set is put together, whole or not at all,
so that readers see files like any others; what a killed fetch had is not fetched again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from benchmark.contracts.errors import BenchError, DataAltered, DataMissing, DiskFull
from benchmark.contracts.machine_errors import machine_error
from benchmark.files import held, require_room, whole_folder
from benchmark.home import shown
from benchmark.protocols import canonical_digest

TAGS = (
    "ETag",
    "etag",
    "md5Hash",
    "content_md5",
    "LastModified",
    "last_modified",
    "mtime",
    "created",
)
"""What file systems call what changes with an object's content, the surest first."""
AT_ONCE = 64
"""Objects asked for in one call; file systems that can fetch them side by side."""
Progress = Callable[[int, int], None]


def fetch_tree(address: str, place: Path, progress: Progress | None = None) -> None:
    """Have `place` hold what lies under `address` in a folder of its name; nothing where there is none.

    `progress(done, total)` counts objects. Raises `DataMissing` where fsspec, or its part for that kind
    of address, is not installed, where the store can't be asked, and for an object that went away;
    `DataAltered` for one of another size than the store says; `DiskFull`.

    Example: `fetch_tree("s3://bucket/sets", kept("s3://bucket/sets") / "ytf68")`.
    """
    system, root = _file_system(address)
    with _errors_of(f"{shown(address)}/{place.name}"):
        there = _listed(system, f"{root.rstrip('/')}/{place.name}")
    if not there:
        return
    objects = place.parent / ".objects" / place.name
    objects.mkdir(parents=True, exist_ok=True)
    with held(place.parent / f".{place.name}.lock"):
        wanted = {path: objects / digest for path, (_, _, digest) in there.items()}
        if _is_there(place, wanted) and all(_whole(wanted[p], there[p][1]) for p in wanted):
            return
        for left in place.parent.glob(f".{place.name}.{'?' * 8}"):
            shutil.rmtree(left, ignore_errors=True)
        missing = [path for path, kept in wanted.items() if not _whole(kept, there[path][1])]
        require_room(objects, sum(there[path][1] for path in missing), f"{len(missing):,} objects")
        for start in range(0, len(missing), AT_ONCE):
            some = missing[start : start + AT_ONCE]
            with _errors_of(f"{shown(address)}/{place.name}"):
                _fetch(system, {path: there[path] for path in some}, objects)
            if progress:
                progress(start + len(some), len(missing))
        with _errors_of(f"{shown(address)}/{place.name}"), whole_folder(place) as folder:
            for path, kept in wanted.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                _link(kept, folder / path)
        for earlier in set(objects.iterdir()) - set(wanted.values()):
            earlier.unlink()


Object = tuple[str, int, str]
"""Its name in the store, its size in bytes and the name under which it is kept."""


def _file_system(address: str) -> tuple[Any, str]:
    named = f"BENCH_DATA names {shown(address)}, which"
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise DataMissing(
            f"{named} is read through fsspec, and that is not installed",
            cure='pip install "structbench[remote]"',
        ) from None
    try:
        system, root = url_to_fs(address)
    except (ImportError, ValueError) as error:  # a part of its own for each kind of store
        raise DataMissing(
            f"{named} fsspec can't open: {error}",
            cure="install what it names (s3fs for s3://, gcsfs for gs://, adlfs for abfs://)",
        ) from None
    except Exception as error:  # some connect at once, and each raises errors of its own
        raise DataMissing(
            f"{named} can't be reached: {error or type(error).__name__}",
            cure="check the address, the network and the right to read; the same command then goes on",
        ) from error
    return system, root


def _listed(system: Any, root: str) -> dict[str, Object]:
    """All objects under a folder of the store, by their path in it, hidden ones left out."""
    system.invalidate_cache()
    try:
        listed = system.find(root, detail=True)
    except FileNotFoundError:
        return {}
    found: dict[str, Object] = {}
    for name, about in listed.items():
        path = PurePosixPath(name).relative_to(PurePosixPath(root)).as_posix()
        parts = path.split("/")
        if ".." in parts:
            raise DataAltered(f"{root} holds an object named {path!r}, which leads out of it")
        if any(part.startswith(".") for part in parts):
            continue
        tag = next((str(about[tag]) for tag in TAGS if about.get(tag)), "")
        size = int(about["size"] or 0)
        found[path] = (name, size, canonical_digest([name, size, tag])[:32])
    return found


def _fetch(system: Any, wanted: Mapping[str, Object], objects: Path) -> None:
    """Fetch objects to where they are kept, each whole."""
    halves = [objects / f".{digest}" for _, _, digest in wanted.values()]
    system.get([name for name, _, _ in wanted.values()], [str(half) for half in halves])
    for half, (path, (name, size, digest)) in zip(halves, wanted.items(), strict=True):
        if not half.is_file():
            raise FileNotFoundError(name)
        if half.stat().st_size != size:
            half.unlink()
            raise DataAltered(
                f"{path} came with other than the {size:,} bytes that the store says it has",
                cure="run the same command again; what came whole is kept",
            )
        half.chmod(
            0o444
        )  # the data set's file is the same one: what is written into it is lost to both
        half.replace(objects / digest)


@contextmanager
def _errors_of(place: str) -> Iterator[None]:
    """Say of what a store raises, whatever its kind, which place could not be read."""
    try:
        yield
    except BenchError:
        raise
    except Exception as error:
        if isinstance(full := machine_error(error), DiskFull):
            raise full from None
        gone = "this object is not there: " if isinstance(error, FileNotFoundError) else ""
        raise DataMissing(
            f"{place} can't be read: {gone}{error or type(error).__name__}",
            cure="check the address, the network and the right to read; the same command then goes on",
        ) from error


def _is_there(place: Path, wanted: Mapping[str, Path]) -> bool:
    """Whether the folder is put together of just these objects."""
    files = {p.relative_to(place).as_posix(): p for p in place.rglob("*") if p.is_file()}
    return files.keys() == wanted.keys() and all(
        kept.exists() and _same(files[path], kept) for path, kept in wanted.items()
    )


def _whole(kept: Path, size: int) -> bool:
    return kept.is_file() and kept.stat().st_size == size


def _same(file: Path, kept: Path) -> bool:
    one, other = file.stat(), kept.stat()
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def _link(kept: Path, file: Path) -> None:
    """The same bytes once on the disk, where it knows links."""
    try:
        os.link(kept, file)
    except OSError:
        shutil.copy2(kept, file)
