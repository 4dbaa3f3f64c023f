"""The house: imports only go down, modules are short and say what they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests_fixtures import ROOT

FLOORS = [
    {"__main__"},
    {"cli"},
    {"boards", "pages", "testing"},
    {"launch"},
    {"runner"},
    {"tasks"},
    {"probes"},
    {"metrics", "networks"},
    {"datasets"},
    {"protocols", "plugins", "method_errors", "settings", "isolation"},
    {"protocol_folders"},
    {"files", "home", "image_files"},
    {"contracts"},
    {"__init__"},  # the version
]
"""From the roof to the ground. Rooms on one floor may know each other."""

HEIGHT = {room: len(FLOORS) - i for i, rooms in enumerate(FLOORS) for room in rooms}

ALONE = {
    "boards": {"boards", "metrics", "protocols", "settings", "files", "home", "contracts"},
    "metrics": {"metrics", "contracts"},
    "networks": {"networks", "metrics", "contracts", "files", "home", "image_files"},
    "training": {"training", "contracts", "files"},
}
"""Rooms that may know less than all that lies below them: boards read records and run nothing, and
`training` is a toolkit for plugins. That boards are the same whatever is installed, they don't know
`plugins`."""

EXCEPTIONS = {
    # No plugin may take the id of a data set of bench's own: the table of these is data only.
    ("benchmark.registry.plugins", "benchmark.datasets.specs"),
    # The warps that a method trains with and those that make matching pairs are the same splines, and
    # a golden test holds them to the reference: there is one of them, with the pairs.
    ("benchmark.training.warp", "benchmark.warps.thin_plate"),
    ("benchmark.training.warp", "benchmark.warps.random_warps"),
}

MOST_LINES = 450

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
    if (name, other) in EXCEPTIONS or theirs == "__init__":
        return True
    if mine in ALONE:
        return theirs in ALONE[mine]
    return mine == theirs or (theirs in HEIGHT and HEIGHT[mine] >= HEIGHT[theirs])


def test_every_module_is_in_a_room_of_the_house() -> None:
    assert {room(m) for m in MODULES} <= HEIGHT.keys() | ALONE.keys()


@cache
def pairs() -> frozenset[tuple[str, str]]:
    """(module, what it imports) for all of bench."""
    return frozenset((name, o) for name, path in MODULES.items() for o in imported(name, path))


def test_imports_only_go_down() -> None:
    upward = [
        f"{name} imports {other}" for name, other in sorted(pairs()) if not allowed(name, other)
    ]
    assert not upward


def test_boards_and_pages_never_ask_which_plugins_are_installed() -> None:
    asking = [n for n, other in sorted(pairs()) if other == "benchmark.registry.plugins"]
    assert not [n for n in asking if room(n) in ("boards", "pages")]


def test_the_exceptions_are_needed() -> None:
    assert pairs() >= EXCEPTIONS


@pytest.mark.parametrize(
    "name, other, fine",
    [
        ("benchmark.cli.ls", "benchmark.boards.rows", True),
        ("benchmark.boards.rows", "benchmark.cli.ls", False),
        ("benchmark.boards.rows", "benchmark.runner.run", False),
        ("benchmark.metrics.pose", "benchmark.metrics.checks", True),
        ("benchmark.metrics.pose", "benchmark.protocols", False),
        ("benchmark.protocols", "benchmark.registry.plugins", True),
        ("benchmark.files", "benchmark.contracts.errors", True),
        ("benchmark.contracts.errors", "benchmark.files", False),
        ("benchmark.training.loop", "benchmark.datasets.prepared", False),
        ("benchmark.runner.run", "benchmark.training.loop", False),
    ],
)
def test_the_rule_is_the_one_meant(name: str, other: str, fine: bool) -> None:
    assert allowed(name, other) == fine


def test_imports_inside_functions_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text(
        "import benchmark.home\nfrom benchmark import plugins\nWHERE = 'benchmark.runner.run:run'\n"
        "def later():\n    from benchmark.cli import names, main\n    import torch\n"
    )
    assert list(imported("made", path)) == [
        "benchmark.home",
        "benchmark.registry.plugins",
        "benchmark.runner.run",
        "benchmark.cli.names",
        "benchmark.cli",
    ]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_is_and_is_short(name: str) -> None:
    text = MODULES[name].read_text("utf-8")
    if text:
        assert ast.get_docstring(ast.parse(text)), f"{name} has no docstring"
    assert len(text.splitlines()) <= MOST_LINES
