"""Built documentation as a part of the site: its files, and what of its pages can be found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from benchmark.contracts.errors import InvalidInput
from benchmark.pages.findable import DETAIL, OTHER, Found

FOLDER = "docs"
"""Where the documentation lies in a site."""

KINDS = {"reference/cli": "command", "protocols": "protocol", "glossary": "term"}
"""What a page's headings are, or a page itself, by how its place begins."""

DETAILS = ("reference/", "like-for-like")
"""How pages begin whose headings are details of what has a page of its own; commands are none."""

HEADINGS = ("h1", "h2", "h3")

BASES = "doc doc-class-bases"
"""The class of the paragraph that lists what a class of the reference is derived from."""


@dataclass
class Place:
    """A heading or a term of a page: its id, its own words, and the first words after it."""

    tag: str
    id: str
    title: str = ""
    words: str = ""


@dataclass
class Places(HTMLParser):
    """Headings with the paragraph that follows, and rows of tables whose first cell has an id."""

    text: str
    found: list[Place] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._reading = ""  # the attribute of the last place that text goes to
        self._until = ""
        self._silent = False
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        if of.get("class") == BASES:
            return  # no words about it
        if tag in HEADINGS or (tag == "td" and of.get("id")):
            self.found.append(Place(tag, of.get("id") or ""))
            self._reading, self._until = "title", tag
        elif not self._reading and self.found and not self.found[-1].words:
            after = "td" if self.found[-1].tag == "td" else "p"
            self._reading, self._until = ("words", tag) if tag == after else ("", "")
        if of.get("class") in ("headerlink", "doc doc-labels"):
            self._silent = True

    def handle_endtag(self, tag: str) -> None:
        self._silent = self._silent and tag not in ("a", *HEADINGS)
        if tag == self._until:
            self._reading = self._until = ""

    def handle_data(self, data: str) -> None:
        if self._reading and not self._silent:
            one = self.found[-1]
            setattr(one, self._reading, getattr(one, self._reading) + data)


def pages_of(folder: Path) -> list[str]:
    """The pages of built documentation, by their names without the ending.

    Raises `InvalidInput` for a folder that holds none.
    """
    if not (folder / "index.html").is_file():
        raise InvalidInput(
            f"{folder} holds no built documentation: no index.html",
            cure="build it with `make docs`, and name its folder, build/docs",
        )
    return sorted(p.relative_to(folder).with_suffix("").as_posix() for p in folder.rglob("*.html"))


def files_of(folder: Path) -> Iterator[tuple[str, Path]]:
    """(place in the site, file) of everything that belongs to built documentation."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        yield f"{FOLDER}/{path.relative_to(folder).as_posix()}", path


def documents_of(folder: Path) -> Iterator[Found]:
    """What can be found in built documentation: pages, headings, commands, protocols and terms.

    Headings of protocols' pages are the same on each and are left out.
    """
    for name in pages_of(folder):
        places = Places((folder / f"{name}.html").read_text("utf-8")).found
        yield from _found(name, places)


def _found(name: str, places: Iterable[Place]) -> Iterator[Found]:
    kind = next((kind for begin, kind in KINDS.items() if name.startswith(begin)), "")
    detail = name.startswith(DETAILS) and kind != "command"
    page = ""
    for place in places:
        title, words = (" ".join(text.split()) for text in (place.title, place.words))
        href = f"{FOLDER}/{name}.html"
        if place.tag == "h1":
            page = page or title
            yield Found(title, kind if kind == "protocol" else "page", words, href)
        elif kind != "protocol" and place.id and title:
            rank = DETAIL if detail else OTHER
            own = kind if (kind == "term") == (place.tag == "td") else ""
            yield Found(title, own or f"in {page}", words, f"{href}#{place.id}", rank)
