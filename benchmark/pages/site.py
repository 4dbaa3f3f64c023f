"""The static site: overview, boards, methods and runs as plain HTML that stands alone.

Everything that comes from a record or a plugin is escaped; charts are inline SVG; the one script
sorts and filters tables, and nothing needs it. Real boards, twins and boards that hold only what papers
report are kept apart.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import jinja2

from benchmark.boards.entries import Entry
from benchmark.boards.reported_tables import printed, words
from benchmark.boards.standings import KINDS
from benchmark.contracts.errors import InvalidInput
from benchmark.files import whole_folder
from benchmark.pages.board_page import board_page
from benchmark.pages.boards import Board, all_boards
from benchmark.pages.method_page import method_page
from benchmark.pages.run_page import as_jpeg, run_page, shown_pictures
from benchmark.plugins import plugins

Write = Callable[[Path], Any]
"""Writes one file of the site to the path given."""


def build_site(target: Path, progress: Callable[[int, int], None] | None = None) -> int:
    """Write the whole site into `target`, which appears complete or not at all; its number of files.

    A folder already there is replaced if it is a site or empty, else refused.
    """
    if target.exists() and any(target.iterdir()) and not (target / "site.css").exists():
        raise InvalidInput(
            f"{target} holds other things than a site of bench", cure="name a new or empty folder"
        )
    files = list(_files(all_boards()))
    with whole_folder(target) as folder:
        for done, (name, write) in enumerate(files, start=1):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path)
            if progress and (done % 1000 == 0 or done == len(files)):
                progress(done, len(files))
    return len(files)


def _files(boards: list[Board]) -> Iterable[tuple[str, Write]]:
    """Each file's place and the call that writes it, so that no two pages are in memory at once."""
    room = environment()

    def page(template: str, fill: Callable[[], dict[str, Any]], crumbs: Any, up: str) -> Write:
        def write(path: Path) -> None:
            text = room.get_template(template).render(**fill(), up=up, crumbs=crumbs)
            path.write_text(text, "utf-8")

        return write

    for asset in ("site.css", "site.js"):
        yield asset, partial(_write_asset, asset)
    yield "index.html", page("index.html", partial(_index, boards), (), "")
    for board in boards:
        crumbs: tuple[tuple[str, str], ...] = ((board.href, board.name),)
        yield board.href, page("board.html", partial(board_page, board, boards), crumbs, "../")
        for entry in board.entries:
            yield from _run_files(entry, board, page)
    methods = {row.method for board in boards for row in board.rows} | set(plugins().methods)
    for method in sorted(methods):
        href = f"methods/{method}.html"
        fill = partial(method_page, method, boards)
        yield href, page("method.html", fill, ((href, method),), "../")


def _run_files(
    entry: Entry, board: Board, page: Callable[..., Write]
) -> Iterable[tuple[str, Write]]:
    """A run's page, its record as it is, and its pictures."""
    run = entry.record.run_id
    href = f"runs/{run}.html"
    crumbs = ((f"{board.href}#{run}", board.name), (href, f"run {run[:8]}"))
    yield href, page("run.html", partial(run_page, entry.record, board), crumbs, "../")
    yield f"runs/{run}.json", partial(shutil.copyfile, entry.path)
    for picture in shown_pictures(entry.record, board.protocol):
        yield f"runs/{run}-{picture.name}.jpg", partial(as_jpeg, picture.path)


def _write_asset(name: str, path: Path) -> None:
    path.write_text(asset(name), "utf-8")


def asset(name: str) -> str:
    """The text of a file beside the templates."""
    text, _, _ = jinja2.PackageLoader("benchmark.pages").get_source(environment(), name)
    return text


def environment() -> jinja2.Environment:
    """Templates that escape what they are given and refuse names they are not given."""
    room = jinja2.Environment(
        loader=jinja2.PackageLoader("benchmark.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    room.filters |= {"printed": printed, "words": words}
    return room


def _index(boards: list[Board]) -> dict[str, Any]:
    sections = [
        (kind, *told, [b for b in boards if b.kind == kind]) for kind, told in KINDS.items()
    ]
    return {
        "sections": sections,
        "data": sorted({b.data for b in boards}),
        "kinds": sorted({kind for b in boards for kind in b.protocol.needs}),
        "supervisions": sorted({r.supervision for b in boards for r in b.rows}),
        "methods": [spec for _, spec in sorted(plugins().methods.items())],
    }
