"""`make docs` builds a site that is whole and asks nothing of other machines."""

from __future__ import annotations

import doctest
import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
from playwright.sync_api import Browser
from tests_browser import chromium, faults_of, opened
from tests_fixtures import ROOT

from benchmark.home import builtin_folder
from benchmark.metrics.catalogue import CATALOGUE
from benchmark.pages.documents import documents_of
from benchmark.protocols import protocol_files
from benchmark.records.model import Record

pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")


pytestmark = pytest.mark.long  # the whole site is built

__all__ = ["chromium"]  # a fixture


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "docs"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)]
    environment = {
        **os.environ,
        "BENCH_SITE": "..",
        "BENCH_REPOSITORY": "https://example.org/bench",
    }
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_there_and_says_nothing_of_other_machines(site: Path) -> None:
    sources = [p for p in (ROOT / "docs").rglob("*.md") if p.name != "README.md"]
    for source in sources:
        page = site / source.relative_to(ROOT / "docs").with_suffix(".html")
        text = page.read_text("utf-8")
        assert "<h1" in text
        assert not re.search(r'<(script|iframe)|(src|<link[^>]*href)="(https?:)?//', text), (
            page.name
        )
    assert not re.search(r"@import|url\(", (site / "style.css").read_text("utf-8"))


def test_pages_have_the_header_of_the_site_that_they_are_in(site: Path) -> None:
    for name, up in (("glossary", "./../"), ("reference/metrics", "../../")):
        text = (site / f"{name}.html").read_text("utf-8")
        assert f'action="{up}search.html"' in text
        assert f'href="{up}index.html#methods"' in text
        assert f'href="{up}docs/glossary.html"' in text
        assert 'href="https://example.org/bench"' in text


def test_every_link_leads_to_a_page_here_on_the_site_or_in_the_repository(site: Path) -> None:
    boards = set()
    for page in site.rglob("*.html"):
        for address in re.findall(r'<a [^>]*href="([^"#]+)', page.read_text("utf-8")):
            if re.match(r"[a-z]+:", address):
                assert address.startswith(("https://", "http://"))
                continue
            target = (page.parent / address).resolve()
            if target.is_relative_to(site):
                assert target.is_file(), f"{page.name} leads to {address}"
            else:
                boards.add(target.relative_to(site.parent).as_posix())
    own = {name for name in boards if not name.startswith("boards/")}
    assert own == {"index.html", "reported.html"}
    kept = {p.parent for p in (ROOT / "leaderboards").glob("**/board.csv")}
    there = {f"boards/{p.parent.name}-{p.name}{'-twin' * ('twins' in p.parts)}.html" for p in kept}
    assert boards - own <= there
    assert "boards/ytf5-1.html" in boards
    assert (site / "like-for-like.html").is_file()


def test_examples_of_the_theme_are_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / ".theme"))
    assert doctest.testmod(importlib.import_module("ways_out")).failed == 0


def test_what_search_finds_is_there(site: Path) -> None:
    found = list(documents_of(site))
    kinds = {one.kind for one in found}
    assert {"page", "command", "protocol", "term", "in Conventions and traps"} <= kinds
    assert {"IoU", "headline", "bench run", "Glossary", "ytf5@1"} <= {one.title for one in found}
    ids = {
        p: set(re.findall(r'\bid="([^"]+)"', p.read_text("utf-8"))) for p in site.rglob("*.html")
    }
    for one in found:
        name, _, place = one.href.removeprefix("docs/").partition("#")
        assert not place or place in ids[site / name], one
    assert {name for name in CATALOGUE if "*" not in name} <= ids[site / "reference/metrics.html"]


def test_the_reference_is_what_the_code_says(site: Path) -> None:
    def page(name: str) -> str:
        return (site / "reference" / f"{name}.html").read_text("utf-8")

    assert 'id="bench-run"' in page("cli")
    assert "--on [test|validation]" in page("cli")
    assert 'id="benchmark.contracts.method.Method.fit"' in page("contracts")
    assert 'id="benchmark.contracts.hooks.Hooks.bench_methods"' in page("hooks")
    assert 'id="benchmark.training.loop.train"' in page("training")
    assert 'id="benchmark.protocols.data.Data.fit"' in page("protocol-file")
    metrics = page("metrics")
    assert "<td><code>landmarks.normalised_mean_error</code></td>" in metrics
    assert "&gt;&gt;&gt;" in metrics
    assert "<blockquote" not in metrics
    assert 'id="landmark_regression"' in page("tasks")
    assert "<!--" not in metrics + page("tasks") + page("cli")


def schema(site: Path, name: str) -> jsonschema.Draft202012Validator:
    content = json.loads((site / "reference" / f"{name}.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


def test_records_keep_their_schema_and_others_do_not(site: Path) -> None:
    records = sorted((ROOT / "leaderboards").glob("**/*.json"))
    valid = schema(site, "record")
    for path in records[:: max(1, len(records) // 20)]:
        valid.validate(json.loads(path.read_text("utf-8")))
    changed = json.loads(records[0].read_text("utf-8"))
    changed["metrics"][0]["better"] = "sideways"
    assert [e.json_path for e in valid.iter_errors(changed)] == ["$.metrics[0].better"]
    assert not valid.is_valid({**changed, "more": 1})
    assert list(valid.schema["properties"]) == list(Record.model_fields)
    assert valid.schema["properties"]["run_id"]["description"] == "Identity of the run."


def test_protocol_files_keep_their_schema_and_others_do_not(site: Path) -> None:
    valid = schema(site, "protocol")
    for path in protocol_files((builtin_folder(),)).values():
        valid.validate(tomllib.loads(path.read_text("utf-8")))
    assert not valid.is_valid({"id": "small", "version": 1})


def test_tables_and_fences_became_html(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = re.sub(r"<pre>.*?</pre>", "", page.read_text("utf-8"), flags=re.S)
        assert "```" not in text, f"{page.name}: a fence that is none"
        assert not re.search(r"^\| ", text, re.M), f"{page.name}: a table that is none"


@pytest.mark.parametrize("width", [390, 1400])
def test_axe_finds_nothing_and_long_pages_have_their_contents(
    chromium: Browser, site: Path, width: int
) -> None:
    faults = {}
    for scheme in ("light", "dark"):
        page = opened(chromium, viewport={"width": width, "height": 900}, color_scheme=scheme)
        for name in ("index", "traps", "read-a-board", "protocols/ytf5-1", "reference/cli"):
            page.goto((site / f"{name}.html").as_uri())
            faults[name, scheme] = faults_of(page)
        page.goto((site / "traps.html").as_uri())
        assert page.locator(".contents a").first.inner_text() == "Landmarks"
        assert page.locator(".beside a[rel=next]").is_visible()
        page.context.close()
    assert {name: found for name, found in faults.items() if found} == {}


def test_commands_in_tables_are_one_line_on_a_phone(chromium: Browser, site: Path) -> None:
    page = opened(chromium, viewport={"width": 390, "height": 844})
    page.goto((site / "like-for-like.html").as_uri())
    commands = page.locator("td.line code")
    assert commands.count() > 10
    heights = commands.evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().height)")
    assert max(heights) < 24  # of one line; letter under letter it was hundreds
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.context.close()
