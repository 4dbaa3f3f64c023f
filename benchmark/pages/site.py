"""The static site: overview, boards, methods and runs as plain HTML that stands alone.

Results are made from records and protocols alone, so that they are the same whatever methods are
installed; what a method is, its registration says, where the caller hands it on.
Everything that comes from a record is escaped; charts are inline SVG; one script sorts and filters
tables, another the index of the search's page, and nothing needs either. Real boards, twins and boards
that hold only what papers report are kept apart. Built documentation may be a part of the site, under
`docs/`. A page asks nothing of another address; links may lead there.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmark.boards.entries import Entry
from benchmark.boards.pictures import items_picture
from benchmark.contracts.spec import MethodSpec
from benchmark.files import naming_a_full_disk
from benchmark.pages.board_files import FORMATS
from benchmark.pages.board_page import board_page
from benchmark.pages.boards import Board, boards_of
from benchmark.pages.documents import FOLDER, documents_of, files_of, pages_of
from benchmark.pages.findable import search_page
from benchmark.pages.links import Links
from benchmark.pages.method_page import method_page
from benchmark.pages.overview import overview
from benchmark.pages.papers_page import papers_page
from benchmark.pages.publish import publish, written
from benchmark.pages.rendering import asset, environment
from benchmark.pages.run_page import as_jpeg, run_page, shown_pictures
from benchmark.pictures.items import may_be_shown
from benchmark.protocols import Protocol

Write = Callable[[Path], Any]
"""Writes one file of the site to the path given."""
Crumbs = tuple[tuple[str, str], ...]
"""The way to a page: (address, words) of each page on it."""
BOARDS = ("index.html", "Boards")
METHODS = ("index.html#methods", "Methods")


def build_site(
    target: Path,
    protocols: Iterable[Protocol],
    progress: Callable[[int, int], None] | None = None,
    *,
    requested: bool = False,
    private: bool = False,
    links: Links | None = None,
    documents: Path | None = None,
    methods: Mapping[str, MethodSpec] | None = None,
) -> int:
    """Write the site into `target`, new files only once all are made; its number of files.

    `protocols` are those whose boards are shown, `requested` says that they were named. With `private`,
    pictures of data sets are shown that may not be published; `links` are addresses beyond the site;
    `documents` is a folder of built documentation, which becomes the site's `docs/`;
    `methods` are those, by id, of which it is said what they are, with results or without. Of what is
    in `target` already, only files that bench wrote are replaced or removed. Raises `InvalidInput` for
    a folder that holds other things and no site, or no documentation.
    """
    target = target.resolve()
    before = written(target)
    links = links or Links()
    if documents is not None:
        pages_of(documents)  # it is one
        links = replace(links, docs=FOLDER)
    boards = boards_of(protocols, requested=requested)
    files = list(_files(boards, links, documents, methods or {}, private=private))
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        naming_a_full_disk(target),
        tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as made,
    ):
        for done, (name, write) in enumerate(files, start=1):
            path = Path(made) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path)
            if progress and (done % 1000 == 0 or done == len(files)):
                progress(done, len(files))
        publish(Path(made), target, before)
    return len(files)


def _files(
    boards: list[Board],
    links: Links,
    documents: Path | None,
    methods: Mapping[str, MethodSpec],
    *,
    private: bool,
) -> Iterable[tuple[str, Write]]:
    """Each file's place and the call that writes it, so that no two pages are in memory at once."""
    room = environment()

    def page(template: str, fill: Callable[[], dict[str, Any]], crumbs: Any, up: str) -> Write:
        def write(path: Path) -> None:
            text = room.get_template(template).render(**fill(), up=up, crumbs=crumbs, links=links)
            path.write_text(text, "utf-8")

        return write

    for name in ("site.css", "site.js", "search.js"):
        yield name, partial(_write_asset, name)
    for name, path in files_of(documents) if documents else ():
        yield name, partial(shutil.copyfile, path)
    found = documents_of(documents) if documents else ()
    fill = partial(search_page, boards, found, links)
    yield "search.html", page("search.html", fill, (BOARDS, ("search.html", "Search")), "")
    yield "index.html", page("index.html", partial(overview, boards, methods), (), "")
    crumbs: Crumbs = (BOARDS, ("reported.html", "What papers report"))
    yield "reported.html", page("papers.html", partial(papers_page, boards), crumbs, "")
    for board in boards:
        crumbs = (BOARDS, (board.href, board.name))
        pictures = _items(board, private=private)
        shown = Path(f"{board.stem}-items.jpg").name if pictures else ""
        yield (
            board.href,
            page(
                "board.html",
                partial(board_page, board, boards, shown, private=private),
                crumbs,
                "../",
            ),
        )
        if pictures:
            yield f"{board.stem}-items.jpg", partial(shutil.copyfile, pictures)
        for name in FORMATS if board.rows else ():
            if name != "md":  # that is what its page is
                yield f"{board.stem}.{name}", partial(_write_board, board, name)
        for entry in board.entries:
            yield from _run_files(entry, board, page, private=private)
    for method in sorted({row.method for board in boards for row in board.rows}):
        href = f"methods/{method}.html"
        fill = partial(method_page, method, boards, methods.get(method))
        yield href, page("method.html", fill, (METHODS, (href, method)), "../")


def _items(board: Board, *, private: bool) -> Path | None:
    """The pictures of the board's items, where they were drawn on this machine and may be shown."""
    if not board.entries or not (private or may_be_shown(board.protocol, twin=board.twin)):
        return None
    path = items_picture(board.entries[0].record.data["test"].pixels)
    return path if path.is_file() else None


def _run_files(
    entry: Entry, board: Board, page: Callable[..., Write], *, private: bool
) -> Iterable[tuple[str, Write]]:
    """A run's page, its record as it is, and its pictures."""
    run = entry.record.run_id
    href = f"runs/{run}.html"
    crumbs = (BOARDS, (f"{board.href}#{run}", board.name), (href, f"run {run[:8]}"))
    yield (
        href,
        page("run.html", partial(run_page, entry.record, board, private=private), crumbs, "../"),
    )
    yield f"runs/{run}.json", partial(shutil.copyfile, entry.path)
    for picture in shown_pictures(entry.record, board.protocol, private=private):
        yield f"runs/{run}-{picture.name}.jpg", partial(as_jpeg, picture.path)


def _write_asset(name: str, path: Path) -> None:
    path.write_text(asset(name), "utf-8")


def _write_board(board: Board, name: str, path: Path) -> None:
    path.write_text(FORMATS[name](board), "utf-8")
