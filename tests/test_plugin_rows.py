"""Each plugin is one row; what is wrong with one is its row's reason and disturbs nothing else."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from tests_fixtures import Call
from tests_support import install_fake

from benchmark.cli.commands import COMMANDS
from benchmark.contracts.errors import PluginBroken
from benchmark.contracts.names import LONGEST_LINE, id_faults, shown, text_faults
from benchmark.registry.implementations import command_of
from benchmark.registry.plugins import plugins

HEAD = """
from pathlib import Path
from benchmark.contracts import *

def method(**more):
    usual = dict(id="mine", implementation="bench_torn_method:Mine", gives=["landmarks"], summary="s")
    return MethodSpec(**usual | more)

def data(**more):
    texts = dict.fromkeys(("summary", "homepage", "terms", "obtain", "layout"), "s")
    usual = dict(id="mine", implementation="a:B", **texts)
    return DatasetSpec(**usual | more)
"""


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """The modules of one test are not those of the next."""
    yield
    for name in [
        n for n in sys.modules if n.startswith(("bench_torn", "bench_later", "bench_thief"))
    ]:
        del sys.modules[name]
    importlib.invalidate_caches()


def install(
    site: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str = "torn", method: str = ""
) -> None:
    """An installed distribution whose registration module is `text`."""
    install_fake(site, name, f"bench_{name}")
    (site / f"bench_{name}.py").write_text(HEAD + text)
    (site / f"bench_{name}_method.py").write_text(method)
    monkeypatch.setenv("BENCH_PLUGINS", f"{os.environ['BENCH_PLUGINS']},{name}")
    plugins.cache_clear()


def hook(what: str, value: str) -> str:
    return f"@hookimpl\ndef bench_{what}(register):\n    register({value})\n"


def row(bench: Call, *words: str) -> dict:
    """The row of the plugin `torn`; all others are in order."""
    rows = {r["plugin"]: r for r in bench("plugins", "--json", *words).json}
    assert [r["plugin"] for r in rows.values() if r["error"]] in ([], ["torn"])
    assert rows["fakes"]["status"] == "ok"
    return rows["torn"]


AT_ONCE = {
    "raises at import": ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
    "exits at import": ("raise SystemExit(0)", "SystemExit: 0"),
    "is no Python": ("def :", "SyntaxError"),
    "raises in its hook": (hook("methods", "1 / 0"), "ZeroDivisionError"),
    "misspells a hook": (hook("method", "method()"), "no hook of bench"),
    "registers nonsense": (hook("methods", "7"), "7, which is no MethodSpec"),
    "registers an id twice": (
        hook("methods", "method()") + "    register(method())\n", "'mine' is already registered"),
    "takes bench's data set": (hook("datasets", "data(id='celeba')"), "already registered"),
    "takes bench's command": (
        hook("commands", "CommandSpec('run', 'a:b', 's')"), "'run' is already registered"),
    "takes bench's launcher": (
        hook("launchers", "LauncherSpec('slurm', 'a:b', 's')"), "'slurm' is already registered"),
    "names no class": (hook("methods", "method(implementation='mine')"), "must read 'module:Class'"),
}  # fmt: skip


@pytest.mark.parametrize("case", AT_ONCE)
def test_a_broken_plugin_is_a_row_with_its_reason(
    bench: Call, harness: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    text, reason = AT_ONCE[case]
    install(harness, monkeypatch, text)
    found = row(bench)
    assert found["status"] == "broken"
    assert reason in found["error"]
    assert (found["version"], found["methods"], found["datasets"]) == ("1.0", [], [])
    assert "grid" in bench("ls", "methods").out


def test_of_two_plugins_with_one_id_both_are_rows_and_one_may_be_chosen(
    bench: Call, harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(harness, monkeypatch, hook("methods", "method(id='grid')"))
    rows = {r["plugin"]: r["error"] for r in bench("plugins", "--json").json if r["error"]}
    assert rows == {
        "fakes": "method 'grid' is brought by 'torn' too",
        "torn": "method 'grid' is brought by 'fakes' too",
    }
    said = bench("run", "-m", "grid", "-p", "ytf5", "--twin", "--plan")
    assert said.code == 8
    assert "BENCH_PLUGINS" in said.err
    monkeypatch.setenv("BENCH_PLUGINS", "fakes")
    plugins.cache_clear()
    assert "grid" in bench("ls", "methods").out


MODEL = "class Mine(Method):\n    class Settings(MethodSettings):\n        "
LATER = {
    "a missing class": ("", "could not be imported: bench_later has no 'Mine'"),
    "a class of another kind": ("Mine = dict", "not a subclass of Method"),
    "settings that are none": ("class Mine(Method):\n    Settings = dict", "MethodSettings"),
    "settings without a default": (
        f"{MODEL}depth: int", "Field required"),
    "settings no record can hold": (
        f"{MODEL}rate: float = float('inf')",
        "NaN or infinity"),
    "a setting without a type": (
        f"{MODEL}depth = 8", "the setting `depth = 8` has no type: give it one, `depth: int = …`"),
    "a model pydantic refuses": (
        f"{MODEL}net: object() = 1", "imported"),
    "a preset of unknown settings": (
        f"{MODEL}x: int = 1", "depth"),
}  # fmt: skip


@pytest.mark.parametrize("case", LATER)
def test_what_only_importing_tells_is_found_when_asked_for(
    bench: Call, harness: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    code, reason = LATER[case]
    presets = "presets={'deep': {'depth': 3}}" if "preset" in case else ""
    spec = f"method(implementation='bench_later:Mine', {presets})"
    (harness / "bench_later.py").write_text(f"from benchmark.contracts import *\n{code}\n")
    install(harness, monkeypatch, hook("methods", spec))
    monkeypatch.setenv("BENCH_PLUGINS", "torn")
    plugins.cache_clear()
    assert bench("plugins", "--json").json[0]["status"] == "ok"
    checked = bench("plugins", "--check", "--json")
    assert checked.code == 8
    assert reason in checked.json[0]["error"]
    assert "\n" not in checked.json[0]["error"]


def test_what_needs_methods_of_other_plugins_is_a_note(bench: Call, floors: Path) -> None:
    checked = bench("plugins", "--check", "--json")
    found = next(r for r in checked.json if r["plugin"] == "bench_floors")
    assert (found["status"], found["error"]) == ("ok", "")
    assert found["note"] == "presets of random-features need methods that are not installed: lead"
    assert "note  bench_floors: presets of random-features" in bench("plugins", "--check").out
    assert "note" not in bench("plugins").out


def test_a_floor_that_imitates_has_the_presets_that_other_plugins_name(
    bench: Call, floors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = plugins().methods["random-features"]
    assert (dict(before.presets), before.default_preset, before.twin_preset) == ({}, "", "")
    spec = "method(id='lead', presets={'small': {}, 'paper': {}}, untrained=['small'])"
    install(floors, monkeypatch, hook("methods", spec))
    after = plugins().methods["random-features"]
    assert after.presets == {"lead-small": {"of": "lead:small"}}
    assert (after.default_preset, after.twin_preset) == ("", "lead-small")
    (fault,) = replace(plugins().methods["lead"], untrained=["large"]).problems()
    assert fault == "untrained names large, not among the presets"


ANSI, TAG = "\\x1b[2Jgone", "<script>alert(1)</script>"

HOSTILE = {
    "traversal": hook("methods", "method(id='../../etc')"),
    "absolute id": hook("methods", "method(id='/etc/passwd')"),
    "space": hook("methods", "method(id='a b')"),
    "line break": hook("methods", "method(id='mine\\n')"),
    "empty id": hook("methods", "method(id='')"),
    "id is a number": hook("methods", "method(id=7)"),
    "long id": hook("methods", "method(id='a' * 65)"),
    "ANSI in an id": hook("methods", f"method(id='{ANSI}')"),
    "ANSI in a summary": hook("methods", f"method(summary='{ANSI}')"),
    "HTML in a summary": hook("methods", f"method(summary='{TAG}')"),
    "HTML in a licence": hook("methods", f"method(licence='{TAG}')"),
    "line break in a summary": hook("methods", "method(summary='a\\nb')"),
    "huge summary": hook("methods", "method(summary='a' * 10**6)"),
    "summary is none": hook("methods", "method(summary=None)"),
    "NaN in a preset": hook("methods", "method(presets={'p': {'rate': float('nan')}})"),
    "infinity deep in a preset": hook("methods", "method(presets={'p': {'n': [{'r': -1e999}]}})"),
    "object in a preset": hook("methods", "method(presets={'p': {'rate': object()}})"),
    "preset that is a path": hook("methods", "method(presets={'../p': {}})"),
    "presets that are none": hook("methods", "method(presets=None)"),
    "data set traversal": hook("datasets", "data(id='../ytf68')"),
    "data set absolute": hook("datasets", "data(id='/data')"),
    "ANSI in the terms": hook("datasets", f"data(terms='{ANSI}')"),
    "command traversal": hook("commands", "CommandSpec('../x', 'a:b', 's')"),
    "command that is an option": hook("commands", "CommandSpec('--help', 'a:b', 's')"),
    "ANSI in a command": hook("commands", f"CommandSpec('x', 'a:b', '{ANSI}')"),
    "code for a module": hook("commands", "CommandSpec('x', 'a;b:c()', 's')"),
    "environment outside": hook("methods", "method(environment=Environment('a:../../x.txt'))"),
    "ANSI in an error": f"raise RuntimeError('{ANSI}' + 'x' * 10**5)",
    "relative folder": hook("protocols", "Path('.')"),
    "no folder": hook("protocols", "Path('/no/such/folder')"),
    "folder is a number": hook("protocols", "7"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_plugin_is_refused_with_one_reason_that_can_be_printed(
    bench: Call, harness: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    install(harness, monkeypatch, HOSTILE[case])
    found = row(bench)
    assert found["status"] == "broken"
    assert found["error"].isprintable()
    assert 5 < len(found["error"]) <= LONGEST_LINE
    said = bench("plugins").out + bench("doctor").out + bench("ls", "methods").out
    assert "\x1b" not in said
    assert max(map(len, said.splitlines())) < 2000


@pytest.mark.parametrize("lead_out", ["folder", "file"])
def test_links_out_of_a_protocols_folder_are_refused(
    bench: Call, harness: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lead_out: str
) -> None:
    inside, outside = tmp_path / "brought", tmp_path / "elsewhere"
    for folder in (inside / "mine", outside):
        folder.mkdir(parents=True)
        (folder / "1.toml").write_text("")
    link = inside / "more" if lead_out == "folder" else inside / "mine" / "2.toml"
    link.symlink_to(outside if lead_out == "folder" else outside / "1.toml")
    install(harness, monkeypatch, hook("protocols", f"Path({str(inside)!r})"))
    assert "leads out of it" in row(bench)["error"]
    link.unlink()
    plugins.cache_clear()
    assert row(bench)["protocols"] == ["mine"]


@pytest.mark.parametrize("name, reason", [("ytf5", "is bench's own"), ("a b", "lower-case words")])
def test_a_protocol_may_not_pass_for_another(
    bench: Call, harness: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, reason: str
) -> None:  # fmt: skip
    (tmp_path / "brought" / name).mkdir(parents=True)
    (tmp_path / "brought" / name / "99.toml").write_text("")
    install(harness, monkeypatch, hook("protocols", f"Path({str(tmp_path / 'brought')!r})"))
    assert reason in row(bench)["error"]


def test_an_entry_point_may_not_pass_for_another(
    bench: Call, harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = harness / "thief-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thief\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[bench]\nfakes = bench_thief\n../x = bench_thief\n")
    (harness / "bench_thief.py").write_text("")
    monkeypatch.setenv("BENCH_PLUGINS", "fakes,../x")
    plugins.cache_clear()
    rows = bench("plugins", "--json").json
    assert [(r["distribution"], r["status"]) for r in rows if r["plugin"] == "fakes"] == [
        ("fakes", "broken"),
        ("thief", "broken"),
    ]
    assert "letters and digits" in next(r["error"] for r in rows if r["plugin"] == "../x")


def test_what_a_plugin_prints_does_not_break_json(
    bench: Call, harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(harness, monkeypatch, "print('hello')\n" + hook("methods", "method()"))
    said = bench("plugins", "--json")
    assert "hello" in said.err
    assert json.loads(said.out)[1]["methods"] == ["mine"]


@pytest.mark.parametrize("text", ["raise OSError('gone')", hook("methods", "method(id='mine')") +
                                  "    register(method(id='../x'))\n"])  # fmt: skip
def test_a_run_of_a_broken_plugins_method_says_so_with_the_cure(
    run: Call, harness: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    install(harness, monkeypatch, text)
    said = run("torn" if "OSError" in text else "mine")
    assert said.code == 8
    assert "the plugin 'torn', which is broken: " in said.err
    assert "reinstall it into this Python" in said.err
    assert "Traceback" not in said.err
    other = run("grod")
    assert other.code == 2
    assert "did you mean 'grid'" in other.err
    assert "a plugin that is broken ('torn')" in other.err


COMMAND = """
import click

