"""What a run's end says of its number, the floors beside it, and what is asked before days of work."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests_fixtures import Call
from tests_rows import CEILING, FLOOR, METHOD

from benchmark.boards.measured import Floor, Gain
from benchmark.boards.scale import scale
from benchmark.cli.verdict import interval_words, said
from benchmark.runner.beside import floors as floors_of
from benchmark.runner.beside import untrained
from benchmark.runner.request import Request
from benchmark.studies.study import Row, Study

ALONE = replace(METHOD, floor=None)


def words(rows, better: str = "lower") -> str:
    found = scale(rows, "a", better)
    assert found is not None
    return "\n".join(said(found))


def test_a_row_ahead_of_its_floors_says_so_and_what_training_is_worth() -> None:
    text = words([CEILING, METHOD, replace(FLOOR, runs=("d",))])
    assert "best floor random-features emerging-small dimension=64 13.64" in text
    assert "ceiling oracle 0.00" in text
    assert "mean over 3 seeds 8.95 (7.39 to 10.50), over seeds and items" in text
    assert "ahead of the best floor" in text
    assert "training helps: -4.70 (-9.18 to -0.22)" in text


def test_one_seed_has_the_interval_of_the_board_and_several_have_that_of_their_mean() -> None:
    one = replace(METHOD, seeds=(0,))
    assert interval_words(one) == "95 %: 7.39 to 10.50*  (* one seed, over test items alone)"
    assert "on the board" not in words([one])
    assert interval_words(METHOD) == ""


@pytest.mark.parametrize(
    "gain, said",
    [
        (Gain(4.70, (0.22, 9.18)), "ahead of the best floor"),
        (Gain(4.70, (-0.22, 9.62)), "not clearly ahead of the best floor: +4.70 (-0.22 to +9.62)"),
        (Gain(4.70, None), "ahead of the best floor"),
    ],
)
def test_a_lead_within_its_interval_is_none(gain: Gain, said: str) -> None:
    assert said in words([replace(METHOD, over_floor=gain), FLOOR]).splitlines()


def test_a_row_behind_a_floor_is_told_so() -> None:
    text = words([replace(FLOOR, value=8.0, runs=("d",)), METHOD])
    assert "NOT ahead of the best floor" in text


@pytest.mark.parametrize(
    "floor, better, expected",
    [
        (Floor(-1.0, -2.0, 0.1, 3, 3), "lower", "not decided"),
        (Floor(1.0, 0.5, 1.5, 3, 3), "lower", "WORSE"),
        (Floor(1.0, 0.5, 1.5, 3, 3), "higher", "training helps"),
        (Floor(-1.0, -1.5, -0.5, 3, 3), "higher", "WORSE"),
    ],
)
def test_training_is_judged_by_the_interval(floor: Floor, better: str, expected: str) -> None:
    assert expected in words([replace(METHOD, floor=floor)], better)


def test_where_higher_is_better_a_floor_with_less_is_behind() -> None:
    assert "NOT" in words([replace(FLOOR, value=13.64, runs=("d",)), ALONE], "higher")


def test_floors_on_other_data_say_nothing() -> None:
    other = replace(FLOOR, runs=("d",), scored_on="elsewhere")
    assert "no floor is on this board yet" in words([METHOD, other])


def test_a_withdrawn_run_has_no_scale() -> None:
    assert scale([replace(METHOD, withdrawn="wrong")], "a", "lower") is None


def test_a_run_with_floors_runs_them_first_and_ends_with_a_verdict(
    floors: Path, bench: Call, run: Call
) -> None:
    first = run("slow", "--set", "steps=1")
    assert "no floor is on this board yet" in first.out
    assert "--set steps=1 --seed 0 --twin --with-floors" in first.out
    done = run("slow", "--set", "steps=1", "--seed", "0,1", "--with-floors")
    assert done.code == 0
    assert "beside it: best floor " in done.out
    assert "against the same network untrained" in done.out
    assert "next      bench board small_faces@1 --twin" in done.out
    rows = bench("board", "small_faces", "--json").json["small_faces@1 (twin)"]["rows"]
    seeds = {row["method"]: row["seeds"] for row in rows}
    assert seeds["random-features"] == seeds["slow"] == [0, 1]
    assert seeds["mean-shape"] == [0]
    (slow,) = [row for row in rows if row["method"] == "slow"]
    assert slow["floor"] is not None


def test_the_untrained_network_of_a_method_has_its_settings(floors: Path) -> None:
    asked = Request("slow", "small_faces", given={"steps": 2}, seed=4, twin=True)
    found = untrained(asked)
    assert (found.method, found.seed, found.twin) == ("random-features", 4, True)
    assert found.given == {"of": "slow", "settings": {"steps": 2}}
    methods = {one.method for one in floors_of(asked)}
    assert "mean-shape" in methods
    assert not {"random-features", "oracle", "noise-images"} & methods
    # parts have centres; a disc is no floor of points all the same, in a study as beside a run
    assert not {"centre-disc", "full-frame"} & methods
    asked_of_study = Study(
        protocols=("small_faces",), methods=(Row(method="slow"),), floors=True, twin=True
    ).requests()
    assert methods <= {one.method for one in asked_of_study}


def test_a_floor_has_no_training_to_leave_out(floors: Path, run: Call) -> None:
    refused = run("mean-shape", "--untrained")
    assert refused.code == 2
    assert "no training to leave out" in refused.err


def test_what_takes_days_is_refused_where_nobody_can_be_asked(
    run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.runner.meant.PAPER", "nine")
    refused = run("grid", "--preset", "nine")
    assert refused.code == 2
    assert "meant for a GPU" in refused.err
    assert "--yes" in refused.err
    assert run("grid", "--preset", "nine", "--yes").code == 0
    assert run("grid", "--preset", "nine").code == 0  # done before: nothing takes days
    assert run("grid", "--set", "points=4").code == 0


def test_a_sweep_of_what_takes_days_is_refused_and_its_plan_says_so(
    bench: Call, run: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "new"))
    words = ("sweep", "-m", "drifting", "-p", "small_faces", "--preset", "paper", "--twin")
    words = (*words, "--device", "cpu")
    said = "1 run is of the preset paper (drifting), meant for a GPU; on a CPU each can take days"
    planned = bench(*words, "--plan")
    assert (planned.code, said in planned.out) == (0, True)
    assert planned.out.startswith("run ")  # names come first
    refused = bench(*words)
    assert (refused.code, said in refused.err) == (2, True)
    assert "meant for a GPU" in run("drifting", "--preset", "paper", "--plan").out
    assert not (tmp_path / "new").exists()


def test_the_refusal_prepares_nothing(
    run: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "new"))
    assert run("drifting", "--preset", "paper").code == 2
    assert not (tmp_path / "new").exists()


@pytest.mark.long
@pytest.mark.parametrize("answer, code", [("n", 1), ("y", 0)])
def test_who_sits_at_a_terminal_is_asked(harness: Path, answer: str, code: int) -> None:
    ours, its = pty.openpty()
    words = ["run", "-m", "drifting", "-p", "small_faces", "--twin", "--device", "cpu"]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmark", *words, "--preset", "paper", "--json"],
        stdin=its,
        stdout=subprocess.PIPE,
        stderr=its,
    )
    os.close(its)
    said = ""
    while "Start it? [y/N]" not in said:
        said += os.read(ours, 4096).decode()  # an error where it ends without asking
    assert "the preset paper of drifting is meant for a GPU; on a CPU it can take days" in said
    os.write(ours, f"{answer}\n".encode())
    out, _ = process.communicate(timeout=300)
    if answer == "n":
        assert "not started" in os.read(ours, 4096).decode()
    os.close(ours)
    assert process.returncode == code
    assert (b"run_id" in out) == (answer == "y")
