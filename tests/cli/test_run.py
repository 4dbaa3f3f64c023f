"""`bench run` and `bench board` from the outside: what is printed, and what settings may look like."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from tests_fixtures import Call

from benchmark.home import home, leaderboards
from benchmark.records.code import code_state, plugin_code, source_digest
from benchmark.records.reading import read_record
from benchmark.runner.request import Request, command
from benchmark.settings import from_words


def test_a_run_says_its_number_and_where_all_lies(run: Call) -> None:
    said = run("grid")
    assert said.code == 0
    record = next((leaderboards() / "twins" / "small_faces" / "1" / "grid").glob("*.json"))
    value = json.loads(record.read_text())["metrics"][0]
    lines = said.out.splitlines()
    assert lines[0].startswith(f"nme_iod {value['value']:.2f} %   95 %: ")
    assert lines[0].endswith("(twin: rendered data)")
    assert f"record    {record}" in lines
    places = [line for line in lines if line.split()[0] in ("record", "page", "pictures")]
    assert len(places) == 3
    for line in places:
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


PREPARE = ("data", "prepare", "small_faces", "--twin")


def test_a_plan_prepares_nothing(
    run: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Which run it is follows from the pixels: without them there is no id yet."""
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "new"))
    plan = run("grid", "--plan", "--json").json
    assert (plan["run_id"], plan["images"], plan["done"]) == (None, None, False)
    assert plan["splits"] == {"fit": "twin:fit", "train": "twin:train", "test": "twin:test"}
    said = run("grid", "--plan").out
    assert "seed 0: prepare images, fit, predict and score" in said
    assert "fit (twin:fit), train (twin:train), test (twin:test), to be prepared" in said
    assert run("weighty", "--plan").code == 4  # its weights are not there, prepared or not
    assert not (tmp_path / "new").exists()
    assert not leaderboards().exists()


def test_a_plan_does_nothing_and_knows_the_ids(bench: Call, run: Call) -> None:
    bench(*PREPARE)
    plan = run("grid", "--plan", "--set", "points=9", "--json").json
    assert plan["settings"] == {"points": 9}
    assert (plan["done"], plan["fitted"]) == (False, False)
    assert plan["images"] == {"fit": 64, "train": 64, "test": 16}
    assert not (home() / "runs").exists()
    assert not leaderboards().exists()
    done = run("grid", "--json", "--preset", "nine").json
    assert done["run_id"] == plan["run_id"]
    again = run("grid", "--plan", "--set", "points=9", "--json").json
    assert (again["done"], again["fitted"]) == (True, True)


def test_a_plan_is_said_in_words_too(bench: Call, run: Call) -> None:
    bench(*PREPARE)
    said = run("grid", "--plan", "--set", "points=9", "--seed", "3")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "grid on small_faces@1, seed 3: fit, predict and score"
    assert [line.split()[0] for line in lines[1:]] == ["settings", "images", "scored", "folder"]
    assert "points=9" in lines[1]
    assert "fit 64 (twin:fit), train 64 (twin:train), test 16 (twin:test)" in lines[2]
    run("grid", "--set", "points=9", "--seed", "3")
    again = run("grid", "--plan", "--preset", "nine", "--seed", "3-4").out.splitlines()
    assert again[0] == "grid nine on small_faces@1, seed 3: done before; nothing to do"
    assert again[5] == "grid nine on small_faces@1, seed 4: fit, predict and score"
    assert len(again) == 10  # no run of this preset is on record
    run("grid", "--preset", "nine", "--seed", "5")
    (took,) = [
        line for line in run("grid", "--plan", "--preset", "nine", "--seed", "4").out.splitlines()
        if line.split()[0] == "took"
    ]  # fmt: skip
    assert took.endswith("s for runs like it, on CPUs, by records")


