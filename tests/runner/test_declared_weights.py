"""Weights that a method declares are found and checked first, and are the only ones that it gets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests_fake_methods import FACES
from tests_fixtures import Call

from benchmark.contracts.errors import DataAltered, DataMissing, PluginBroken
from benchmark.home import home
from benchmark.interface.progress import Silent
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run

QUIET = Silent()
REQUEST = Request(method="weighty", protocol="small_faces", twin=True, device="cpu")


@pytest.fixture
def file(harness: Path) -> Path:
    path = home() / "weights" / FACES.name
    path.parent.mkdir()
    path.write_bytes(b"faces")
    return path


def test_what_is_declared_is_what_is_opened_and_what_the_record_says(file: Path) -> None:
    record = run(make_plan(REQUEST, QUIET), QUIET).record
    assert record.method.pretrained == [
        {"name": "faces.pth", "source": "a lab", "sha256": FACES.sha256}
    ]


def test_missing_weights_are_told_before_anything_is_fitted(harness: Path, bench: Call) -> None:
    plan = make_plan(REQUEST, QUIET)
    with pytest.raises(DataMissing, match=r"the weights faces\.pth are not in") as caught:
        run(plan, QUIET)
    assert "get a lab" in caught.value.cure
    assert "CC0-1.0" in caught.value.cure
    assert not plan.fit_folder.exists()
    words = ("run", "-m", "weighty", "-p", "small_faces", "--twin", "--device", "cpu", "--plan")
    said = bench(*words)
    assert said.code == 4
    assert "faces.pth" in said.err


def test_other_bytes_are_refused_before_anything_is_fitted(file: Path) -> None:
    file.write_bytes(b"cars")
    plan = make_plan(REQUEST, QUIET)
    with pytest.raises(DataAltered, match=r"is not the faces\.pth that is pinned"):
        run(plan, QUIET)
    assert not plan.fit_folder.exists()


def test_what_is_done_needs_no_weights(file: Path) -> None:
    run(make_plan(REQUEST, QUIET), QUIET)
    file.unlink()
    assert run(make_plan(REQUEST, QUIET), QUIET).found


def test_weights_that_are_not_declared_are_not_given(file: Path) -> None:
    plan = make_plan(replace(REQUEST, given={"declared": False}), QUIET)
    with pytest.raises(PluginBroken, match=r"does not declare the weights 'faces\.pth'"):
        run(plan, QUIET)


def test_the_doctor_says_which_weights_are_declared_and_whether_they_are_there(
    file: Path, bench: Call
) -> None:
    def about() -> dict[str, str]:
        checks = bench("doctor", "--json").json
        (found,) = (check for check in checks if check["what"] == "weights faces.pth")
        return found

    assert about() == {"state": "ok", "what": "weights faces.pth", "found": str(file), "cure": ""}
    file.unlink()
    missing = about()
    assert (missing["state"], missing["found"]) == ("note", "not there; for weighty")
    assert "get a lab" in missing["cure"]
    file.write_bytes(b"cars")
    assert about()["state"] == "problem"
