"""Search: one page that finds all of the site and its documentation, without scripts too."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page
from tests_browser import faults_of, opened
from tests_fixtures import ROOT
from tests_site import LEADERBOARDS

from benchmark.contracts.errors import InvalidInput
from benchmark.pages.documents import documents_of
from benchmark.pages.findable import Found, shortened
from benchmark.pages.site import build_site
from benchmark.registry.protocols import all_protocols

MOST_BYTES = 4_000
"""Of the page's script, which is all the script that search needs."""

PAGES = {
    "like-for-like": '<h1 id="like">Like for like</h1><h2 id="flowers17">flowers17</h2>',
    "read-a-board": '<h1 id="read">Read a board</h1>',
    "index": '<h1 id="docs">Documentation</h1><p>Where to begin.</p>',
    "glossary": '<h1 id="glossary">Glossary</h1><p>Terms.</p><h2 id="data">Data</h2><table>'
    '<tr>\n<td id="term-item">item</td>\n<td>what one <b>value</b> is of</td></tr></table>',
    "reference/metrics": '<h1 id="metrics">Metrics</h1><table><tr><td><span id="nme_iod"></span>x</td>'
    "</tr></table>",
    "reference/cli": '<h1 id="commands">Commands</h1><h2 id="bench-run">bench run'
    '<a class="headerlink" href="#bench-run">#</a></h2><pre>Usage</pre><p>Later &lt;words&gt;.</p>',
    "protocols/ytf5-1": '<h1 id="p">ytf5@1</h1><p>5 face landmarks.</p><h2 id="data">Data</h2>',
    "reference/python": '<h1 id="py">From Python</h1><h2 id="Torch">Torch</h2>'
    '<p class="doc doc-class-bases">Bases: <code>Dataset</code></p><p>A zebra of tensors.</p>',
    "how-to/zebra": '<h1 id="z">Zebras &amp; <script>alert(1)</script></h1>'
    "<p>Inter-ocular data sets.</p><h2>No place</h2>",
}


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documentation of few pages, as mkdocs leaves it."""
    folder = tmp_path_factory.mktemp("documents")
    for name, text in PAGES.items():
        path = folder / f"{name}.html"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"<!doctype html><html lang='en'><title>t</title><main>{text}</main></html>"
        )
    return folder


@pytest.fixture(scope="module")
def out(documents: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two boards and a twin with that documentation in it."""
    folder = tmp_path_factory.mktemp("searched")
    for board in ("ytf5", "twins/ytf5", "flowers17"):
        shutil.copytree(LEADERBOARDS / board, folder / "records" / board)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_LEADERBOARDS", str(folder / "records"))
        patch.setenv("BENCH_HOME", str(folder / "home"))
        build_site(folder / "out", all_protocols(), documents=documents)
    return folder / "out"


