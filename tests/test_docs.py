"""What the documentation says is true: examples run, command lines parse, tables are complete."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import click
import pytest
from tests_fixtures import ROOT, Call
from tests_support import install_fake

from benchmark.cli import cli
from benchmark.registry.plugins import plugins

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")),
         *sorted((ROOT / "docs" / "how-to").glob("*.md")),
         *sorted((ROOT / "plugins").glob("*/README.md"))]  # fmt: skip
REFERENCE = (ROOT / "docs" / "reference.md").read_text("utf-8")
MOST_LINES = 40

SOURCES = [
    *(ROOT / "benchmark").rglob("*.py"),
    *(ROOT / "plugins").glob("*/src/**/*.py"),
]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)


@pytest.fixture
def example(harness: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The method of docs/add-a-method.md, installed as the page says."""
    page = ROOT / "docs" / "add-a-method.md"
    (project,) = blocks(page, "toml")
    python = blocks(page, "python")
    ((name, package),) = tomllib.loads(project)["project"]["entry-points"]["bench"].items()
    folder = harness / package
    folder.mkdir()
    for file, code in zip(("__init__.py", "method.py"), python, strict=True):
        assert f"`{package}/{file}`" in page.read_text("utf-8")
        (folder / file).write_text(code)
    install_fake(harness, name, package)
    # the fake methods have a "grid" of their own, so only their protocol comes along
    (harness / "only_protocols.py").write_text("from tests_fakes import bench_protocols\n")
    install_fake(harness, "only_protocols", "only_protocols")
    monkeypatch.setenv("BENCH_PLUGINS", f"{name},only_protocols")
    plugins.cache_clear()
    yield python
    for module in [m for m in sys.modules if m.partition(".")[0] == package]:
        del sys.modules[module]


def test_the_method_of_the_guide_runs(example: list[str], bench: Call, run: Call) -> None:
    listed = bench("ls", "methods", "--json").json
    assert [m["method"] for m in listed["methods"]] == ["grid"]
    assert not listed["broken"]
    values = {}
    for side in (3, 4):
        said = run("grid", "--set", f"side={side}", "--json")
        assert said.code == 0, said.err
        made = json.loads(Path(said.json["record"]).read_text())
        assert made["method"]["settings"] == {"side": side}
        assert made["probe"]["landmarks"] == side**2
        values[side] = said.json["metrics"]["nme_iod"]
    assert values[3] != values[4]


def test_the_method_of_the_guide_is_small(example: list[str]) -> None:
    lines = [line for code in example for line in code.splitlines() if line.strip()]
    assert len(lines) <= MOST_LINES


def command_lines(text: str) -> Iterator[tuple[str, bool]]:
    """`bench …` lines of a page, and whether a line is meant to be typed as it stands."""
    fenced = False
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif (fenced or line.startswith("    ")) and re.match(r"\s*(\$ )?bench ", line):
            yield line.strip().removeprefix("$ "), True
        else:
            yield from ((found, False) for found in re.findall(r"`(bench [^`]+)`", line))


COMMAND_LINES = [
    (page, line, whole) for page in PAGES for line, whole in command_lines(page.read_text("utf-8"))
]


def read(line: str) -> tuple[list[list[str]], list[str]]:
    """The words of a line: those of the command (each with its alternatives), and the options'."""
    line = re.sub(r"<[^>]*>", "SOMETHING", line)
    line = re.sub(r"[\[\]…]", " ", line.replace("\\|", "|"))
    words = shlex.split(line, comments=True)
    for end in ("|", "&&", ";", ">"):
        words = words[: words.index(end)] if end in words else words
    first = next((i for i, w in enumerate(words) if w.startswith("-")), len(words))
    return [w.split("|") for w in words[1:first]], words[first:]


def require_possible(line: str, whole: bool) -> None:
    """Fail for a line that bench would refuse; one that is meant to be typed is parsed as a whole."""
    words, options = read(line)
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group) and words:
        if words[0][0].startswith("SOMETHING"):
            return
        chosen = [command.get_command(context, name) for name in words.pop(0)]
        assert None not in chosen, f"unknown command in {line!r}"
        command = chosen[-1]  # type: ignore[assignment]
    known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {
        "--help",
        "--debug",
    }
    used = {o.partition("=")[0] for o in options if o.startswith("-")}
    assert used <= known | {o for p in cli.params for o in p.opts}
    if whole and not isinstance(command, click.Group):
        rest = [word[0] for word in words] + [o for o in options if o != "--debug"]
        # the files and folders of an example need not be here
        with patch.object(click.Path, "convert", lambda self, value, *_: value):
            command.make_context(command.name, rest)


