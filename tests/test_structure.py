"""The house: imports only go down, modules are short and say what they are."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests_fixtures import ROOT

FLOORS = [
    {"__main__", "builtin"},
    {"cli", "__init__"},
    {"interface", "studies"},
    {"pages", "testing"},
    {"pictures"},
    {"boards", "launch", "training"},
    {"runner"},
    {"verification"},
    {"tasks"},
    {"probes"},
    {"datasets", "networks"},
    {"registry", "records"},
    {"isolation", "metrics", "protocols"},
    {"settings", "twins", "warps"},
    {"method_errors", "colours", "files", "home", "image_files", "lifeline"},
    {"contracts", "version"},
]
"""From the roof to the ground. A room knows those below it, never those beside it."""

HEIGHT = {room: len(FLOORS) - i for i, rooms in enumerate(FLOORS) for room in rooms}

ALONE = {
    "boards": {"metrics", "records", "protocols", "settings", "files", "home", "contracts"},
    "records": {"metrics", "protocols", "files", "home", "contracts"},
    "protocols": {"files", "home", "contracts"},
    "metrics": {"contracts"},
    "twins": {"contracts"},
    "training": {"warps", "contracts", "files"},
    "__init__": {"interface", "version"},
}
"""Rooms that may know less than all that lies below them: boards read records and run nothing, records
and protocols are the same whatever is installed, `training` is a toolkit for plugins, and the package
itself leads to the interface alone."""

MOST_LINES = 450
LARGEST_ROOM = 0.15
"""As a share of all lines."""

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in sorted((ROOT / "benchmark").rglob("*.py"))
}


def imported(name: str, path: Path) -> Iterator[str]:
    """The modules of bench that a module imports, at its top or inside its functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports by dots"
            below = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [
                b if b in MODULES or f"{b}.__init__" in MODULES else node.module for b in below
            ]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # "module:Class", as in the tables of what is imported by name
            found = [node.value.partition(":")[0]] if ":" in node.value else []
        else:
            continue
        yield from (f for f in dict.fromkeys(found) if f.partition(".")[0] == "benchmark")


def room(module: str) -> str:
    """ "benchmark.cli.ls" is in "cli"; the package itself is "__init__"."""
    return (module.split(".") + ["__init__"])[1]


def allowed(name: str, other: str) -> bool:
    mine, theirs = room(name), room(other)
    if mine == theirs or theirs == "version":
        return True
    if mine in ALONE:
        return theirs in ALONE[mine]
    return theirs in HEIGHT and HEIGHT[mine] > HEIGHT[theirs]


def test_every_module_is_in_a_room_of_the_house() -> None:
    assert {room(m) for m in MODULES} <= HEIGHT.keys()


@cache
def pairs() -> frozenset[tuple[str, str]]:
    """(module, what it imports) for all of bench."""
    return frozenset((name, o) for name, path in MODULES.items() for o in imported(name, path))


def test_imports_only_go_down() -> None:
    upward = [
        f"{name} imports {other}" for name, other in sorted(pairs()) if not allowed(name, other)
    ]
    assert not upward


def test_every_module_that_is_imported_is_there() -> None:
    """mypy takes a module that is nowhere for one without types."""
    there = MODULES.keys() | {name.removesuffix(".__init__") for name in MODULES}
    assert [f"{n} imports {o}" for n, o in sorted(pairs()) if o not in there] == []


def test_boards_and_pages_never_ask_which_plugins_are_installed() -> None:
    asking = {n for n, other in sorted(pairs()) if room(other) == "registry"}
    assert not [n for n in asking if room(n) in ("boards", "pages", "records", "protocols")]


@pytest.mark.parametrize(
    "name, other, fine",
    [
        ("benchmark.cli.ls", "benchmark.boards.rows", True),
        ("benchmark.boards.rows", "benchmark.cli.ls", False),
        ("benchmark.boards.rows", "benchmark.runner.run", False),
        ("benchmark.metrics.pose", "benchmark.metrics.checks", True),
        ("benchmark.metrics.pose", "benchmark.protocols", False),
        ("benchmark.protocols", "benchmark.registry.plugins", False),
        ("benchmark.files", "benchmark.contracts.errors", True),
        ("benchmark.contracts.errors", "benchmark.files", False),
        ("benchmark.training.loop", "benchmark.datasets.prepared", False),
        ("benchmark.runner.run", "benchmark.training.loop", False),
        ("benchmark.cli.running", "benchmark.interface.running", True),
        ("benchmark.interface.running", "benchmark.cli.output", False),
        ("benchmark.__init__", "benchmark.interface.tables", True),
        ("benchmark.__init__", "benchmark.runner.run", False),
    ],
)
def test_the_rule_is_the_one_meant(name: str, other: str, fine: bool) -> None:
    assert allowed(name, other) == fine


def test_imports_inside_functions_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text(
        "import benchmark.home\nfrom benchmark import files\nWHERE = 'benchmark.runner.run:run'\n"
        "def later():\n    from benchmark.cli import names, main\n    import torch\n"
    )
    assert list(imported("made", path)) == [
        "benchmark.home",
        "benchmark.files",
        "benchmark.runner.run",
        "benchmark.cli.names",
        "benchmark.cli",
    ]


def test_a_module_says_what_it_is_and_is_short() -> None:
    texts = {name: path.read_text("utf-8") for name, path in MODULES.items()}
    assert len(texts) > 200
    assert [name for name, t in texts.items() if t and not ast.get_docstring(ast.parse(t))] == []
    assert [name for name, t in texts.items() if len(t.splitlines()) > MOST_LINES] == []


def test_no_room_holds_more_than_its_share() -> None:
    lines = Counter[str]()
    for name, path in MODULES.items():
        lines[room(name)] += len(path.read_text("utf-8").splitlines())
    total = sum(lines.values())
    assert {r: n for r, n in lines.items() if n > LARGEST_ROOM * total} == {}
