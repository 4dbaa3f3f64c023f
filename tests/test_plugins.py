"""Plugins: cheap to list, and a broken one is a row, never a crash."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests_support import install_fake

from benchmark.contracts.errors import PluginBroken, UnknownName
from benchmark.contracts.spec import MethodSpec
from benchmark.registry.implementations import implementation
from benchmark.registry.plugins import load, plugins


class Point:
    """An entry point of whatever is given."""

    def __init__(self, name: str, module: object) -> None:
        self.name, self.module = name, module

    def load(self) -> object:
        if isinstance(self.module, BaseException):
            raise self.module
        return self.module


def module(**specs):  # type: ignore[no-untyped-def]
    from benchmark.contracts.hooks import hookimpl

    class Module:
        @hookimpl
        def bench_methods(self, register):  # type: ignore[no-untyped-def]
            for name, more in specs.items():
                register(
                    MethodSpec(
                        **{"id": name, "implementation": "a:B", "gives": ["landmarks"],
                           "summary": "", **more}
                    )
                )  # fmt: skip

    return Module()


def test_a_broken_plugin_is_kept_as_a_failure_and_the_others_load() -> None:
    found = load([Point("bad", ImportError("no module named torchy")), Point("good", module(a={}))])  # type: ignore[list-item]
    assert list(found.methods) == ["a"]
    assert [(f.name, f.error) for f in found.failures] == [
        ("bad", "ImportError: no module named torchy")
    ]


def test_a_plugin_that_exits_does_not_end_bench() -> None:
    found = load([Point("bad", SystemExit(3)), Point("good", module(a={}))])  # type: ignore[list-item]
    assert list(found.methods) == ["a"]
    assert found.failures[0].error == "SystemExit: 3"


@pytest.mark.parametrize(
    "spec, said",
    [
        ({"gives": []}, "gives is empty"),
        ({"gives": ["landmark"]}, "unknown kinds"),
        ({"implementation": "module.Class"}, "must read 'module:Class'"),
        ({"default_preset": "large"}, "is not among the presets"),
    ],
)
def test_a_registration_that_says_nonsense_is_refused_whole(spec: dict, said: str) -> None:
    found = load([Point("p", module(good={}, bad=spec))])  # type: ignore[list-item]
    assert not found.methods
    assert said in found.failures[0].error


def test_an_id_that_two_plugins_bring_is_neither_s() -> None:
    """Whose name comes first in the alphabet does not say whose the method is."""
    thief, honest = Point("aaa", module(lead={}, b={})), Point("lead", module(lead={}))
    found = load([honest, thief, Point("other", module(c={}))])  # type: ignore[list-item]
    assert found.provider == {"c": "other"}
    assert [(row.name, row.error) for row in found.rows] == [
        ("aaa", "method 'lead' is brought by 'lead' too"),
        ("lead", "method 'lead' is brought by 'aaa' too"),
        ("other", ""),
    ]
    with pytest.raises(PluginBroken, match="comes with the plugin 'aaa'"):
        found.method("b")


def test_a_plugin_that_fails_takes_no_id() -> None:
    bad = Point("aaa", module(lead={}, b={"gives": []}))
    found = load([bad, Point("lead", module(lead={}))])  # type: ignore[list-item]
    assert found.provider == {"lead": "lead"}


def test_two_plugins_of_one_name_are_both_refused() -> None:
    found = load([Point("lead", module(a={})), Point("lead", module(b={}))])  # type: ignore[list-item]
    assert not found.methods
    assert ["another distribution" in row.error for row in found.rows] == [True, True]


def test_a_plugin_that_takes_long_to_load_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Slow(Point):
        def load(self) -> object:
            time.sleep(0.5)
            return super().load()

    monkeypatch.setattr("benchmark.registry.plugins.PATIENCE", 0.1)
    load([Slow("asleep", module(a={})), Point("quick", module(b={}))])  # type: ignore[list-item]
    said = capsys.readouterr().err
    assert "the plugin 'asleep' is still being loaded after 0.1 s" in said
    assert "BENCH_PLUGINS" in said
    assert "quick" not in said


def test_a_misspelt_hook_is_named() -> None:
    from benchmark.contracts.hooks import hookimpl

    class Module:
        @hookimpl
        def bench_method(self, register):  # type: ignore[no-untyped-def]
            pass

    found = load([Point("p", Module())])  # type: ignore[list-item]
    assert "'bench_method', which is no hook" in found.failures[0].error


def test_unknown_methods_suggest_close_ones(harness: Path) -> None:
    with pytest.raises(UnknownName) as caught:
        plugins().method("gird")
    assert "did you mean 'grid'" in caught.value.cure


def test_a_class_that_is_not_there_is_a_broken_plugin_only_when_it_runs(harness: Path) -> None:
    spec = plugins().method("missing-class")
    with pytest.raises(PluginBroken, match="could not be imported"):
        implementation(spec)


@pytest.mark.parametrize(
    "reference, said, cure",
    [
        ("tests_fake_methods:Girds", "tests_fake_methods has no 'Girds'", "did you mean 'Grid'? "),
        (
            "tests_fake_methods:Zzzz",
            "tests_fake_methods has no 'Zzzz'",
            "defines: Both, BrokenNumbers, ",
        ),
        ("tests_fake_metods:Grid", "ModuleNotFoundError", "mend the plugin"),
    ],
)
def test_a_misspelt_implementation_says_where_it_is_written_and_what_there_is(
    harness: Path, reference: str, said: str, cure: str
) -> None:
    spec = MethodSpec(id="mine", implementation=reference, gives=["landmarks"], summary="s")
    with pytest.raises(PluginBroken, match="the registration's implementation=") as caught:
        implementation(spec)
    assert said in caught.value.message
    assert cure in caught.value.cure
    assert "Landmarks" not in caught.value.cure  # what is imported there is not its own


def test_a_method_of_ones_own_appears_once_it_is_installed(
    harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (harness / "bench_mine.py").write_text(
        "from benchmark.contracts import MethodSpec, hookimpl\n"
        "@hookimpl\n"
        "def bench_methods(register):\n"
        "    register(MethodSpec(id='mine', implementation='bench_mine_method:Mine',\n"
        "                        gives=['landmarks'], summary='my own'))\n"
    )
    install_fake(harness, "mine", "bench_mine")
    monkeypatch.setenv("BENCH_PLUGINS", "fakes,mine")
    done = subprocess.run(
        [sys.executable, "-m", "benchmark", "ls", "methods"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert any(line.startswith("mine") for line in done.stdout.splitlines())


HEAVY = "{'torch', 'numpy', 'pandas', 'scipy', 'torchvision', 'PIL'}"


@pytest.mark.parametrize(
    "arguments", ["--help", "ls methods", "ls protocols", "run --help", "board --help"]
)
def test_listing_and_help_import_nothing_heavy(arguments: str, harness: Path) -> None:
    script = (
        f"import sys; sys.argv = ['bench', *{arguments.split()!r}]\n"
        "from benchmark.cli import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
        f"heavy = sorted({HEAVY} & set(sys.modules))\nassert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
