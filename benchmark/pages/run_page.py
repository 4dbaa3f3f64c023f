"""The page of a run: numbers, curves, cost, pictures, how it was obtained; on the site and by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from benchmark.boards.pictures import Picture, pictures_of, run_folder
from benchmark.boards.rows import Row, variant_name
from benchmark.contracts.errors import BenchError
from benchmark.datasets.places import spec_of
from benchmark.files import write_text
from benchmark.image_files import decode
from benchmark.pages.boards import Board
from benchmark.pages.charts import attributes_of, charts_of
from benchmark.pages.prose import capital
from benchmark.pages.rendering import asset, environment
from benchmark.protocols import Protocol
from benchmark.records.model import External, PluginCode, Record
from benchmark.runner.request import command
from benchmark.settings import flat, settings_words, word


def run_page(record: Record, board: Board, *, private: bool = False) -> dict[str, Any]:
    """The values of `run.html` on the site, where pictures are shown that may be."""
    return {
        **_values(record, board.name),
        "title": capital(board.protocol.title),
        "href": board.href,
        "place": place(record, board),
        "pictures": [
            (picture, f"{record.run_id}-{picture.name}.jpg")
            for picture in shown_pictures(record, board.protocol, private=private)
        ],
        "private": private,
        "forbidding": forbidding(record, board.protocol),
    }


def write_page(record: Record, folder: Path) -> Path:
    """Write `page.html` into the run's folder: it stands alone, beside its pictures and its record."""
    name = f"{record.protocol.id}@{record.protocol.version}"
    values = {
        **_values(record, f"{name} (twin)" if record.protocol.twin else name),
        "pictures": [(p, f"pictures/{p.path.name}") for p in pictures_of(record, folder)],
        "css": Markup(asset("site.css")),  # a file of bench
        "up": "",
        "crumbs": (),
    }
    target = folder / "page.html"
    write_text(target, environment().get_template("run.html").render(values))
    return target


def _values(record: Record, name: str) -> dict[str, Any]:
    return {
        "r": record,
        "name": name,
        "charts": [(title, svg, "") for title, svg in charts_of(record)],
        "by_attribute": linearity_table(record),
        "variant": variant_name(record),
        "given": settings_words(record.method.settings_given),
        "defaults": defaults(record),
        "facts": facts(record),
        "commit": record.code.commit,
        "command": command(record),
        "downloads": downloads(record),
    }


@dataclass(frozen=True)
class Place:
    """Where a run stands on its board: its row, the other runs of it as (seed, run, value), the best
    floor, and the run before and after it."""

    row: Row
    seeds: list[tuple[int, str, float]]
    floor: Row | None
    gain: float | None
    before: str
    after: str


def place(record: Record, board: Board) -> Place | None:
    """The run's place on `board`; None where it makes no row."""
    row = board.row.get(record.run_id)
    if row is None:
        return None
    values = [board.record[run].headline.value for run in row.runs]
    at, floor = row.runs.index(record.run_id), board.best("floor")
    comparable = floor is not None and floor.scored_on == row.scored_on and floor is not row
    sign = 1 if record.headline.better == "lower" else -1
    return Place(
        row,
        list(zip(row.seeds, row.runs, values, strict=True)),
        floor if comparable else None,
        sign * (floor.value - record.headline.value) if floor and comparable else None,
        row.runs[at - 1] if at else "",
        row.runs[at + 1] if at + 1 < len(row.runs) else "",
    )


def defaults(record: Record) -> list[str]:
    """The settings that were not given, as words: those of the preset and of the method."""
    given = flat(record.method.settings_given)
    settings = flat(record.method.settings)
    return [word(name, value) for name, value in settings.items() if name not in given]


def downloads(record: Record) -> list[str]:
    """The commands that fetch the data which this run needs, where bench may fetch it."""
    if record.protocol.twin:
        return []
    names = dict.fromkeys(part.split.partition(":")[0] for part in record.data.values())
    return [f"bench data get {name}" for name in names if _downloadable(name)]


def _downloadable(name: str) -> bool:
    try:
        return spec_of(name).downloadable
    except BenchError:
        return False


def linearity_table(record: Record) -> list[tuple[str, list[float]]]:
    """Rows of the linearity of each attribute: its name and a value for each variant, in the order in
    which the record names these; empty where none was measured."""
    table = record.probe.get("linearity_by_attribute")
    if not table:
        return []
    columns = zip(*table.values(), strict=True)
    return [(n, list(values)) for n, values in zip(attributes_of(record), columns, strict=True)]


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


def _code_of(plugin: PluginCode | None) -> str:
    if plugin is None:
        return ""
    commit = f", commit {plugin.commit[:12]}" if plugin.commit else ""
    changed = " (changed)" if plugin.dirty else ""
    return f"{plugin.distribution} {plugin.version}{commit}{changed}, files {plugin.digest[:16]}"


def _file_of(external: External | None) -> list[tuple[str, str]]:
    if external is None:
        return []
    file = f"{external.file}, {external.bytes:,} bytes, sha256 {external.sha256[:16]}"
    return [("scored from a file", file), ("which was made by", external.made_by)]


def facts(record: Record) -> list[tuple[str, str]]:
    """How a number was obtained, in pairs of words; what a record has nothing to say of is left out."""
    found = [
        ("run", record.run_id),
        ("fit", record.fit_id),
        *([("scored again from", record.parent)] if record.parent else []),
        ("preset", record.method.preset),
        ("supervision", record.method.supervision),
        ("pretrained weights", ", ".join(p["name"] for p in record.method.pretrained) or "none"),
        ("protocol digest", record.protocol.digest),
        *_file_of(record.external),
        *(
            (f"data {n}", f"{d.split}, {d.images} images, pixels {d.pixels[:16]}")
            for n, d in record.data.items()
        ),
        ("code", f"{record.code.commit[:12]}{' (changed)' if record.code.dirty else ''}"),
        ("code of the method", _code_of(record.code.plugin)),
        ("packages", ", ".join(f"{k} {v}" for k, v in record.packages.items())),
        ("notes", "; ".join(record.notes)),
        ("finished", record.finished),
    ]
    return [(name, value) for name, value in found if value]
