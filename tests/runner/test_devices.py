"""A fit in two processes: the same as in one, and nothing is left over when one of them goes wrong."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.contracts.errors import (
    BenchError,
    Incompatible,
    InvalidInput,
    PluginBroken,
    TrainingFailed,
    UnknownName,
)
from benchmark.home import home, leaderboards
from benchmark.interface.progress import Silent
from benchmark.runner.fitting import fit, workplace
from benchmark.runner.plan import Plan, choose_device, make_plan
from benchmark.runner.processes import Failure, fit_together
from benchmark.runner.request import Request
from benchmark.runner.run import run
from benchmark.settings import SettingsInvalid

QUIET = Silent()
REQUEST = Request(method="slow", protocol="small_faces", twin=True, device="cpu", devices=2)


def plan_of(**changes: Any) -> Plan:
    return make_plan(replace(REQUEST, **changes), QUIET)


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CHECKPOINT_SECONDS", "0")


@pytest.mark.long
def test_two_processes_leave_what_one_leaves(harness: Path) -> None:
    told: list[tuple] = []
    left, records = [], []
    for devices in (1, 2):
        plan = plan_of(devices=devices, given={"steps": 20})
        records.append(run(plan, lambda *said, **values: told.append(said)).record)
        weight = torch.load(plan.fit_folder / "model" / "weight.pt", weights_only=True)["weight"]
        log = (plan.fit_folder / "log.jsonl").read_text()
        left.append((files(plan.fit_folder), log, weight.tolist()))
        for folder in (home() / "fits", home() / "runs", leaderboards()):
            shutil.rmtree(folder)
    one, two = records
    assert left[0] == left[1]
    assert ("start 2 processes", 2, 2) in told
    assert told.count(("slow", 20, 20)) == 2
    assert two.run_id == one.run_id
    assert [r.fitted.hardware["devices"] for r in records if r.fitted] == [1, 2]
    assert (one.deterministic, two.deterministic) == (True, False)
    assert two.stages["fit/mean"].attempts == 1
    assert two.throughput == {"slow": 64.0}


@pytest.mark.parametrize(
    "what, kind, said",
    [
        ("die", TrainingFailed, r"process 1 of the fit died \(signal 9\)"),
        pytest.param(
            "raise",
            PluginBroken,
            r"Slow\.fit failed \(.*line \d+\): ValueError: a fault of the method",
            marks=pytest.mark.slow,
        ),
        pytest.param("name", TrainingFailed, "a loss that is not finite", marks=pytest.mark.slow),
    ],
)
@pytest.mark.long
def test_what_goes_wrong_in_one_process_is_one_error(
    harness: Path, monkeypatch: pytest.MonkeyPatch, what: str, kind: type[Exception], said: str
) -> None:
    monkeypatch.setenv("FAULT", f"1 5 {what}")
    plan = plan_of()
    with pytest.raises(kind, match=said) as caught:
        fit_together(plan, QUIET)
    if what != "die":
        assert "in process 1 of the fit" in caught.value.__notes__[0]
        assert "in fault" in caught.value.__notes__[0]
    if what == "name":
        assert caught.value.cure == "a lower learning rate"


@pytest.mark.parametrize(
    "signal, code", [("KILL", -9), pytest.param("INT", 130, marks=pytest.mark.slow)]
)
@pytest.mark.long
def test_the_processes_end_with_the_main_one_and_the_run_goes_on(
    harness: Path, signal: str, code: int
) -> None:
    command = [sys.executable, "-m", "benchmark", "run", "-m", "slow", "-p", "small_faces", "--twin",
               "--device", "cpu", "--devices", "2", "--json"]  # fmt: skip
    main = subprocess.Popen(
        command,
        env=os.environ | {"FAULT": f"0 5 {signal}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # the pipes close when the last of the processes has ended
    _, errors = main.communicate(timeout=300)
    assert main.returncode == code
    assert "Traceback" not in errors
    plan = plan_of()
    assert torch.load(plan.fit_folder / "checkpoint.pt", weights_only=True)["step"] == 5
    record = run(replace(plan, request=replace(plan.request, devices=1)), QUIET).record
    assert record.stages["fit"].attempts == 2


def weights(plan: Plan) -> dict[str, torch.Tensor]:
    parts = torch.load(plan.fit_folder / "model" / "weights.pt", weights_only=True)
    return {f"{part}.{k}": v for part, state in parts.items() for k, v in state.items()}


def logged(plan: Plan) -> list[dict[str, float]]:
    return [json.loads(line) for line in (plan.fit_folder / "log.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_two_processes_train_as_one_with_the_whole_batch(harness: Path) -> None:
    alone, both = plan_of(method="descent", devices=1), plan_of(method="descent")
    fit(alone.cls(alone.settings), workplace(alone, QUIET))
    expected, rows = weights(alone), logged(alone)
    shutil.rmtree(home() / "fits")
    fit_together(both, QUIET)
    found = weights(both)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-4)
    for one, two in zip(rows, logged(both), strict=True):
        assert two["loss"] == pytest.approx(one["loss"], rel=1e-4)
        assert two["images"] == one["images"]
        assert two["rank"] == 0.5
        assert two["draw"] != one["draw"]


@pytest.mark.slow
def test_two_processes_killed_and_resumed_end_as_two_that_were_not(
    harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(method="descent")
    fit_together(plan, QUIET)
    straight = weights(plan)
    shutil.rmtree(home() / "fits")
    monkeypatch.setenv("FAULT", "1 7 die")
    with pytest.raises(TrainingFailed, match="signal 9"):
        fit_together(plan, QUIET)
    assert torch.load(plan.fit_folder / "checkpoint.pt", weights_only=True)["step"] == 6
    monkeypatch.delenv("FAULT")
    fit_together(plan, QUIET)
    assert [row["step"] for row in logged(plan)] == [2, 4, 6, 8, 10, 12]
    resumed = weights(plan)
    assert all(torch.equal(resumed[name], value) for name, value in straight.items())


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_is_one_error(harness: Path) -> None:
    with pytest.raises(InvalidInput, match="shared by 2 processes") as caught:
        fit_together(plan_of(method="descent", given={"batch": 7}), QUIET)
    assert "divides the batch" in caught.value.cure


def test_an_error_reaches_the_main_process_as_what_it_was() -> None:
    for error in (UnknownName("method", "leed", ["lead"]), TrainingFailed("burst", cure="cool")):
        sent = Failure.of(error, 3)
        came = pickle.loads(pickle.dumps(sent)).error()
        assert type(came) is type(error)
        assert (came.message, came.cure) == (error.message, error.cure)
        assert came.__notes__[0].startswith("in process 3 of the fit:")
    assert str(Failure.of(KeyError("x"), 0).error()) == "in process 0 of the fit: KeyError: 'x'"


def test_a_method_that_does_not_share_its_fit_is_refused(harness: Path) -> None:
    with pytest.raises(Incompatible, match="'grid' fits in one process, 2 were asked for"):
        plan_of(method="grid")


def test_a_start_under_torchrun_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(BenchError, match="WORLD_SIZE") as caught:
        choose_device("cpu")
    assert "--devices" in caught.value.cure


def test_devices_that_are_not_there_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert choose_device("auto", 2) == choose_device("cuda", 2) == "cuda"
    assert choose_device("cuda:1") == "cuda:1"
    assert choose_device("cpu", 3) == "cpu"
    with pytest.raises(SettingsInvalid, match="there are 2") as caught:
        choose_device("cuda", 3)
    assert "--devices 2" in caught.value.cure
    with pytest.raises(SettingsInvalid, match="one device, 2 were asked for") as caught:
        choose_device("cuda:1", 2)
    assert "CUDA_VISIBLE_DEVICES" in caught.value.cure
