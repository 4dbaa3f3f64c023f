"""A study's file, and what it asks for."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests_fixtures import Call

from benchmark.settings import SettingsInvalid
from benchmark.studies.seeds import seeds_from
from benchmark.studies.study import read_study, study_from

STUDY = """
title = "two methods"
protocols = ["small_faces"]
seeds = "0-1"
twin = true

[[methods]]
method = "grid"
settings = [{}, { points = 9 }]

[[methods]]
method = "pixels"
seeds = 7
"""


def test_seeds_in_words() -> None:
    assert seeds_from("0-2,7,1") == [0, 1, 2, 7]
    for wrong in ("a", "3-1", "", "0-5000"):
        with pytest.raises(SettingsInvalid, match="is not a number or a range"):
            seeds_from(wrong)


def test_the_matrix_has_seeds_innermost(harness: Path, tmp_path: Path) -> None:
    """What shares a stage with another, its seed among it, is then not next to it."""
    (tmp_path / "study.toml").write_text(STUDY)
    asked = read_study(tmp_path / "study.toml").requests()
    assert [(r.method, dict(r.given), r.seed) for r in asked] == [
        ("grid", {}, 0),
        ("grid", {}, 1),
        ("grid", {"points": 9}, 0),
        ("grid", {"points": 9}, 1),
        ("pixels", {}, 7),
    ]
    assert all(r.twin and r.protocol == "small_faces" for r in asked)


def test_what_is_asked_for_twice_is_one_run(harness: Path) -> None:
    row = {"method": "grid"}
    study = study_from({"protocols": ["small_faces"], "methods": [row, row]}, "here")
    assert len(study.requests()) == 1


def test_floors_are_those_that_fit_and_the_methods_networks_untrained(floors: Path) -> None:
    content = {
        "protocols": ["small_faces"],
        "seeds": [0, 1],
        "twin": True,
        "floors": True,
        "methods": [{"method": "both", "settings": [{"steps": 2}]}],
    }
    asked = study_from(content, "here").requests()
    assert [r.seed for r in asked if r.method == "mean-shape"] == [0]
    untrained = [r for r in asked if r.method == "random-features"]
    assert [r.seed for r in untrained] == [0, 1]
    assert untrained[0].given == {"of": "both", "settings": {"steps": 2}}
    assert {"oracle", "image-grid"} <= {r.method for r in asked}
    assert not {"full-frame", "noise-images"} & {r.method for r in asked}


@pytest.mark.parametrize(
    "text, said",
    [
        ("protocols = [", "is not TOML"),
        ("protocols = ['small_faces']", "it names no method: write [[methods]]"),
        (
            "protokolls = ['x']\n[[methods]]\nmethod = 'grid'",
            "there is no 'protokolls', did you mean 'protocols'?",
        ),
        (
            "[[methods]]\nmethod = 'grid'\nsed = 1",
            "there is no 'sed' in [[methods]] number 1, did you mean 'seeds'?",
        ),
        ("[[methods]]\npresets = ['small']", "method is missing in [[methods]] number 1"),
        ("protocols = 'x'\n[[methods]]\nmethod = 'grid'", "protocols is 'x', expected a list"),
        ("twin = 'ja'\n[[methods]]\nmethod = 'grid'", "twin is 'ja', expected true or false"),
        (
            "on = 'train'\n[[methods]]\nmethod = 'grid'",
            "on is 'train', expected 'test' or 'validation'",
        ),
        ("[[methods]]\nmethod = 'grid'", "no protocol is named for grid"),
        ("protocols = ['small_faces']\nseeds = 'x'\n[[methods]]\nmethod = 'grid'", "seed 'x'"),
    ],
)
def test_a_wrong_study_is_one_error(bench: Call, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "study.toml"
    path.write_text(text)
    done = bench("sweep", str(path), "--plan")
    assert done.code == 2
    assert said in done.err
    assert done.err.count("error: ") == 1
    assert "Input should" not in done.err  # a library's words


def test_a_plan_says_what_there_is_to_do(bench: Call, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(STUDY.replace('"pixels"', '"noise"'))  # gives nothing that is scored here
    bench("data", "prepare", "small_faces", "--twin")
    said = bench("sweep", str(path), "--plan", "--json")
    assert said.code == 0, said.err
    runs = said.json["runs"]
    assert [run["state"] for run in runs] == ["queued"] * 4 + ["left out"]
    assert "noise" in runs[-1]["why"]
    assert said.json["unknown"] == 4
    assert len({run["run_id"] for run in runs[:4]}) == 4
    said = bench("sweep", str(path), "--plan")
    assert "5 runs, 0 done, 4 to do" in said.out
    assert "no record is like them" in said.out


def test_a_plan_of_what_is_not_prepared_prepares_nothing(
    bench: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "new"))
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    runs = bench("sweep", str(path), "--plan", "--json").json["runs"]
    assert [run["state"] for run in runs] == ["queued"] * 5
    assert {run["why"] for run in runs} == {"its images are to be prepared"}
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "words, said",
    [
        (["-m", "gird", "-p", "small_faces"], "did you mean 'grid'"),
        (["-m", "grid", "-p", "small_face"], "did you mean 'small_faces'"),
        (["-m", "grid"], "no protocol is named for grid"),
        (["-p", "small_faces"], "name a study's file, or --method and --protocol"),
        (["-m", "grid", "-p", "small_faces", "--twin", "--set", "pints=3"], "pints"),
        (["-m", "noise", "-p", "small_faces", "--twin"], "nothing of it can be run"),
        (["status"], "there is no sweep"),
        (["cancel", "nothing"], "there is no sweep 'nothing'"),
    ],
)
def test_slips_of_the_pen_are_one_error(bench: Call, words: list[str], said: str) -> None:
    done = bench("sweep", *words)
    assert done.code == 2
    assert said in done.err


def test_a_file_and_options_are_not_mixed(bench: Call, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(STUDY)
    done = bench("sweep", str(tmp_path / "study.toml"), "--seed", "3")
    assert done.code == 2
    assert "is not said again: seed" in done.err


@pytest.mark.long
def test_a_sweep_from_beginning_to_end(bench: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are made, a failure leaves the others alone, and the same command finds what is done."""
    words = ("-m", "grid", "-m", "missing-weights", "-p", "small_faces", "--twin", "--seed", "0")
    words = tuple("weighty" if word == "missing-weights" else word for word in words)
    said = bench("sweep", *words)
    assert said.code == 1, said.err
    assert "begun: grid on small_faces (twin), seed 0" in said.err
    assert "1 done, 1 failed" in said.out
    assert "nme_iod" in said.out
    status = bench("sweep", "status", "--json")
    (grid, weighty) = status.json["runs"]
    assert (grid["state"], weighty["state"]) == ("done", "failed")
    assert Path(grid["record"]).is_file()
    again = bench("sweep", *words, "--json")
    assert [run["state"] for run in again.json["runs"]] == ["done", "failed"]
