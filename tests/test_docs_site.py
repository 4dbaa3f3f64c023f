"""`make docs` builds a site that is whole and asks nothing of other machines."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests_fixtures import ROOT

pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
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


def test_tables_and_fences_became_html(site: Path) -> None:
    commands = (site / "reference" / "cli.html").read_text("utf-8")
    assert "<td><code>--on</code> <code>test|validation</code></td>" in commands
    assert 'href="#bench-run"' in commands
    assert 'id="bench-run"' in commands
    for page in site.rglob("*.html"):
        text = re.sub(r"<pre>.*?</pre>", "", page.read_text("utf-8"), flags=re.S)
        assert "```" not in text, f"{page.name}: a fence that is none"
        assert not re.search(r"^\| ", text, re.M), f"{page.name}: a table that is none"
