"""A run on a node of a cluster: executed there, what it says told home, its record brought home.

A node that sees the launch's folder shares `$BENCH_HOME` with the machine that launched, and writes
where that one would. Any other keeps its own data, fits and runs; of those come home the record and the
small files beside it.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from benchmark.files import listed
from benchmark.launch.child import Child

Home = Literal["auto", "shared", "own"]
HERE_ALONE = ("BENCH_HOME", "BENCH_DATA", "BENCH_WEIGHTS", "BENCH_LEADERBOARDS")
"""What says where things lie on one machine, and nothing to another."""

EVERY_SECONDS = 0.5
TOKEN = "token"


@dataclass(frozen=True)
class Order:
    """What a node is asked to do: the words after `bench`, and what it is to know of who launched.

    `folder` is the launch's, which holds `token` where the node sees it; `variables` are those of bench.
    """

    words: Sequence[str]
    folder: str
    token: str
    variables: Mapping[str, str]
    home: Home


def execute(order: Order) -> Iterator[dict[str, Any]]:
    """Execute a run; gives what is told home: where it began, what its log says, how it ended."""
    shared = order.home == "shared" or (order.home == "auto" and _sees(order))
    variables = dict(order.variables)
    with TemporaryDirectory(prefix="bench-") as scratch:
        if not shared:
            variables = {k: v for k, v in variables.items() if k not in HERE_ALONE}
            # a board of its own: what lies in it afterwards is this run's
            variables["BENCH_LEADERBOARDS"] = str(Path(scratch) / "leaderboards")
        yield {"kind": "begun", "where": f"{socket.gethostname()}:{os.getpid()}"}
        log = Path(scratch) / "run.log"
        child = Child([sys.executable, "-m", "benchmark", *order.words], log, variables)
        try:
            told = 0
            while (code := child.poll()) is None:
                if new := _from(log, told):
                    told += len(new)
                    yield {"kind": "said", "text": new}
                time.sleep(EVERY_SECONDS)
            if new := _from(log, told):
                yield {"kind": "said", "text": new}
            brought = {} if shared or code else _files(Path(scratch) / "leaderboards")
            yield {"kind": "ended", "code": code, "output": child.output(), "files": brought}
        finally:
            child.end()


def _sees(order: Order) -> bool:
    try:
        return (Path(order.folder) / TOKEN).read_text("ascii") == order.token
    except OSError:
        return False


def _from(path: Path, position: int) -> bytes:
    with path.open("rb") as file:
        file.seek(position)
        return file.read()


def _files(board: Path) -> dict[str, bytes]:
    """The record that a run has left on a board of its own, and the files beside it, by name."""
    return {
        path.name: path.read_bytes()
        for record in listed(board, "**/*.json")
        for path in [*record.parent.glob(f"{record.stem}.*")]
    }
