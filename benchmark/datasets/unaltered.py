"""Files that were hashed once are not hashed again while their sizes and times stay the same.

A prepared split can hold gigabytes, and every run asks whether it is what it was. `verified.json` beside
its files says which sizes and times they had when their digests were last found right; after any write
they are hashed anew. The time of the last change of status is one of them: unlike that of the content it
can't be put back. What a disk loses by itself only reading all of it tells (`bench verify --data`,
`bench data prepare`).
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from benchmark.files import sweep_beside, write_json

NAME = "verified.json"

State = dict[str, list[int]]


def state_of(folder: Path) -> State:
    """Size in bytes and times of the last changes in nanoseconds of each file of a folder but `NAME`."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name != NAME and not path.name.startswith("."):
            status = path.stat()
            found[path.name] = [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    return found


def known(folder: Path) -> State | None:
    """The state in which the digests were last found right, None where none was."""
    try:
        found = json.loads((folder / NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def remember(folder: Path, state: State) -> None:
    """Say that the digests were right in this state, asked for before they were computed."""
    # where nothing may be written, it is only asked again
    with contextlib.suppress(OSError):
        sweep_beside(folder / NAME)
        write_json(folder / NAME, state)
