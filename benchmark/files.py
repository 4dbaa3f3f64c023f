"""Writing whole or not at all: a new file or folder appears under its name only when it is complete."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from filelock import FileLock, Timeout

from benchmark.contracts.errors import DataAltered, DiskFull
from benchmark.contracts.machine_errors import FREE, machine_error

if TYPE_CHECKING:
    import numpy as np

ALMOST_FULL = 2**20  # bytes
SPARE = 2**28  # bytes that are to stay free
UNFOLDED = 2**28  # bytes that the arrays beside a record may take in memory


def read_json(path: Path, cure: str, *keys: str) -> Any:
    """Read JSON that bench itself wrote, a table that has these keys where some are named; damage is an
    error with the given cure."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataAltered(f"{path} can't be read: {error}", cure=cure) from None
    for key in keys:
        if not isinstance(found, dict) or key not in found:
            raise DataAltered(f"{path} can't be read: it has no {key!r}", cure=cure)
    return found


def listed(folder: Path, pattern: str) -> list[Path]:
    """What matches below a folder, sorted, without hidden names: those that begin with a dot are
    half-written, or another program's.

    Example: `listed(leaderboards(), "**/*.json")` are the records of all boards.
    """
    found = folder.glob(pattern)
    return sorted(p for p in found if not any(w[0] == "." for w in p.relative_to(folder).parts))


def sweep(folder: Path, begins: str = ".") -> None:
    """Remove what killed processes left half-written in a folder: names that begin so, locks apart."""
    for left in folder.glob(f"{begins}*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        elif left.suffix != ".lock":
            left.unlink(missing_ok=True)


def sweep_beside(path: Path) -> None:
    """Remove what killed writers of `path`, and of files with its stem beside it, left half-written."""
    sweep(path.parent, f".{path.stem}.")


def held(lock: Path, *, wait: bool = True) -> AbstractContextManager[object]:
    """Hold a lock until the block ends; while another process does, `wait` or raise `filelock.Timeout`.

    Raises `MachineError` where the disk knows no locks. To take the file itself for one instead would
    wait for ever on those that ended processes left behind.

    Example: `with held(Path(f"{folder}.lock")): …`.
    """
    try:
        return FileLock(lock, fallback_to_soft=False).acquire(timeout=-1 if wait else 0)
    except Timeout:
        raise
    except OSError as error:
        raise machine_error(error, lock) or error from None


def made_once(
    path: Path, make: Callable[[], object], is_made: Callable[[], bool] | None = None
) -> Path:
    """`path`, which `make` writes whole where it is not there; of processes that want it, one makes it.

    `is_made` says whether it is there as it should be (default: whether it exists). What killed makers
    left beside it, under names that begin with a dot and its own, is removed first.

    Example: `made_once(home() / "weights" / name, download)`.
    """
    is_made = is_made or path.exists
    if not is_made():
        path.parent.mkdir(parents=True, exist_ok=True)
        with held(path.parent / f".{path.name}.lock"):
            if not is_made():  # another process may have been faster
                sweep(path.parent, f".{path.name}.")
                make()
    return path


@contextmanager
def one_writer(path: Path) -> Iterator[None]:
    """Let one process at a time write `path` and the files beside it with the same stem.

    The lock is a file beside `path`, so that machines which share the folder take turns too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with held(path.parent / f".{path.stem}.lock"):
        sweep_beside(path)
        yield


@contextmanager
def naming_a_full_disk(path: Path) -> Iterator[None]:
    """Turn "no space left" into an error that says where and what to do."""
    try:
        yield
    except OSError as error:
        if isinstance(full := machine_error(error, path), DiskFull):
            raise DiskFull(f"no room left to write {path}", cure=full.cure) from None
        raise
    except RuntimeError:
        # torch's writers say nothing of the kind of error, so ask the disk
        if shutil.disk_usage(path.parent).free < ALMOST_FULL:
            raise DiskFull(f"no room left to write {path}", cure=FREE) from None
        raise


def require_place(folder: Path) -> None:
    """Refuse a folder in which nothing can be written, or made where it is not there yet; makes none.

    Raises `MachineError`, before hours of work whose outcome could not be kept.
    """
    there = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    if not there.is_dir():
        refused: OSError = NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(there))
    elif not os.access(there, os.W_OK | os.X_OK):
        refused = PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(there))
    else:
        return
    raise machine_error(refused) or refused


def require_room(folder: Path, size: int, what: str) -> None:
    """Refuse to begin `size` bytes that a folder's disk has no room for; raises `DiskFull`."""
    free = shutil.disk_usage(folder).free
    if free < size + SPARE:
        raise DiskFull(
            f"{what} need {size / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free at {folder}",
            cure="point BENCH_HOME at a larger disk, or ask for less (a smaller dimension, say)",
        )


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; move it there when the block ends without an error.

    Who may read and write it is what the umask and the folder say, as for any other new file.
    """
    with naming_a_full_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _beside(path)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        try:
            yield temporary
            _onto_the_disk(temporary)
            temporary.replace(path)
            _onto_the_disk(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path`; move it there when the block ends without an error.

    A folder already at `path` is replaced. Rights are those of `whole_file`.
    """
    with naming_a_full_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _beside(path)
        temporary.mkdir()
        try:
            yield temporary
            for written in (*temporary.rglob("*"), temporary):
                if not written.is_symlink():
                    _onto_the_disk(written)
            if path.exists():
                shutil.rmtree(path)
            temporary.replace(path)
            _onto_the_disk(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _beside(path: Path) -> Path:
    """A name of its own beside `path`, by which `sweep_beside` knows what was left half-written."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


def _onto_the_disk(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, would outlast a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole."""
    with whole_file(path) as temporary:
        temporary.write_text(text, "utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole: two spaces, keys as given, NaN refused, a newline at the end."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


class _Written:
    """A file of which NumPy knows `write` alone: into one that it knows better it writes by C's buffers,
    and says nothing where the last of them did not fit on the disk."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write


def save_array(path: Path, array: np.ndarray) -> None:
    """Write an array as `numpy.save` does, or fail where the disk does not take all of it.

    Example: `save_array(folder / "points.npy", points)`.
    """
    import numpy as np

    with path.open("wb") as file:
        np.lib.format.write_array(_Written(file), np.asanyarray(array), allow_pickle=False)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz by name, of numbers or booleans alone; nothing is unpickled, and what would
    unfold to more than `UNFOLDED` bytes is refused before it is read. Raises `DataAltered`."""
    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > UNFOLDED:
            raise DataAltered(f"{path} would unfold to {size:,} bytes; {UNFOLDED:,} are allowed")
        with np.load(path, allow_pickle=False) as members:
            arrays = {name: members[name] for name in members.files}
    # what a file that anybody may have made brings up, from a wrong password to an endless shape
    except (OSError, EOFError, ValueError, TypeError, KeyError, RuntimeError, MemoryError,
            zipfile.BadZipFile, zlib.error) as error:  # fmt: skip
        raise DataAltered(f"{path} can't be read: {error}", cure="restore it from git") from None
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
            raise DataAltered(f"{path} can't be read: {name} is no array of numbers")
    return arrays


def file_sha256(path: Path) -> str:
    """sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
