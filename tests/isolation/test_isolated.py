"""A method with packages of its own: it runs as any other, and nothing of its process is left over."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch
from tests_fixtures import Call

from benchmark.contracts.errors import BenchError, PluginBroken, TrainingFailed
from benchmark.contracts.spec import Environment, MethodSpec
from benchmark.home import home, leaderboards
from benchmark.interface.progress import Silent
from benchmark.isolation import environments
from benchmark.isolation.environments import environment_of
from benchmark.isolation.proxy import _desks
from benchmark.records.reading import read_record
from benchmark.registry.plugins import plugins
from benchmark.runner.plan import Plan, make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run
from benchmark.testing.conformance import check_method

REQUEST = Request(method="clash", protocol="small_faces", twin=True, device="cpu")


def left_over() -> list[str]:
    """Processes that work for this test's home, and what they left there."""
    _desks.clear()
    gc.collect()
    for _ in range(300):
        listed = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True).stdout
        found = [line for line in listed.splitlines() if f"{home()}/scratch" in line]
        found += [str(p) for p in (home() / "scratch").glob("*")]
        if not found:
            return []
        time.sleep(0.1)
    return found


def plan_of() -> Plan:
    return make_plan(REQUEST, Silent())


@pytest.mark.long
def test_a_fit_that_dies_goes_on_and_the_record_says_where_it_ran(
    clash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of()
    monkeypatch.setenv("CLASH_FAULT", "5 die")
    with pytest.raises(TrainingFailed, match=r"process of method 'clash' died \(signal 9"):
        run(plan, Silent())
    assert torch.load(plan.fit_folder / "checkpoint.pt", weights_only=True)["step"] == 5
    assert (plan.fit_folder / "checkpoint-half%20way.pt").exists()
    monkeypatch.delenv("CLASH_FAULT")
    record = run(plan, Silent()).record
    assert (record.stages["fit"].attempts, record.stages["fit/middle"].attempts) == (2, 1)
    assert version("tabulate") != "0.8.10"
    assert record.fitted is not None
    where = record.fitted.environment
    assert where is not None
    assert where.packages["tabulate"] == "0.8.10"
    assert where.packages["torch"] == version("torch")
    assert where.digest == environment_of(plan.spec).digest
    assert record.notes == ["tabulate 0.8.10"]
    assert read_record(next(leaderboards().rglob(f"{plan.run_id}.json"))) == record
    steps = [json.loads(line)["step"] for line in (plan.fit_folder / "log.jsonl").open()]
    assert steps == list(range(8))
    assert [p.name for p in (plan.fit_folder / "samples").iterdir()] == ["0000000256-pull.png"]
    assert not list(plan.fit_folder.glob("checkpoint*"))
    assert "x" in (plan.fit_folder / "process.log").read_text().split()
    assert (plan.fit_folder / "milestones" / "256" / "at.pt").exists()
    assert left_over() == []


@pytest.mark.parametrize(
    "what, kind, said, cure",
    [
        (
            "raise",
            PluginBroken,
            "in its own process: ValueError: a fault of the method",
            "process.log",
        ),
        pytest.param(
            "name",
            TrainingFailed,
            "a loss that is not finite",
            "a lower learning rate",
            marks=pytest.mark.slow,
        ),
    ],
)
@pytest.mark.long
def test_an_error_in_the_process_is_one_error_with_its_traceback_in_the_log(
    clash: Path, monkeypatch: pytest.MonkeyPatch, what: str, kind: type, said: str, cure: str
) -> None:
    monkeypatch.setenv("CLASH_FAULT", f"2 {what}")
    plan = plan_of()
    with pytest.raises(kind, match=said) as caught:
        run(plan, Silent())
    assert cure in caught.value.cure
    log = (plan.fit_folder / "process.log").read_text()
    assert "Traceback (most recent call last)" in log
    assert "in _fault" in log
    del caught
    assert left_over() == []


@pytest.mark.parametrize(
    "name, code", [pytest.param("INT", 130, marks=pytest.mark.slow), ("KILL", -9)]
)
@pytest.mark.long
def test_the_process_ends_with_bench(clash: Path, name: str, code: int) -> None:
    words = ["run", "-m", "clash", "-p", "small_faces", "--twin", "--device", "cpu", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmark", *words],
        env=os.environ | {"CLASH_FAULT": f"3 {name}"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert left_over() == []


@pytest.mark.long
def test_settings_are_those_of_the_methods_own_model(run: Call, clash: Path) -> None:
    said = run("clash", "--set", "pointz=4")
    assert said.code == 2
    assert "there is no setting 'pointz'" in said.err
    assert "its settings are: points, steps" in said.err
    plan = json.loads(run("clash", "--plan", "--preset", "long", "--json").out)
    assert plan["settings"] == {"points": 4, "steps": 400}
    several = run("clash", "--devices", "2")
    assert several.code == 2
    assert "fits in one process" in several.err


@pytest.mark.slow
def test_it_keeps_the_contract(clash: Path) -> None:
    assert [o for o in check_method("clash") if o.state == "failed"] == []
    assert left_over() == []


def spec_with(site: Path, text: str | None, **more: Any) -> MethodSpec:
    """A method whose environment is a file of this text."""
    package = site / "bench_other"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text("")
    if text is not None:
        (package / "pins.txt").write_text(text)
    return MethodSpec("other", "bench_clash.method:Clash", ["landmarks"], "",
                      environment=Environment("bench_other:pins.txt", **more))  # fmt: skip


@pytest.mark.parametrize(
    "text, said",
    [
        (None, "bench_other:pins.txt, is not there"),
        ("tabulate>=0.8  # any\n", "must pin versions; it does not in 'tabulate>=0.8'"),
        ("tabulate==0.8.10\n\nsix\n", "it does not in 'six'"),
    ],
)
def test_a_file_that_pins_nothing_is_refused(clash: Path, text: str | None, said: str) -> None:
    with pytest.raises(PluginBroken, match="method 'other'") as caught:
        environment_of(spec_with(clash, text))
    assert said in caught.value.message


def test_an_environment_that_cannot_be_made_leaves_nothing(
    clash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sorted((home() / "environments").glob("*/"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(BenchError, match="could not be made") as caught:
        environment_of(spec_with(clash, "no-such-distribution-of-bench==1.0\n"))
    assert "a package index" in caught.value.cure
    assert sorted(p for p in (home() / "environments").glob("*/")) == made
    monkeypatch.setattr(environments.shutil, "which", lambda name: None)
    monkeypatch.setattr(environments.sys, "executable", "/none/bin/python")
    with pytest.raises(BenchError, match="needs uv") as caught:
        environment_of(spec_with(clash, "no-such-distribution-of-bench==2.0\n"))
    assert caught.value.cure == "pip install uv"


@pytest.mark.long
def test_a_class_that_is_not_there_is_named(clash: Path) -> None:
    spec = spec_with(clash, "tabulate==0.8.10\n")
    from dataclasses import replace

    from benchmark.isolation.proxy import isolated

    cls = isolated(replace(spec, implementation="bench_clash.method:Clush"))
    with pytest.raises(PluginBroken, match=r"AttributeError: module 'bench_clash.method' has no"):
        cls.Settings.model_validate({})
    assert left_over() == []


@pytest.mark.slow
def test_alone_it_has_what_the_file_names_and_nothing_else(
    clash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Makes a whole environment with PyTorch; only from uv's cache, where that has it."""
    uv = environments._uv()
    done = subprocess.run([uv, "pip", "list", "--format", "json", "--python", sys.executable],
                          capture_output=True, text=True, check=True)  # fmt: skip
    leave = {"structbench", "tabulate", "rich", "scipy", "pandas", "torchvision"}
    pins = [
        f"{p['name']}=={p['version']}"
        for p in json.loads(done.stdout)
        if p["name"] not in leave and "bench" not in p["name"]
    ]
    monkeypatch.setenv("UV_OFFLINE", "1")
    spec = spec_with(clash, "\n".join([*pins, "tabulate==0.8.10", ""]), alone=True)
    try:
        environment_of(spec)
    except BenchError as error:
        pytest.skip(f"uv's cache lacks a package: {error.message}")
    from benchmark.registry.implementations import implementation

    plugins().methods["clash"] = MethodSpec(**{**vars(plugins().method("clash")),
                                              "environment": spec.environment})  # fmt: skip
    assert implementation(plugins().method("clash"))
    record = run(plan_of(), Silent()).record
    assert record.fitted is not None
    assert record.fitted.environment is not None
    assert record.fitted.environment.alone
    assert "structbench" not in record.fitted.environment.packages
    assert left_over() == []
