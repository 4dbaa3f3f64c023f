"""What the page of a run says: its numbers, curves, cost, pictures that may be shown, its record."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from benchmark.boards.pictures import Picture, pictures_of, run_folder
from benchmark.datasets.places import spec_of
from benchmark.image_files import decode
from benchmark.pages.boards import Board
from benchmark.pages.charts import charts_of
from benchmark.pages.page import facts
from benchmark.protocols import Protocol
from benchmark.records.model import External, Record
from benchmark.runner.plan import Request

COST = {"time", "throughput", "peak memory", "hardware"}


def run_page(record: Record, board: Board, *, private: bool = False) -> dict[str, Any]:
    """The values of `run.html`."""
    return {
        "r": record,
        "board": board,
        "charts": [(title, svg, "") for title, svg in charts_of(record)],
        "pictures": shown_pictures(record, board.protocol, private=private),
        "private": private,
        "forbidding": forbidding(record, board.protocol),
        "facts": [fact for fact in facts(record) if fact[0] not in COST],
        "command": command(record),
    }


def forbidding(record: Record, protocol: Protocol) -> list[str]:
    """The data sets whose terms do not let pictures of this run be shown; none for twins."""
    if record.protocol.twin:
        return []
    return [name for name in protocol.data.datasets() if not spec_of(name).publishable]


def shown_pictures(record: Record, protocol: Protocol, *, private: bool = False) -> list[Picture]:
    """The pictures that lie in the run's folder on this machine, if they may be shown: published, or,
    if the site is `private`, at all."""
    if forbidding(record, protocol) and not private:
        return []
    return pictures_of(record, run_folder(record))


def as_jpeg(picture: Path, target: Path) -> None:
    """A smaller copy of a PNG, for the site."""
    decode(picture, "RGB").save(target, "JPEG", quality=82, optimize=True)


def command(record: Record) -> str:
    """The words that make this run again."""
    if record.external is not None:
        return _scoring(record, record.external)
    method, protocol = record.method, record.protocol
    request = Request(
        method.id,
        f"{protocol.id}@{protocol.version}",
        preset=method.preset,
        given=method.settings_given,
        seed=record.seed,
        twin=protocol.twin,
        on=protocol.on,
    )
    return shlex.join(["bench", *request.words()])


def _scoring(record: Record, file: External) -> str:
    """The same where a file was scored, which whoever made it has."""
    protocol = f"{record.protocol.id}@{record.protocol.version}"
    words = ["bench", "score", "--protocol", protocol, "--predictions", shlex.quote(file.file)]
    words += ["--name", record.method.id, "--made-by", shlex.quote(file.made_by)]
    words += ["--supervision", record.method.supervision, "--seed", str(record.seed)]
    return " ".join(words + ["--twin"] * record.protocol.twin)
