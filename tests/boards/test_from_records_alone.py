"""Tables and site are made from records and protocols alone, whatever methods are installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests_fixtures import ROOT, Call

from benchmark.boards.sources import published_values
from benchmark.boards.standings import standings
from benchmark.home import builtin_folder
from benchmark.pages.site import build_site
from benchmark.pages.tables import generated_files
from benchmark.protocols.files import _read_cached
from benchmark.protocols.papers import by_protocol, papers
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import all_protocols, find_protocol, protocol_folders

REPORTED = """
[[reported]]
method = "Grid"
metric = "nme_iod"
value = 50
source = "a paper"
plugin = "grid"
"""
PAPER = """
id = "ours"
name = "Ours 2026"
title = "A paper"

[[tables]]
place = "table 1"
title = "errors"
columns = [{ head = "a", protocol = "small_faces", metric = "nme_iod" },
           { head = "b", protocol = "mafl", metric = "nme_iod" }, { head = "c", metric = "x" }]
rows = [{ method = "Ours", values = ["3.1", "2.1", "7"] }]
"""
FAILS = {"resume": "its library can't go on"}


def made(folder: Path) -> dict[str, bytes]:
    """All tables, and all pages of the site, by name."""
    found = {str(path): text.encode() for path, text in generated_files(all_protocols()).items()}
    build_site(folder, all_protocols())
    pages = {p.relative_to(folder): p for p in folder.rglob("*") if p.is_file()}
    return found | {str(name): path.read_bytes() for name, path in pages.items()}


@pytest.mark.long
def test_without_any_method_installed_everything_is_the_same(
    run: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "protocols" / "small_faces" / "1.toml"
    path.write_text(path.read_text() + REPORTED)
    _read_cached.cache_clear()
    grid = plugins().methods["grid"]
    monkeypatch.setitem(plugins().methods, "grid", replace(grid, known_failures=FAILS))
    for words in (["grid", "--seed", "0,1"], ["slow", "--set", "steps=2"]):
        assert run(*words).code == 0
    record = json.loads(next(tmp_path.glob("leaderboards/twins/*/1/grid/*.json")).read_text())
    assert record["method"]["known_failures"] == FAILS
    before = made(tmp_path / "out")
    assert sum(FAILS["resume"].encode() in text for text in before.values()) == 6
    monkeypatch.setattr(plugins(), "methods", {})
    assert made(tmp_path / "out") == before


COMMITTED = """
import hashlib, sys
from pathlib import Path
from benchmark.pages.tables import generated_files
from benchmark.pages.site import build_site
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import all_protocols, find_protocol
print(len(plugins().methods), file=sys.stderr)
for path, text in sorted(generated_files(all_protocols()).items()):
    print(path, hashlib.sha256(text.encode()).hexdigest())
site = Path(sys.argv[1])
build_site(site, [find_protocol("ytf5_clips"), find_protocol("mafl")], requested=True)
for path in sorted(p for p in site.rglob("*") if p.is_file()):
    print(path.relative_to(site), hashlib.sha256(path.read_bytes()).hexdigest())
"""


@pytest.mark.long
def test_the_committed_boards_are_the_same_without_any_plugin(tmp_path: Path) -> None:
    env = os.environ | {
        "BENCH_LEADERBOARDS": str(ROOT / "leaderboards"),
        "BENCH_HOME": str(tmp_path),
    }
    env.pop("BENCH_PLUGINS", None)
    said, methods = [], []
    for name, more in (("all", {}), ("none", {"BENCH_PLUGINS": ""})):
        words = [sys.executable, "-c", COMMITTED, str(tmp_path / name)]
        done = subprocess.run(words, env=env | more, capture_output=True, text=True, check=True)
        said.append(done.stdout)
        methods.append(int(done.stderr))
    assert methods[0] > methods[1] == 0
    assert said[0].count("\n") > 100
    assert said[0] == said[1]


def test_papers_that_a_plugin_brings_stand_on_its_own_boards_alone(
    harness: Path, tmp_path: Path
) -> None:
    before = generated_files(all_protocols())
    folder = tmp_path / "protocols"
    assert folder in protocol_folders()
    (folder / "reported").mkdir()
    (folder / "reported" / "ours.toml").write_text(PAPER)
    for cached in (papers, by_protocol):
        cached.cache_clear()
    assert [said.value for said in published_values(find_protocol("small_faces"))] == [3.1]
    assert "Ours 2026" not in {said.source for said in published_values(find_protocol("mafl"))}
    assert generated_files(all_protocols()) == before
    (asked,) = standings([find_protocol("small_faces")], requested=True)
    assert (asked.kind, len(asked.agreements)) == ("reported", 1)


def test_bench_names_the_preset_of_every_value_of_a_method_it_has() -> None:
    """Which preset is a method's default is asked nowhere, so papers' files say it."""
    presets = {
        (row.plugin, row.preset)
        for paper in papers(builtin_folder())
        for table in paper.tables
        for row in table.rows
        if row.plugin
    }
    assert presets == {
        ("lead", "paper"),
        ("lmdis", "paper"),
        ("imm", "released"),
        ("dve", "paper"),
        ("dve", "smallnet"),
        *((name, "paper") for name in ("contrast-landmarks", "ganseg", "latentkeypointgan")),
    }
