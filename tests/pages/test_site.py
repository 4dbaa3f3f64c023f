"""The static site: complete, escaped, alone, and the same to the byte."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image
from tests_fixtures import Call

from benchmark.contracts.errors import InvalidInput
from benchmark.home import home
from benchmark.pages.prose import sentence
from benchmark.pages.run_page import forbidding, shown_pictures
from benchmark.pages.site import build_site
from benchmark.records.model import Record
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import all_protocols, find_protocol

EVIL = "<script>alert(1)</script>"


class Links(HTMLParser):
    """Every address that a page refers to, those that a reader may follow, and every id it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.followed: set[str] = set()
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = [v for k, v in attrs if k in ("href", "src") and v is not None]
        self.found += found
        self.followed |= set(found) if tag == "a" else set()
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
    build_site(target, all_protocols())
    return target


def test_every_link_leads_to_a_page_or_a_place_on_one(site: Path) -> None:
    pages = {p: Links(p.read_text()) for p in site.rglob("*.html")}
    assert len(pages) >= 9
    for page, links in pages.items():
        for address in links.found:
            if address == "data:,":
                continue
            if re.match(r"[a-z]+:|//", address):
                assert address.startswith(("https://", "http://"))
                assert address in links.followed, f"{page.name} asks for {address}"
                continue
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
    build_site(site, all_protocols())
    again = {p.relative_to(site): p.read_bytes() for p in site.rglob("*") if p.is_file()}
    assert before == again


def test_a_folder_with_other_things_is_left_alone(harness: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(InvalidInput, match="other things"):
        build_site(tmp_path / "mine", all_protocols())
    assert (tmp_path / "mine" / "thesis.tex").exists()


def test_the_command_names_the_page_to_open(harness: Path, bench: Call, tmp_path: Path) -> None:
    said = bench("board", "site", "--out", str(tmp_path / "out"))
    assert said.code == 0, said.err
    assert str(tmp_path / "out" / "index.html") in said.out


def test_pictures_of_twins_are_shown_and_those_of_data_that_forbid_it_are_not(
    site: Path, tmp_path: Path
) -> None:
    page = next(p for p in (site / "runs").glob("*.html") if "halves" in p.read_text()[:900])
    text = page.read_text()
    for name in ("predictions", "parts"):
        assert f'src="{page.stem}-{name}.jpg"' in text
        with Image.open(site / "runs" / f"{page.stem}-{name}.jpg") as image:
            assert image.format == "JPEG"
    record = json.loads((site / "runs" / f"{page.stem}.json").read_text())
    record["protocol"]["twin"] = False
    real = Record.model_validate(record)
    protocol = find_protocol("small_faces")
    assert forbidding(real, protocol) == ["ytf68"]
    assert shown_pictures(real, protocol) == []


def test_without_the_runs_folder_the_page_says_how_to_draw_them(site: Path) -> None:
    shutil.rmtree(home() / "runs")
    build_site(site, all_protocols())
    assert not list((site / "runs").glob("*.jpg"))
    page = next(iter((site / "runs").glob("*.html")))
    assert "draws them into the run's folder" in " ".join(page.read_text().split())


def test_twins_pictures_are_drawn_anew_from_committed_files(
    site: Path, bench: Call, tmp_path: Path
) -> None:
    shutil.rmtree(home() / "runs")
    said = bench("board", "site", "--out", str(site), "--pictures")
    assert said.code == 0, said.err
    assert "drew pictures of 4 runs" in said.err
    assert len(list((site / "runs").glob("*-predictions.jpg"))) == 4


def test_metrics_of_a_protocols_own_name_are_explained_by_what_they_measure(
    harness: Path, run: Call, bench: Call, tmp_path: Path
) -> None:
    file = harness.parent / "protocols" / "small_faces" / "1.toml"
    own = 'id = "nme_iod_30"\nmeasure = "nme_iod"\n'
    file.write_text(file.read_text().replace('id = "nme_iod"\n', own))
    for words in (["grid"], ["slow", "--set", "steps=2"]):
        said = run(*words, "--json")
        assert said.code == 0, said.err
    build_site(tmp_path / "out" / "site", all_protocols())
    page = (tmp_path / "out" / "site" / "boards" / "small_faces-1-twin.html").read_text()
    meaning = "divided by the distance of the eyes"
    assert meaning in page
    compared = tmp_path / "compared.html"
    ask = ("compare", "slow", "grid", "-p", "small_faces", "--twin", "--page", str(compared))
    assert bench(*ask).code == 0
    assert meaning in compared.read_text()


def test_the_history_names_versions_what_changed_and_why(site: Path, harness: Path) -> None:
    folder = harness.parent / "protocols" / "small_faces"
    text = (folder / "1.toml").read_text().replace("version = 1", "version = 2")
    text = text.replace("scale = 1.5", "scale = 1.4").replace(
        "\n[data]", '\nsupersedes = "<b>tighter</b> crops; every row moves"\n\n[data]'
    )
    (folder / "2.toml").write_text(text)
    build_site(site, all_protocols())
    page = " ".join((site / "boards" / "small_faces-1-twin.html").read_text().split())
    assert "paired by seed" in page
    assert "small_faces@2" in page
    assert "&lt;b&gt;tighter&lt;/b&gt; crops; every row moves" in page
    assert "<code>geometry.ytf68.scale</code>: 1.5 → 1.4" in page


def test_a_board_draws_a_dot_for_each_seed_of_rows_with_several(site: Path) -> None:
    page = (site / "boards" / "small_faces-1-twin.html").read_text("utf-8")
    chart = re.search(r"<h2>Seeds</h2>.*?</section>", page, re.DOTALL)
    assert chart is not None
    drawn = chart[0]
    assert "slow steps=2" in drawn
    words = re.sub(r"<style>.*?</style>|<[^>]*>", "", drawn)
    assert "grid" not in words  # one seed has nothing to spread
    assert re.findall(r"<circle[^>]*><title>(slow steps=2: [\d.]+)<", drawn)
    assert drawn.count("<circle") == 2


def test_methods_say_what_they_are_where_they_stand_and_what_floors_score(
    harness: Path, site: Path, tmp_path: Path
) -> None:
    page = " ".join((site / "methods" / "slow.html").read_text("utf-8").split())
    trail = re.search(r'<nav aria-label="Where you are">(.*?)</nav>', page)
    assert trail is not None
    assert re.sub(r"<[^>]*>", "", trail[1]) == "Methods › slow"
    assert "landmark regression" in page
    assert "nme_iod % ↓" in page
    assert '<th class="n">best floor</th>' in page
    specs = plugins().methods
    build_site(tmp_path / "told" / "site", all_protocols(), methods=specs)
    told = (tmp_path / "told" / "site" / "methods" / "slow.html").read_text("utf-8")
    assert sentence(specs["slow"].summary) in unescape(told)
    index = (tmp_path / "told" / "site" / "index.html").read_text("utf-8")
    without = next(name for name in specs if f"methods/{name}.html" not in index)
    assert sentence(specs[without].summary) in unescape(index)
