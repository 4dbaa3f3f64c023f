"""The reference is what the code says, and the code says all that a reader needs."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import click
import jsonschema
import pytest
from tests_fixtures import ROOT, Call

from benchmark.cli import cli
from benchmark.home import builtin_folder
from benchmark.metrics.catalogue import CATALOGUE
from benchmark.pages import reference as pages
from benchmark.pages.reference import (
    CONTRACTS,
    PACKAGE,
    PROTOCOL_FILE,
    hooks,
    metric_modules,
    reference,
)
from benchmark.pages.reference_cli import commands, options
from benchmark.pages.reference_code import Item, cell, public, rendered
from benchmark.protocols import protocol_files
from benchmark.records.model import Record

DESCRIBED = [*(f"contracts/{name}" for name in (*CONTRACTS, "hooks")), *PROTOCOL_FILE]
FOUND = list(commands(cli, ("bench",)))
SCORING = {entry.function.partition(":")[2] for entry in CATALOGUE.values()}
METRICS = [item for path in metric_modules() for item in public(path)]
MODULE = {i.name: pages.module_words(path) for path in metric_modules() for i in public(path)}
COMMANDS = pages.commands_page(cli, "")


def test_the_pages_in_the_repository_are_current() -> None:
    for path, text in reference(cli).items():
        assert path.read_text("utf-8") == text, f"run `bench docs`: {path.name} is old"


def test_nothing_depends_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    before = reference(cli)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    assert reference(cli) == before


@pytest.mark.parametrize("name, command", FOUND, ids=[name for name, _ in FOUND])
def test_every_command_and_option_says_what_it_does(name: str, command: click.Command) -> None:
    assert (command.help or "").strip(), f"{name} has no help"
    section = COMMANDS.partition(f"# {name}\n")[2].partition("\n#")[0]
    assert section
    for option in options(command):
        assert (option.help or "").strip(), f"{name} {option.opts[0]} has no help"
        assert f"`{option.opts[0]}`" in section


def test_every_hook_says_what_it_is_given() -> None:
    assert {h.name for h in hooks()} >= {"bench_methods", "bench_protocols", "bench_datasets"}
    for hook in hooks():
        assert "register" in hook.words, hook.name


@pytest.mark.parametrize("module", DESCRIBED)
def test_every_name_and_field_of_a_contract_is_explained(module: str) -> None:
    for item in public(PACKAGE / f"{module}.py"):
        assert item.words, f"{item.name} has no docstring"
        for field in item.fields:
            explained = field.meaning or f"`{field.name}" in item.words
            assert explained, f"{item.name}.{field.name}: no string below it, no word in its class"
        for method in item.methods:
            assert method.words, f"{item.name}.{method.name} has no docstring"


@pytest.mark.parametrize("item", METRICS, ids=lambda i: i.name)
def test_every_metric_has_its_shapes_source_and_an_example(item: Item) -> None:
    assert item.words
    if item.heading.startswith("class "):
        assert item.fields or item.methods
        return
    assert ">>>" in item.words or "Example" in item.words, f"{item.name} has no example"
    words = item.words + MODULE[item.name]
    assert re.search(r"\([A-Z\d.]|[Aa]rguments|which see|As `|as `", words), "no shape"
    assert item.name not in SCORING or "Source" in words, f"{item.name} has no source"


@pytest.mark.parametrize("path", sorted((PACKAGE / "training").glob("[a-z]*.py")))
def test_the_toolkit_is_explained(path: Path) -> None:
    for item in public(path):
        for part in (item, *item.methods):
            assert part.words, f"{part.name} has no docstring"


def schema(name: str) -> jsonschema.Draft202012Validator:
    content = json.loads((ROOT / "docs" / "reference" / f"{name}.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


def test_records_keep_their_schema_and_others_do_not() -> None:
    records = sorted((ROOT / "leaderboards").glob("**/*.json"))
    valid = schema("record")
    for path in records[:: max(1, len(records) // 20)]:
        valid.validate(json.loads(path.read_text("utf-8")))
    changed = json.loads(records[0].read_text("utf-8"))
    changed["metrics"][0]["better"] = "sideways"
    assert [e.json_path for e in valid.iter_errors(changed)] == ["$.metrics[0].better"]
    assert not valid.is_valid({**changed, "more": 1})


def test_protocol_files_keep_their_schema_and_others_do_not() -> None:
    valid = schema("protocol")
    for path in protocol_files((builtin_folder(),)).values():
        valid.validate(tomllib.loads(path.read_text("utf-8")))
    assert not valid.is_valid({"id": "small", "version": 1})


def test_every_field_of_a_record_is_described_in_its_schema() -> None:
    content = json.loads((ROOT / "docs" / "reference" / "record.schema.json").read_text("utf-8"))
    assert list(content["properties"]) == list(Record.model_fields)
    assert content["properties"]["run_id"]["description"] == "Identity of the run."
    assert content["properties"]["record_schema"]["type"] == "integer"


def test_bench_docs_checks_writes_and_clears(
    tmp_path: Path, bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.pages.reference.checkout", lambda: tmp_path)
    said = bench("docs")
    assert said.code == 4
    assert "cure" in said.err
    (tmp_path / "docs").mkdir()
    assert bench("docs", "--check").code == 5
    assert not list((tmp_path / "docs").iterdir())
    assert bench("docs").out == "9 pages written\n"
    assert bench("docs", "--check").out == "all pages are current\n"
    (tmp_path / "docs" / "reference" / "old.md").write_text("of a page that was")
    (tmp_path / "docs" / "reference" / "cli.md").write_text("changed")
    said = bench("docs", "--check")
    assert "cli.md, old.md" in said.err
    assert bench("docs").out == "2 pages written\n"
    assert bench("docs", "--check").code == 0


def test_source_is_read_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text(
        '"""Words."""\nfrom x import field\nSIDE = 3\n"""How long."""\nHIDDEN = 4\n'
        "class Box(_Strict):\n"
        '    """A box of `side`."""\n'
        "    side: int = SIDE\n"
        "    names: list[str] = field(default_factory=list)\n"
        '    """Given names, one | or more."""\n'
        "    shared: ClassVar[int] = 1\n"
        "    _secret: int = 2\n"
        "    @classmethod\n"
        "    def of(cls, side: int, *, deep: bool = False) -> Box:\n"
        '        """Make one."""\n'
        "    @property\n"
        "    def volume(self) -> int:\n"
        '        """Its volume."""\n'
        "    def _hidden(self) -> None: ...\n"
    )
    constant, box = public(path)
    assert (constant.heading, constant.words) == ("SIDE = 3", "How long.")
    assert box.heading == "class Box"
    assert [(f.name, f.type, f.default) for f in box.fields] == [
        ("side", "int", "SIDE"),
        ("names", "list[str]", "[]"),
    ]
    assert cell(box.fields[1].meaning) == "Given names, one \\| or more."
    assert [m.heading for m in box.methods] == [
        "classmethod of(side: int, *, deep: bool=False) -> Box",
        "volume",
    ]
    path.write_text("")
    assert public(path) == []


def test_examples_are_fenced() -> None:
    text = "Sum.\n\n>>> 1 + 1\n2\n\nAnd more.\n\n>>> 3\n3"
    assert rendered(text) == (
        "Sum.\n\n```python\n>>> 1 + 1\n2\n```\n\nAnd more.\n\n```python\n>>> 3\n3\n```"
    )