def test_every_command_line_in_the_docs_is_one(
    harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the plugins that bring commands of their own
    monkeypatch.setenv("BENCH_PLUGINS", f"{os.environ['BENCH_PLUGINS']},aist")
    plugins.cache_clear()
    faults = []
    for page, line, whole in COMMAND_LINES:
        try:
            require_possible(line, whole)
        except (AssertionError, click.ClickException) as error:
            faults.append(f"{page.relative_to(ROOT)}: {line}: {error}")
    assert faults == []


def test_command_lines_are_found_and_wrong_ones_are_noticed(harness: Path) -> None:
    text = "`bench ls runs`\n    bench run -m a \\\n      -p b  # words\n```\n$ bench board\n```\n"
    found = list(command_lines(text))
    assert [whole for _, whole in found] == [False, True, True]
    assert read(found[1][0]) == ([["run"]], ["-m", "a", "-p", "b"])
    assert read("bench ls methods\\|runs [--json]") == ([["ls"], ["methods", "runs"]], ["--json"])
    assert len(COMMAND_LINES) > 30
    for wrong in ("bench rum", "bench run -m a -p b --sede 1", "bench data fetch", "bench ls all"):
        with pytest.raises((AssertionError, click.UsageError)):
            require_possible(wrong, True)


def test_every_variable_of_the_environment_is_in_the_reference() -> None:
    used = {
        name
        for path in SOURCES
        for name in re.findall(r"(?<![A-Z_])BENCH_[A-Z0-9_]+[A-Z0-9]", path.read_text("utf-8"))
    }
    assert {"BENCH_HOME", "BENCH_DATA", "BENCH_PLUGINS"} <= used
    explained = set(re.findall(r"^\| `(BENCH_\w+)` \|", REFERENCE, re.M))
    assert explained == used


def test_every_exit_code_is_in_the_reference_and_no_other() -> None:
    used = {0, 70, 130}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "exit_code":
                used.add(ast.literal_eval(node.value))
    section = REFERENCE.partition("## Exit codes")[2].partition("\n## ")[0]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", section, re.M)} == used


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(
            r"\]\(([^)#' ]+)(?:#[^)]*)?(?: '[^']*')?\)", page.read_text("utf-8")
        ):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_row_that_is_taken_apart_is_the_boards() -> None:
    """What docs/read-a-board.md shows of a row, by the heads of its table, and says of its rank."""

    def rows(text: str) -> list[list[str]]:
        lines = [line for line in text.splitlines() if line.startswith("|")]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]

    page = (ROOT / "docs" / "read-a-board.md").read_text("utf-8")
    heads, _, shown = rows(page)
    board = (ROOT / "leaderboards" / "ytf5" / "1" / "README.md").read_text("utf-8")
    names, _, *body = rows(board)
    there = [dict(zip(names, cells, strict=False)) for cells in body]
    assert shown in [[row[head] for head in heads] for row in there]
    assert f"{shown[0]} means *undecided*" in page


def test_the_glossary_says_what_the_terms_mean_once_each() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    rows = [
        line.strip("| ").split(" | ")
        for line in page.splitlines()
        if line.startswith("| ") and line[2:5] not in ("ter", "---")
    ]
    terms = [
        term.strip("*") for row in rows for term in re.split(r", ", row[0]) if row[0] != "term"
    ]
    wanted = {
        "NME",
        "IOD",
        "probe",
        "landmarks",
        "parts",
        "descriptors",
        "twin",
        "floor",
        "ceiling",
    }
    wanted |= {
        "protocol",
        "item",
        "group",
        "run",
        "fit",
        "record",
        "board",
        "preset",
        "view",
        "crop",
    }
    assert wanted | {"weights", "grant", "headline", "digest"} <= set(terms)
    assert len(terms) == len(set(terms))
    linked = [row for row in rows if "](" in row[1]]
    assert len(linked) >= 0.8 * len(rows)


def test_nobody_is_called_people_where_images_are_meant() -> None:
    shown = [*PAGES, *(ROOT / "benchmark").rglob("*.py"), *(ROOT / "benchmark").rglob("*.html")]
    found = [p for p in shown if re.search(r"(validation|test) people", p.read_text("utf-8"))]
    assert {p.name for p in found} <= {"README.md"}  # of LEAD and IMM, on faces
    assert (ROOT / "README.md") not in found
