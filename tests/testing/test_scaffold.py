"""What is made from templates works at once: plugins with data sets, drafts of protocols."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests_fixtures import ROOT, Call
from tests_support import install_fake

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.home import builtin_folder
from benchmark.protocols import WORDS, Protocol, protocols_in
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import find_protocol
from benchmark.tasks.accepts import TASKS
from benchmark.tasks.faults import faults
from benchmark.testing.scaffold import new_dataset, new_method
from benchmark.testing.scaffold_protocol import new_protocol, protocol_of


@pytest.mark.long
def test_a_new_data_plugin_loads_and_its_tests_pass(
    harness: Path, tmp_path: Path, bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = bench("data", "new", "my-marks", "--out", str(tmp_path))
    assert said.code == 0, said.err
    folder = tmp_path / "bench-my-marks"
    assert f"pytest {folder}" in said.out
    source = str(folder / "src")
    point = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["entry-points"]
    install_fake(harness, "my-marks", point["bench"]["my-marks"])
    monkeypatch.syspath_prepend(source)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([source, os.environ["PYTHONPATH"]]))
    monkeypatch.setenv("BENCH_PLUGINS", "fakes,my-marks")
    plugins.cache_clear()
    (row,) = [r for r in bench("plugins", "--json").json if r["plugin"] == "my-marks"]
    assert (row["status"], row["datasets"], row["protocols"]) == ("ok", ["my-marks"], ["my_marks"])
    assert bench("protocol", "check", "my_marks").code == 0
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 passed" in ran.stdout


def test_code_of_a_new_data_plugin_is_as_bench_formats_it(tmp_path: Path) -> None:
    folder = new_dataset("marks", tmp_path)
    for words in (["check", "--isolated", "--select", "E,F,W,B"], ["format", "--check"]):
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--line-length", "120", str(folder)],
            capture_output=True, text=True, cwd=ROOT,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("name", ["Mine", "my data", "../mine", "1st", ""])
def test_names_of_data_sets_that_are_no_ids_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="is no id of a data set"):
        new_dataset(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def content(protocol: Protocol) -> dict:
    return protocol.model_dump(exclude={*WORDS, "id", "version"})


@pytest.mark.parametrize("protocol", protocols_in((builtin_folder(),)), ids=lambda p: p.name)
def test_a_new_protocol_says_what_the_other_says(
    harness: Path, tmp_path: Path, protocol: Protocol
) -> None:
    path = new_protocol("mine", protocol.name, tmp_path / "drafts")
    found = find_protocol(str(path))
    assert content(found) == content(protocol)
    assert found.name == "mine@1"
    assert faults(found, path.parent) == []


@pytest.mark.parametrize("task", TASKS)
def test_a_task_has_a_protocol_to_begin_from(
    harness: Path, tmp_path: Path, bench: Call, task: str
) -> None:
    said = bench("protocol", "new", "mine", "--task", task, "--out", str(tmp_path))
    assert said.code == 0, said.err
    path = tmp_path / "mine" / "1.toml"
    assert str(path) in said.out
    assert bench("protocol", "check", str(path)).code == 0
    assert find_protocol(str(path)).task == task


def test_a_new_protocol_tells_what_may_be_stated(harness: Path, tmp_path: Path) -> None:
    text = new_protocol("mine", "ytf5", tmp_path).read_text()
    assert '# masks = "labels"  # labels, above_half, full, flower_colours' in text
    assert "# Which points are asked for, and whose distance is the unit.\n[landmarks]" in text
    assert "reported" not in text


def test_what_is_taken_or_unknown_is_refused(harness: Path, tmp_path: Path, bench: Call) -> None:
    for name in ("Mine", "my-faces", "../mine", ""):
        with pytest.raises(InvalidInput, match="is no id of a protocol"):
            new_protocol(name, "ytf5", tmp_path / "drafts")
    with pytest.raises(InvalidInput, match="there is a protocol 'ytf5' already"):
        new_protocol("ytf5", "ytf68", tmp_path / "drafts")
    with pytest.raises(UnknownName):
        new_protocol("mine", "ytf6", tmp_path / "drafts")
    with pytest.raises(UnknownName):
        protocol_of("landmark_regresion")
    assert not (tmp_path / "drafts").exists()
    new_protocol("mine", "ytf5", tmp_path)
    with pytest.raises(InvalidInput, match="is there already"):
        new_protocol("mine", "ytf68", tmp_path)
    assert bench("protocol", "new", "other").code == 2


def test_a_taken_id_begins_no_plugin(harness: Path, tmp_path: Path) -> None:
    for make, word in (
        (new_dataset, "ytf68"),
        (lambda n, p: new_method(n, "landmarks", p), "grid"),
    ):
        with pytest.raises(InvalidInput, match="is there already"):
            make(word, tmp_path)
    assert not list(tmp_path.glob("bench-*"))
