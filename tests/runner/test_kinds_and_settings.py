"""A method of two kinds is fitted once and asked for each; settings of prediction make no fit anew."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests_fixtures import Call
from tests_support import SMALL_PROTOCOL

from benchmark.boards.entries import read_entries
from benchmark.boards.rows import make_rows
from benchmark.home import home
from benchmark.interface.progress import Silent
from benchmark.records.identity import ids_from_record
from benchmark.registry.protocols import find_protocol
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import loaded_method, run
from benchmark.verification.verify import verify_record

QUIET = Silent()
REQUEST = Request(method="both", protocol="small_faces", twin=True, device="cpu")


@pytest.fixture
def points(harness: Path, tmp_path: Path) -> str:
    """A protocol on the same images that scores landmarks."""
    text = SMALL_PROTOCOL.replace("small_faces", "small_points")
    text = text.replace('needs = ["descriptors", "landmarks"]', 'needs = ["landmarks"]')
    start, end = text.index("[probes.descriptors]"), text.index("[probes.landmarks]")
    path = tmp_path / "protocols" / "small_points" / "1.toml"
    path.parent.mkdir()
    path.write_text(text[:start] + text[end:])
    return "small_points"


def done(**changes) -> Outcome:  # type: ignore[no-untyped-def]
    return run(make_plan(replace(REQUEST, **changes), QUIET), QUIET)


def test_a_method_of_two_kinds_is_fitted_once_and_asked_for_each(points: str) -> None:
    first, second = done().record, done(protocol=points).record
    assert (first.method.used, second.method.used) == ("descriptors", "landmarks")
    assert first.method.gives == second.method.gives == ["landmarks", "descriptors"]
    assert first.fit_id == second.fit_id
    assert (first.stages["fit"].reused, second.stages["fit"].reused) == (False, True)
    assert [path.name for path in (home() / "fits").glob("*/done.json")] == ["done.json"]
    log = home() / "fits" / first.fit_id / "log.jsonl"
    assert [json.loads(line)["step"] for line in log.open()] == [1, 2, 3, 4]


def test_a_method_that_is_asked_for_what_follows_from_its_kind_is_asked_for_that_kind(
    points: str,
) -> None:
    plan = make_plan(replace(REQUEST, method="halves", protocol=points), QUIET)
    assert (plan.kind, plan.predicted_kind) == ("landmarks", "parts")
    run(plan, QUIET)
    assert loaded_method(plan).kind == "parts"


def test_a_setting_of_prediction_is_of_the_run_and_not_of_the_fit(harness: Path) -> None:
    usual, sharp = done(), done(given={"sharpness": 2.0})
    assert usual.record.fit_id == sharp.record.fit_id
    assert usual.record.run_id != sharp.record.run_id
    assert sharp.record.stages["fit"].reused
    assert sharp.record.method.at_prediction == ["sharpness"]
    assert sharp.record.method.settings == {"steps": 4, "sharpness": 2.0}
    for outcome in (usual, sharp):
        record = outcome.record
        assert ids_from_record(record) == (record.fit_id, record.run_id)
        assert {check.state for check in verify_record(outcome.path)} == {"ok"}
    rows = make_rows(
        find_protocol("small_faces"), read_entries(find_protocol("small_faces"), twin=True)[0]
    )
    assert sorted(row.variant for row in rows) == ["", "sharpness=2.0"]


def test_a_fit_sees_the_default_whichever_run_makes_it(harness: Path) -> None:
    sharp = make_plan(replace(REQUEST, given={"sharpness": 2.0}), QUIET)
    assert (sharp.settings.sharpness, sharp.fit_settings.sharpness) == (2.0, 1.0)  # type: ignore[attr-defined]
    run(sharp, QUIET)
    at = loaded_method(sharp).at  # type: ignore[attr-defined]
    usual = make_plan(replace(REQUEST, seed=0), QUIET)
    run(usual, QUIET)
    assert (loaded_method(usual).at == at).all()  # type: ignore[attr-defined]
    assert loaded_method(sharp).settings.sharpness == 2.0
    other = make_plan(replace(REQUEST, given={"steps": 5}), QUIET)
    assert other.fit_id != usual.fit_id


def test_settings_of_prediction_are_shown_as_such(bench: Call) -> None:
    lines = bench("show", "method", "both").out.splitlines()
    (line,) = (line for line in lines if line.startswith("sharpness "))
    assert "at prediction" in line
    assert line.endswith("how far from the middle")
