"""The static site: complete, escaped, alone, the same to the byte, and at work in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests_fixtures import Call

from benchmark.contracts.errors import InvalidInput
from benchmark.pages.site import build_site

EVIL = "<script>alert(1)</script>"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Links(HTMLParser):
    """Every address that a page refers to, and every id it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [v for k, v in attrs if k in ("href", "src") and v is not None]
        self.ids |= {v for k, v in attrs if k == "id" and v}


@pytest.fixture
def site(harness: Path, run: Call, tmp_path: Path) -> Path:
    """The site of a board with three methods, one of them with a hostile remark and settings."""
    for words in (["grid"], ["slow", "--set", "steps=2", "--seed", "0,1"], ["halves"]):
        said = run(*words, "--json")
        assert said.code == 0, said.err
    path = Path(run("grid", "--json").json["record"])
    content = json.loads(path.read_text())
    content["notes"] = [EVIL]
    content["edits"] = [
        {"when": "2025-01-01", "author": EVIL, "reason": EVIL, "action": "annotated"}
    ]
    path.write_text(json.dumps(content))
    target = tmp_path / "out" / "site"
    build_site(target)
    return target


def test_every_link_leads_to_a_page_or_a_place_on_one(site: Path) -> None:
    pages = {p: Links(p.read_text()) for p in site.rglob("*.html")}
    assert len(pages) >= 9
    for page, links in pages.items():
        for address in links.found:
            if address == "data:,":
                continue
            assert not re.match(r"[a-z]+:|//", address), f"{page.name} leaves the site: {address}"
            name, _, place = unquote(address).partition("#")
            target = (page.parent / name).resolve() if name else page
            assert target.exists(), f"{page.name} leads to {address}"
            if place and target.suffix == ".html":
                assert place in pages[target].ids | {"main"}, f"{page.name} leads to {address}"


def test_what_records_say_is_escaped(site: Path) -> None:
    texts = [p.read_text() for p in site.rglob("*.html")]
    assert sum("&lt;script&gt;alert(1)" in t for t in texts) >= 1
    assert not any(EVIL in t for t in texts)


def test_real_boards_twins_and_reported_ones_stand_apart(site: Path) -> None:
    text = (site / "index.html").read_text()
    assert "On twins" in text
    assert "small_faces@1 (twin)" in text
    assert "On real data" not in text
    assert "Twin: rendered data" in (site / "boards" / "small_faces-1-twin.html").read_text()


def test_a_second_build_is_the_same_to_the_byte(site: Path, tmp_path: Path) -> None:
    before = {p.relative_to(site): p.read_bytes() for p in site.rglob("*") if p.is_file()}
    build_site(site)
    again = {p.relative_to(site): p.read_bytes() for p in site.rglob("*") if p.is_file()}
    assert before == again


def test_a_folder_with_other_things_is_left_alone(harness: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(InvalidInput, match="other things"):
        build_site(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.tex").exists()


def test_the_command_names_the_page_to_open(harness: Path, bench: Call, tmp_path: Path) -> None:
    said = bench("board", "site", "--out", str(tmp_path / "out"))
    assert said.code == 0, said.err
    assert str(tmp_path / "out" / "index.html") in said.out


def rendered(page: Path, query: str = "") -> str:
    """The page as a browser has it after its script ran."""
    assert CHROMIUM is not None
    words = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000",
             "--dump-dom", f"file://{page}{query}"]  # fmt: skip
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_in_a_browser_links_sort_and_filter_the_board(site: Path) -> None:
    page = site / "boards" / "small_faces-1-twin.html"

    def methods(text: str, shown: bool = True) -> list[str]:
        rows = re.findall(r"<tr data-role=.*?</tr>", text, re.DOTALL)
        kept = [r for r in rows if not shown or 'hidden=""' not in r.partition(">")[0]]
        return [re.search(r"methods/([\w-]+)\.html", r)[1] for r in kept]  # type: ignore[index]

    plain = rendered(page)
    built = methods(page.read_text())
    assert methods(plain) == built
    assert 'class="tools" hidden' not in plain
    value = 2
    assert methods(rendered(page, f"?sort0={value}-")) == built[::-1]
    assert 'aria-sort="descending"' in rendered(page, f"?sort0={value}-")
    assert methods(rendered(page, "?find=slow")) == ["slow"]
    assert methods(rendered(page, "?role=floor")) == []
    # nonsense in an address changes nothing
    assert methods(rendered(page, "?sort0=99&role=%3Cscript%3E")) == built