@click.command()
@click.argument("word")
def command(word):
    "Say a word again."
    click.echo(f"{word} {word}")
"""


def test_a_plugins_command_is_one_of_bench(
    bench: Call, harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = hook("commands", "CommandSpec('echo', 'bench_torn_method:command', 'Say it again.')")
    text += "    register(CommandSpec('none', 'bench_torn_method:click', 'No command.'))\n"
    install(harness, monkeypatch, text, method=COMMAND)
    assert row(bench)["commands"] == ["echo", "none"]
    assert bench("echo", "hello").out == "hello hello\n"
    assert "Say a word again." in bench("echo", "--help").out
    assert bench("echo").code == 2
    assert "is no click command" in bench("none").err
    assert "did you mean 'echo'" in bench("ecco").err


def test_bench_is_a_plugin_of_itself() -> None:
    found = plugins()
    assert set(COMMANDS) <= set(found.commands)
    assert {"local", "slurm", "ray"} <= set(found.launchers)
    assert "bench" not in {row.name for row in found.rows}
    for spec in found.commands.values():
        assert command_of(spec).callback or spec.id in COMMANDS


def test_without_benchs_own_entry_point_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, harness: Path
) -> None:
    others = [p for p in entry_points(group="bench") if p.value != "benchmark.builtin"]
    monkeypatch.setattr("benchmark.registry.plugins.entry_points", lambda group: others)
    plugins.cache_clear()
    with pytest.raises(PluginBroken, match="own entry point is not installed") as caught:
        plugins()
    assert "pip install -e ." in caught.value.cure


def test_names_that_are_fine_are_left_alone() -> None:
    assert not [f for name in ("lead", "a.b-c_d", "3d") for f in id_faults("id", name)]
    assert not text_faults("summary", "points where k < 5 & x > 2: “sharp”")
    assert shown("plain words", quote=False) == "plain words"
