"""What the machine refuses (rights, room, limits), in a sentence with the path and a cure.

The one place that reads the system's error numbers: whoever writes lets `OSError` pass or asks here, and
the command line asks for whatever reaches it.
"""

from __future__ import annotations

import errno
import os

from benchmark.contracts.errors import BenchError, DiskFull

PLACES = "BENCH_HOME, BENCH_LEADERBOARDS, BENCH_DATA or TMPDIR"
"""The variables that lead to the folders in which bench reads and writes."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FREE = (
    f"free some space there, or point what leads there ({PLACES}) at a larger disk; then run the same "
    "command again, it continues where it stopped"
)

RIGHTS = "change its rights (chmod, chown), or point {} elsewhere"

REFUSED: dict[int, tuple[str, str]] = {
    errno.EACCES: ("may not be used by you", RIGHTS),
    errno.EPERM: ("may not be changed by you", RIGHTS),
    errno.EROFS: ("lies on a disk that can only be read", "point {} at a folder that can be written"),
    errno.ENOTDIR: ("leads through a file where a folder should be", "move that file, or mend {}"),
    errno.EISDIR: ("is a folder where a file should be", "move that folder away"),
    errno.ENAMETOOLONG: ("is longer than this disk allows", "point {} at a shorter path"),
    errno.ELOOP: ("is a link that leads in a circle", "mend the link"),
    errno.EIO: ("can't be read or written: the disk fails", "see the system's log"),
    errno.ESTALE: ("was lost by the network disk", "mount the disk again"),
    errno.ENOLCK: ("can't be locked: its disk has no locks left", "point {} at another disk"),
    errno.ENOSYS: ("lies on a disk that lacks what bench needs (locks)", "point {} at another disk"),
    errno.EMFILE: ("can't be opened: too many files are open", "raise the limit: ulimit -n 4096"),
    errno.ENFILE: ("can't be opened: too many files are open on this machine", "close other programs"),
}  # fmt: skip
"""By error number: what is wrong with the path, and the cure, in which {} stands for the variables."""

NO_MEMORY = "close other programs, or ask for less at a time (a smaller batch or size)"


class MachineError(BenchError):
    """The machine refuses: no right, no such disk, no memory."""


def machine_error(error: BaseException, path: object = None) -> BenchError | None:
    """The error of bench that says the same as one of the system's; None for any other.

    `path` stands in where the error names none.

    >>> machine_error(PermissionError(13, "Permission denied", "/disk")).message
    '/disk may not be used by you (Permission denied)'
    >>> machine_error(ValueError("a fault")) is None
    True
    """
    if isinstance(error, MemoryError):
        return MachineError("this machine has no memory left", cure=NO_MEMORY)
    if not isinstance(error, OSError):
        return None
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else path
    where = "a file" if place is None else str(place)
    if error.errno in FULL or _cut_short(error):
        return DiskFull(f"no room left to write {where}", cure=FREE)
    if error.errno == errno.ENOMEM:
        return MachineError("this machine has no memory left", cure=NO_MEMORY)
    if error.errno not in REFUSED:
        return None
    what, cure = REFUSED[error.errno]
    return MachineError(f"{where} {what} ({error.strerror})", cure=cure.format(PLACES))


def _cut_short(error: OSError) -> bool:
    """NumPy's own error where the disk took a part of an array: "12000 requested and 3040 written"."""
    return error.errno is None and "requested and" in str(error) and "written" in str(error)
