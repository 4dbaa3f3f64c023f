"""`import benchmark` is light; what it offers is found, typed, and no room of the same name hides it."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from tests_fixtures import ROOT

import benchmark


def imported(code: str) -> str:
    """Which heavy packages a program has imported when it ends."""
    heavy = "('torch', 'numpy', 'pandas', 'click', 'pydantic')"
    code += f"; import sys; print(*(m for m in {heavy} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert imported("import benchmark") == ""


def test_boards_are_read_without_torch() -> None:
    assert "torch" not in imported("import benchmark; benchmark.board; benchmark.items")


def test_what_is_offered_is_there_and_explained() -> None:
    assert set(benchmark.__all__) >= {"board", "items", "load", "protocol", "results", "run"}
    for name in benchmark.__all__:
        assert name in dir(benchmark)
        assert (getattr(benchmark, name).__doc__ or "").strip()
    with pytest.raises(AttributeError, match="benchmark has no 'bord'"):
        benchmark.bord  # noqa: B018


def test_no_room_takes_a_name_away() -> None:
    """`import benchmark.records` would put the room in the place of a function called so."""
    rooms = {p.stem for p in (ROOT / "benchmark").iterdir() if p.suffix == ".py" or p.is_dir()}
    assert not rooms & set(benchmark.__all__)


def test_types_are_those_of_the_functions() -> None:
    tree = ast.parse((ROOT / "benchmark" / "__init__.py").read_text("utf-8"))
    typed = {
        alias.name: str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("benchmark.")
        for alias in node.names
        if alias.name != "__version__"
    }
    assert sorted(typed) == benchmark.__all__
    for name, module in typed.items():
        assert getattr(benchmark, name).__module__ == module
