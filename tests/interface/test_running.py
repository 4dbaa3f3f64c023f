"""A run from Python is the run of the command; a fitted method comes back as it was."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests_fixtures import Call
from tests_generation import SMALL_IMAGES
from tests_records import altered

import benchmark as bench
from benchmark.contracts.errors import DataMissing, DiskFull, Incompatible, UnknownName
from benchmark.contracts.images import to_signed
from benchmark.home import home, leaderboards
from benchmark.interface.progress import Silent
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import loaded_method
from benchmark.settings import SettingsInvalid

WHERE: dict[str, Any] = {"twin": True, "device": "cpu", "quiet": True}


def everything() -> dict[str, bytes]:
    """All that boards hold, by path."""
    return {
        str(p.relative_to(leaderboards())): p.read_bytes()
        for p in leaderboards().rglob("*")
        if p.is_file() and p.name != ".lock"
    }


def test_the_command_finds_done_what_python_did(run: Call) -> None:
    outcome = bench.run("grid", "small_faces", preset="nine", seed=3, **WHERE)
    assert not outcome.found
    assert outcome.path.is_relative_to(leaderboards())
    before = everything()
    assert {"README.md", "twins/small_faces/1/board.csv"} <= before.keys()
    assert (home() / "runs" / outcome.record.run_id / "page.html").exists()
    said = run("grid", "--preset", "nine", "--seed", "3", "--json")
    assert said.json["found"]
    assert said.json["run_id"] == outcome.record.run_id
    assert everything() == before


def test_python_finds_done_what_the_command_did(run: Call) -> None:
    said = run("grid", "--set", "points=16", "--json").json
    outcome = bench.run("grid", "small_faces", settings={"points": 16}, **WHERE)
    assert outcome.found
    assert str(outcome.path) == said["record"]
    assert outcome.record.headline.value == said["metrics"]["nme_iod"]


def test_a_run_on_validation_people_reaches_no_board(harness: Path) -> None:
    outcome = bench.run("grid", "small_faces", on="validation", **WHERE)
    assert outcome.path.is_relative_to(home() / "runs")
    assert not leaderboards().exists()


def test_progress_is_shown_unless_quiet(harness: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench.run("grid", "small_faces", twin=True, device="cpu")
    said = capsys.readouterr()
    assert "predict test" in said.err
    assert said.out == ""
    bench.run("grid", "small_faces", seed=1, **WHERE)
    assert tuple(capsys.readouterr()) == ("", "")


def test_what_the_command_refuses_is_refused(harness: Path) -> None:
    with pytest.raises(UnknownName):
        bench.run("gird", "small_faces", **WHERE)
    with pytest.raises(SettingsInvalid, match="there is no setting 'point'"):
        bench.run("grid", "small_faces", settings={"point": 3}, **WHERE)
    assert not leaderboards().exists()


def test_tables_that_can_not_be_written_are_a_warning(
    harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise DiskFull("no room left", cure="free some space")

    monkeypatch.setattr("benchmark.interface.running.update_boards", full)
    with pytest.warns(UserWarning, match=r"its record stands.*no room left"):
        outcome = bench.run("grid", "small_faces", **WHERE)
    assert outcome.path.exists()


def test_a_loaded_method_predicts_what_the_run_did(harness: Path) -> None:
    outcome = bench.run("descent", "small_faces", **WHERE)
    plan = make_plan(Request("descent", "small_faces", twin=True, device="cpu"), Silent())
    fitted = loaded_method(plan)
    images = to_signed(plan.splits["test"].images().batch(slice(None)))
    (home() / "prepared").unlink()  # no data is opened
    run, fit = outcome.record.run_id, outcome.record.fit_id
    for name in (outcome, run, run[:6], fit):
        method = bench.load(name, device="cpu")
        assert type(method) is type(fitted)
        assert method.settings == fitted.settings
        with torch.inference_mode():
            one, other = (m.predict(images).arrays() for m in (method, fitted))
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[key], other[key]) for key in one)


def test_a_fit_that_is_not_here_is_missed(harness: Path) -> None:
    outcome = bench.run("grid", "small_faces", **WHERE)
    shutil.rmtree(home() / "fits" / outcome.record.fit_id)
    with pytest.raises(DataMissing, match=outcome.record.run_id) as missing:
        bench.load(outcome)
    assert "bench run --method grid --protocol small_faces" in str(missing.value.cure)
    with pytest.raises(UnknownName):
        bench.load("0000")


def test_another_version_of_a_method_is_not_taken_for_it(harness: Path) -> None:
    outcome = bench.run("grid", "small_faces", **WHERE)
    own = home() / "runs" / outcome.record.run_id / "record.json"
    altered(own, lambda c: c["method"].update(version=2))
    with pytest.raises(Incompatible, match="by version 2 of grid, here is 1"):
        bench.load(outcome)


def test_predictions_from_elsewhere_have_no_method(harness: Path) -> None:
    outcome = bench.run("grid", "small_faces", **WHERE)
    made = {"made_by": "theirs", "file": "a.npz", "sha256": "0" * 64, "bytes": 1}
    own = home() / "runs" / outcome.record.run_id
    altered(own / "record.json", lambda c: c["method"].update(origin="external"))
    altered(own / "record.json", lambda c: c.update(external=made))
    with pytest.raises(Incompatible, match="nothing was fitted"):
        bench.load(outcome)
    shutil.rmtree(own)
    altered(outcome.path, lambda c: c["method"].update(origin="external"))
    altered(outcome.path, lambda c: c.update(external=made))
    with pytest.raises(Incompatible, match="nothing was fitted"):
        bench.load(outcome)


def test_a_generator_is_loaded_too(harness: Path) -> None:
    folder = harness.parent / "protocols" / "small_images"
    folder.mkdir()
    (folder / "1.toml").write_text(SMALL_IMAGES)
    outcome = bench.run("tint", "small_images", **WHERE)
    assert bench.load(outcome, device="cpu").generator().sample(2, 0).shape == (2, 3, 32, 32)