class Entries(HTMLParser):
    """(address, title) of every entry of the index, and the ids of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.ids: set[str] = set()
        self.inside = False
        self.feed(text.partition('<div id="all">')[2] or text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids |= {v for k, v in attrs if k == "id" and v}
        if tag == "a":
            self.found.append((dict(attrs).get("href") or "", ""))
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "a"

    def handle_data(self, data: str) -> None:
        if self.inside:
            href, title = self.found[-1]
            self.found[-1] = (href, title + data)


def entries(out: Path) -> dict[str, str]:
    """Address by title, of the index without its letters."""
    found = Entries((out / "search.html").read_text("utf-8")).found
    return {title: href for href, title in found if not href.startswith("#letter")}


def test_all_kinds_of_things_are_found_where_they_stand(out: Path) -> None:
    found = entries(out)
    assert found["lead"] == "methods/lead.html"
    assert found["mean-shape"] == "methods/mean-shape.html"
    assert "boards/ytf5-1.html" in found.values()
    assert "boards/ytf5-1-twin.html" in found.values()
    assert found["nme_iod"] == "docs/reference/metrics.html#nme_iod"
    assert found["foreground_iou"] == "docs/reference/metrics.html#foreground_iou"
    assert found["item"] == "docs/glossary.html#term-item"
    assert found["bench run"] == "docs/reference/cli.html#bench-run"
    assert found["ytf5@1"] == "docs/protocols/ytf5-1.html"
    assert not any(href.startswith("runs/") for href in found.values())


def test_every_entry_leads_to_a_page_and_a_place_that_exist(out: Path) -> None:
    found = entries(out)
    assert len(found) > 60
    missing = []
    for title, href in found.items():
        name, _, place = unquote(href).partition("#")
        page = out / name
        if not page.is_file():
            missing.append(f"{title}: no page {name}")
        elif place and "metrics.html" not in name and place not in Entries(page.read_text()).ids:
            missing.append(f"{title}: no place {place} on {name}")
    assert missing == []


def test_documents_say_their_kind_and_their_first_words(documents: Path) -> None:
    found = {one.title: one for one in documents_of(documents)}
    assert found["item"] == Found(
        "item", "term", "what one value is of", "docs/glossary.html#term-item"
    )
    assert found["bench run"].words == "Later <words>."
    assert found["Data"].kind == "in Glossary"
    assert found["ytf5@1"].kind == "protocol"
    assert "No place" not in found  # nothing leads to a heading without an id
    assert sum(one.href.startswith("docs/protocols/") for one in documents_of(documents)) == 1


def test_words_are_escaped_and_cut_between_words(out: Path) -> None:
    text = (out / "search.html").read_text("utf-8")
    assert "<script>alert" not in text
    assert text.count("<script") == 1
    long = shortened("word " * 60)
    assert len(long) <= 161
    assert long.endswith("word…")
    assert shortened("as  it\nis") == "as it is"


def test_every_page_has_the_form_and_the_script_is_only_on_one(out: Path) -> None:
    for page in out.rglob("*.html"):
        text, up = page.read_text("utf-8"), "../" * (len(page.relative_to(out).parts) - 1)
        if not page.is_relative_to(out / "docs"):
            assert f'action="{up}search.html"' in text, page.name
        assert ("search.js" in text) == (page.name == "search.html"), page.name
    assert (out / "search.js").stat().st_size < MOST_BYTES


def test_a_site_without_documentation_finds_its_metrics_on_boards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(LEADERBOARDS / "ytf5", tmp_path / "records" / "ytf5")
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(tmp_path / "records"))
    chosen = [p for p in all_protocols() if p.name == "ytf5@1"]
    build_site(tmp_path / "out", chosen)
    assert entries(tmp_path / "out")["nme_iod"] == "boards/ytf5-1.html#measured"


def test_a_folder_that_is_no_documentation_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    with pytest.raises(InvalidInput, match=r"no built documentation: no index\.html"):
        build_site(tmp_path / "out", [], documents=ROOT / "docs")
    assert not (tmp_path / "out").exists()


def shown(page: Page) -> list[str]:
    """The titles of the hits that are listed."""
    return page.locator("#hits a").all_inner_texts()


@pytest.mark.long
def test_hits_are_listed_as_one_types_also_from_a_file(chromium: Browser, out: Path) -> None:
    page = opened(chromium)
    told: list[str] = []
    page.on("console", lambda said: told.append(said.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto((out / "search.html").as_uri())
    field = page.get_by_role("searchbox", name="Search the whole site")
    field.press_sequentially("mean-sh")
    assert shown(page)[0] == "mean-shape"
    assert not page.locator("#all").is_visible()
    assert re.fullmatch(r"\d+ found\.", page.locator("output").inner_text())
    assert page.url.endswith("search.html?q=mean-sh")
    field.fill("value item")  # all words, in any order, of title or sentence
    assert "item" in shown(page)
    field.fill("zebras qqq")  # nothing has both
    assert shown(page)[0].startswith("Zebras")
    assert page.locator("output").inner_text().startswith("Nothing has all of these words. ")
    field.fill("qqq")
    assert shown(page) == []
    assert page.locator("output").inner_text().startswith("Nothing has any of these words")
    field.fill("")
    assert page.locator("#all").is_visible()
    assert page.url.endswith("search.html")
    assert told == []
    page.context.close()


@pytest.mark.long
def test_keys_alone_lead_from_any_page_to_a_hit(chromium: Browser, out: Path) -> None:
    page = opened(chromium)
    page.goto((out / "boards" / "flowers17-1.html").as_uri())
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "q":
            break
    page.keyboard.type("lead")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=lead")
    assert shown(page)[0] == "lead"
    assert page.evaluate("document.activeElement.value") == "lead"  # one may go on typing
    for _ in range(5):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "lead":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/methods/lead.html")
    page.context.close()


@pytest.mark.long
def test_without_scripts_the_whole_index_stands(chromium: Browser, out: Path) -> None:
    page = opened(chromium, java_script_enabled=False)
    page.goto((out / "search.html").as_uri() + "?q=lead")
    items = page.locator("#all li")
    assert items.count() == len(entries(out))
    assert items.first.is_visible()
    assert items.last.is_visible()
    assert not page.locator("#hits").is_visible()
    page.context.close()


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("query", ["", "?q=face"])
def test_axe_finds_nothing(
    chromium: Browser, out: Path, width: int, scheme: Literal["light", "dark"], query: str
) -> None:
    page = opened(chromium, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto((out / "search.html").as_uri() + query)
    assert faults_of(page) == []
    page.context.close()


@pytest.mark.long
@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("ytf5", "ytf5@1: "),  # not a heading, a twin, or the protocol's page
        ("ytf5@1", "ytf5@1: "),
        ("flowers17", "flowers17@1: "),
        ("lead", "lead"),
        ("torch", "Torch"),  # a detail is found where nothing else is
    ],
)
def test_the_board_or_method_of_a_name_comes_first(
    chromium: Browser, out: Path, query: str, first: str
) -> None:
    page = opened(chromium)
    page.goto((out / "search.html").as_uri() + f"?q={query}")
    assert shown(page)[0].startswith(first)
    if query == "flowers17":
        assert shown(page)[-1] == "flowers17"  # the heading of methods side by side
    page.context.close()


@pytest.mark.long
def test_spellings_and_metrics_find_boards_and_the_letters_stay_away(
    chromium: Browser, out: Path
) -> None:
    page = opened(chromium)
    page.goto((out / "search.html").as_uri() + "?q=iou")
    assert any(title.startswith("flowers17@1: ") for title in shown(page))
    assert not page.locator("#all").is_visible()
    field = page.get_by_role("searchbox", name="Search the whole site")
    field.fill("data set")
    spaced = shown(page)
    assert spaced
    field.fill("dataset")
    assert shown(page) == spaced
    field.fill("interocular")
    assert any(title.startswith("Zebras") for title in shown(page))
    page.context.close()


def test_words_of_the_reference_are_not_what_a_class_is_derived_from(documents: Path) -> None:
    found = {one.title: one for one in documents_of(documents)}
    assert found["Torch"].words == "A zebra of tensors."
