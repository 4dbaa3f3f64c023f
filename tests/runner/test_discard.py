"""A run made anew: what is thrown away, and that a committed record stands."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import torch
from tests_fake_methods import Grid
from tests_fixtures import Call

from benchmark.contracts import Landmarks
from benchmark.home import home, leaderboards


def still(self: Grid, images: torch.Tensor) -> Landmarks:
    return Landmarks(torch.full((len(images), 4, 2), 3.0) + images.mean((1, 2, 3))[:, None, None])


def value(path: str) -> float:
    return json.loads(Path(path).read_text("utf-8"))["metrics"][0]["value"]


def test_the_same_command_makes_the_run_again(
    harness: Path, run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run("grid", "--json").json
    other = run("grid", "--seed", "1", "--json").json
    before = value(first["record"])
    monkeypatch.setattr(Grid, "predict", still)
    assert run("grid", "--json").json["found"]
    again = run("grid", "--json", "--anew").json
    assert again["found"] is False
    assert again["run_id"] == first["run_id"]
    assert value(again["record"]) != before
    assert Path(other["record"]).exists()
    files = {
        p.name for p in Path(again["record"]).parent.iterdir() if p.suffix in (".json", ".npz")
    }
    assert {name.split(".")[0] for name in files} == {first["run_id"], other["run_id"]}
    table = (leaderboards() / "twins" / "small_faces" / "1" / "board.csv").read_text("utf-8")
    assert table.count("grid") == 1


def test_what_was_never_run_is_made(harness: Path, run: Call) -> None:
    assert run("grid", "--json", "--anew").json["found"] is False


def test_a_plan_discards_nothing(harness: Path, run: Call) -> None:
    first = run("grid", "--json").json
    assert "done before" in run("grid", "--anew", "--plan").out
    assert run("grid", "--json").json["found"]
    assert Path(first["record"]).exists()


def test_a_committed_record_stands(
    harness: Path, run: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "checkout"
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(checkout / "leaderboards"))
    first = run("grid", "--json").json
    git = ["git", "-C", str(checkout)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "leaderboards"], check=True)
    said = run("grid", "--anew")
    assert said.code == 1
    assert "is committed" in said.err
    assert "`version`" in said.err
    assert Path(first["record"]).exists()
    assert (home() / "runs" / first["run_id"] / "record.json").exists()
    assert run("grid", "--json").json["found"]


def test_parts_that_a_fit_shares_go_too(harness: Path, run: Call) -> None:
    words = ("slow", "--set", "steps=1", "--json")
    record = json.loads(Path(run(*words).json["record"]).read_text("utf-8"))
    assert record["stages"]["fit/mean"]["reused"] is False
    (part,) = (home() / "fits" / "parts").glob("mean-*/mean.pt")
    (part.parent / "mark").touch()
    again = json.loads(Path(run(*words, "--anew").json["record"]).read_text("utf-8"))
    assert again["stages"]["fit/mean"]["reused"] is False
    assert part.exists()
    assert not (part.parent / "mark").exists()
