"""Validation runs: listed with what they were given, and compared two by two."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests_fixtures import Call

from benchmark.home import home, leaderboards
from benchmark.metrics.uncertainty import group_moves, interval, over_items


@pytest.fixture
def tried(run: Call) -> dict[int, str]:
    """Validation runs of the grid by its number of points."""
    found = {}
    for points in (4, 9):
        said = run("grid", "--set", f"points={points}", "--on", "validation", "--json")
        found[points] = said.json["run_id"]
    return found


def errors(run_id: str, name: str = "nme_iod") -> np.ndarray:
    with np.load(home() / "runs" / run_id / f"{run_id}.errors.npz") as arrays:
        return arrays[name]


def test_two_are_compared_on_the_same_validation_people(
    tried: dict[int, str], bench: Call, tmp_path: Path
) -> None:
    assert not list(leaderboards().rglob("*.json"))
    said = bench("compare", tried[4], tried[9][:8], "--json").json
    one, two = errors(tried[4]), errors(tried[9])
    assert said["difference"] == pytest.approx(one.mean() - two.mean(), rel=1e-12)
    people = errors(tried[4], "groups.nme_iod")
    pulls = group_moves(one, groups=people) - group_moves(two, groups=people)
    assert said["ci95"] == pytest.approx(
        interval(said["difference"], [over_items(pulls)]), rel=1e-9
    )
    assert (said["on"], said["protocol"]) == ("validation", "small_faces@1")
    assert said["first"]["name"] == "grid points=4"
    page = tmp_path / "compared.html"
    printed = bench("compare", tried[4], tried[9], "--page", str(page))
    assert printed.out.startswith("small_faces@1 (twin, validation images)")
    assert "validation items" in page.read_text("utf-8")


def changed(run_id: str, change: Callable[[dict], object]) -> None:
    path = home() / "runs" / run_id / "record.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_other_protocols_and_other_data_are_refused(tried: dict[int, str], bench: Call) -> None:
    changed(tried[9], lambda content: content["data"]["test"].update(pixels="0" * 64))
    said = bench("compare", tried[4], tried[9])
    assert said.code == 3
    assert "different files" in said.err
    changed(tried[9], lambda content: content["protocol"].update(digest="0" * 64))
    said = bench("compare", tried[4], tried[9])
    assert said.code == 3
    assert f"{tried[9][:8]} is of small_faces@1 (twin), digest 00000000" in said.err


def test_a_run_on_test_people_is_none_of_them(
    tried: dict[int, str], run: Call, bench: Call
) -> None:
    tested = run("grid", "--json").json["run_id"]
    for names in ((tried[4], tested), (tested, tried[4]), (tried[4], "grid")):
        said = bench("compare", *names)
        assert said.code == 2
        assert f"there is no validation run {(set(names) - {tried[4]}).pop()!r}" in said.err
    said = bench("compare", tried[4], tried[9], "--twin")
    assert said.code == 2
    assert "leave -p and --twin out" in said.err


def test_runs_are_listed_with_what_they_were_given(
    tried: dict[int, str], run: Call, bench: Call
) -> None:
    run("halves")
    lines = bench("ls", "runs").out.splitlines()
    assert "settings" in lines[0]
    assert [line for line in lines if tried[9] in line and " points=9 " in line]
    assert len(lines) == 4
    listed = bench("ls", "runs", "--method", "grid", "--protocol", "small_faces", "--json").json
    assert {one["run_id"]: one["given"] for one in listed} == {
        tried[points]: {"points": points} for points in (4, 9)
    }
    assert bench("ls", "runs", "-m", "halves", "-p", "small_faces@2", "--json").json == []
    assert len(bench("ls", "runs", "-m", "halves", "-p", "small_faces@1", "--json").json) == 1
    said = bench("ls", "methods", "--method", "grid")
    assert said.code == 2
    assert "bench ls runs" in said.err


def test_runs_from_before_say_what_they_know(tried: dict[int, str], bench: Call) -> None:
    for points in (4, 9):
        path = home() / "runs" / tried[points] / "run.json"
        about = json.loads(path.read_text())
        assert about.pop("given") == {"points": points}
        path.write_text(json.dumps(about))
    fit = home() / "fits" / about["fit_id"]
    (home() / "runs" / tried[9] / "record.json").unlink()
    (fit / "done.json").unlink()
    (fit / "checkpoint.pt").write_bytes(b"")
    lines = {line.split()[0]: line for line in bench("ls", "runs").out.splitlines()}
    assert " points=4 " in lines[tried[4]]
    assert "points=9" not in lines[tried[9]]
    assert "begun (checkpoint)" in lines[tried[9]]