def test_a_run_of_changed_code_says_so(run: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run("grid", "--json")
    assert first.json["other_code"] is False
    record = json.loads(Path(first.json["record"]).read_text())
    code = record["code"]["plugin"]
    assert code == record["fitted"]["code"]["plugin"]
    assert len(code["digest"]) == 64
    monkeypatch.setattr("benchmark.records.code.source_digest", lambda *_: "0" * 64)
    code_state.cache_clear()
    again = run("grid")
    code_state.cache_clear()
    assert "note: the code of grid is no longer what this run was made by" in again.out
    assert "`version`" in again.out


def test_the_state_of_a_package_is_that_of_its_python_files(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for name in ("__init__.py", "inner/a.py"):
        (tmp_path / name).write_text("x = 1\n")
    files = sorted(tmp_path.rglob("*.py"))
    first = source_digest(tmp_path, files)
    assert source_digest(tmp_path, files) == first
    (tmp_path / "inner" / "a.py").rename(tmp_path / "inner" / "b.py")
    renamed = source_digest(tmp_path, sorted(tmp_path.rglob("*.py")))
    (tmp_path / "inner" / "b.py").write_text("x = 2\n")
    changed = source_digest(tmp_path, sorted(tmp_path.rglob("*.py")))
    assert len({first, renamed, changed}) == 3


def test_a_package_in_a_checkout_has_its_commit_and_one_elsewhere_has_none() -> None:
    here = plugin_code("benchmark.cli.run:command", "structbench")
    assert len(here.commit) == 40
    assert isinstance(here.dirty, bool)
    elsewhere = plugin_code("click.core:Command", "click")
    assert (elsewhere.commit, elsewhere.dirty) == ("", None)
    assert elsewhere.version
    assert plugin_code("no_such_package.method:Name", "none").digest == ""


def test_several_seeds_are_several_runs_and_one_row(bench: Call, run: Call) -> None:
    done = run("slow", "--set", "steps=1", "--seed", "0,2", "--json").json
    records = [json.loads(Path(d["record"]).read_text()) for d in done]
    assert [r["seed"] for r in records] == [0, 2]
    (row,) = bench("board", "small_faces", "--twin", "--json").json["small_faces@1 (twin)"]["rows"]
    assert row["seeds"] == [0, 2]
    assert row["value"] == pytest.approx(sum(d["metrics"]["nme_iod"] for d in done) / 2)


def test_what_an_empty_vs_untrained_needs_is_said_once(
    floors: Path, bench: Call, run: Call
) -> None:
    needed = "“vs untrained” needs an untrained run"
    run("mean-shape")
    assert needed not in bench("board", "small_faces").out  # a floor needs none
    for steps in (1, 2):
        run("slow", "--set", f"steps={steps}")
    assert bench("board", "small_faces").out.count(needed) == 1
    for steps in (1, 2):
        run("random-features", "--set", "of=slow", "--set", f"settings.steps={steps}")
    assert needed not in bench("board", "small_faces").out


def test_a_board_without_the_untrained_floor_does_not_name_it(bench: Call, run: Call) -> None:
    run("slow", "--set", "steps=1")
    assert "random-features" not in bench("board", "small_faces").out


def test_a_curve_comes_with_the_run(bench: Call, run: Call) -> None:
    done = run("slow", "--set", "steps=20", "--curve", "--json").json
    (point,) = bench("show", "run", done["run_id"], "--json").json["curve"]
    assert point["images"] == 64 * 20
    assert f"1,280 images  {point['value']:.2f}" in bench("show", "run", done["run_id"]).out


def test_a_validation_run_says_so_and_reaches_no_board(run: Call) -> None:
    assert "(validation images)" in run("grid", "--on", "validation").out
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


def test_the_words_on_a_runs_page_make_the_same_request(bench: Call, run: Call) -> None:
    made = run("both", "--set", "sharpness=2.0", "--set", "steps=3", "--json").json
    record = read_record(Path(made["record"]))
    words = shlex.split(command(record))
    assert words[:1] == ["bench"]
    assert words[words.index("--set") :][:4] == ["--set", "sharpness=2.0", "--set", "steps=3"]
    again = bench(*words[1:], "--device", "cpu", "--json").json
    assert (again["run_id"], again["found"]) == (made["run_id"], True)


def test_words_of_a_request_are_toml_again() -> None:
    given = {"margin": True, "dimension": None, "of": "none", "sizes": [1, 2], "inner": {"x": 1.5}}
    words = Request(
        "m", "p", preset="small", given=given, seed=3, on="validation", devices=2
    ).words()
    assert from_words(words[i + 1] for i, word in enumerate(words) if word == "--set") == given
    assert "margin=true" in words
    assert words[-6:] == ["--seed", "3", "--on", "validation", "--devices", "2"]


def test_a_plan_says_settings_as_they_are_given(run: Call) -> None:
    said = run("weighty", "--set", "declared=false", "--plan").out
    assert "declared=false, points=4" in said
