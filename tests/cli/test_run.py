"""`bench run` and `bench board` from the outside: what is printed, and what settings may look like."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from tests_fixtures import Call

from benchmark.cli.run import parse_settings
from benchmark.home import home, leaderboards


def test_a_run_says_its_number_and_where_all_lies(run: Call) -> None:
    said = run("grid")
    assert said.code == 0
    record = next((leaderboards() / "twins" / "small_faces" / "1" / "grid").glob("*.json"))
    value = json.loads(record.read_text())["metrics"][0]
    lines = said.out.splitlines()
    assert lines[0].startswith(f"nme_iod {value['value']:.2f} %   95 % over 16 items: ")
    assert lines[0].endswith("(twin: rendered data)")
    assert f"record    {record}" in lines
    for line in lines[2:]:
        assert Path(line.split()[-1]).exists()
    again = run("grid")
    assert again.code == 0
    assert again.out.startswith("done before, on ")


def test_json_is_all_that_is_printed_and_agrees_with_the_record(run: Call) -> None:
    said = run("grid", "--json")
    assert (said.code, said.err) == (0, "")
    record = json.loads(Path(said.json["record"]).read_text())
    value = record["metrics"][0]
    assert said.json["metrics"] == {"nme_iod": value["value"]}
    assert said.json["ci95"] == {"nme_iod": value["ci95"]}
    assert said.json["run_id"] == record["run_id"]
    assert said.json["found"] is False
    assert run("grid", "--json").json == {**said.json, "found": True}


def test_a_plan_does_nothing_and_knows_the_ids(run: Call) -> None:
    plan = run("grid", "--plan", "--set", "points=9").json
    assert plan["settings"] == {"points": 9}
    assert (plan["done"], plan["fitted"]) == (False, False)
    assert plan["images"] == {"fit": 64, "train": 64, "test": 16}
    assert not (home() / "runs").exists()
    assert not leaderboards().exists()
    done = run("grid", "--json", "--preset", "nine").json
    assert done["run_id"] == plan["run_id"]
    again = run("grid", "--plan", "--set", "points=9").json
    assert (again["done"], again["fitted"]) == (True, True)


def test_several_seeds_are_several_runs_and_one_row(bench: Call, run: Call) -> None:
    done = run("slow", "--set", "steps=1", "--seed", "0,2", "--json").json
    records = [json.loads(Path(d["record"]).read_text()) for d in done]
    assert [r["seed"] for r in records] == [0, 2]
    (row,) = bench("board", "small_faces", "--twin", "--json").json["small_faces@1 (twin)"]["rows"]
    assert row["seeds"] == [0, 2]
    assert row["value"] == pytest.approx(sum(d["metrics"]["nme_iod"] for d in done) / 2)


def test_a_curve_comes_with_the_run(bench: Call, run: Call) -> None:
    done = run("slow", "--set", "steps=20", "--curve", "--json").json
    (point,) = bench("show", "run", done["run_id"], "--json").json["curve"]
    assert point["images"] == 64 * 20
    assert f"1,280 images  {point['value']:.2f}" in bench("show", "run", done["run_id"]).out


def test_a_validation_run_says_so_and_reaches_no_board(run: Call) -> None:
    assert "(validation people)" in run("grid", "--on", "validation").out
    assert not leaderboards().exists()


def test_the_board_is_printed_written_and_checked(bench: Call, run: Call) -> None:
    assert "no records yet" in bench("board").out
    value = run("grid", "--json").json["metrics"]["nme_iod"]
    printed = bench("board", "small_faces")
    assert printed.out.lstrip().startswith("small_faces@1 (twin)")
    row = next(line for line in printed.out.splitlines() if line.split()[:1] == ["grid"])
    assert f"{value:.2f}" in row
    assert "one seed: over test items alone" in printed.out
    assert bench("board", "build", "--check").code == 0
    table = leaderboards() / "twins" / "small_faces" / "1" / "board.csv"
    table.write_text(table.read_text().replace("grid", "grit"))
    stale = bench("board", "build", "--check")
    assert stale.code == 5
    assert str(table) in stale.err
    assert "bench board build" in stale.err
    assert "wrote 1 files" in bench("board", "build").out
    assert bench("board", "build", "--check").code == 0


@pytest.mark.parametrize(
    "pairs, settings",
    [
        (["a=1", "b=1.5", "c=true"], {"a": 1, "b": 1.5, "c": True}),
        (["a.b.c=1", "a.b.d=2", "a.e=3"], {"a": {"b": {"c": 1, "d": 2}, "e": 3}}),
        (["reduction=none"], {"reduction": "none"}),
        (['name="two words"'], {"name": "two words"}),
        (["sizes=[1, 2]"], {"sizes": [1, 2]}),
        (["table={x = 1}"], {"table": {"x": 1}}),
        (["rate=1e-4"], {"rate": 0.0001}),
        (["url=a=b"], {"url": "a=b"}),
        (["a=1", "a=2"], {"a": 2}),
        (["empty="], {"empty": ""}),
    ],
)
def test_settings_are_toml_values_under_dotted_names(pairs: list, settings: dict) -> None:
    assert parse_settings(tuple(pairs)) == settings


@pytest.mark.parametrize("pairs", [["points"], ["=9"], [" =9"], ["a=1", "a.b=2"], ["a..b=1"]])
def test_a_pair_that_is_none_is_refused(pairs: list) -> None:
    with pytest.raises(click.BadParameter):
        parse_settings(tuple(pairs))
