"""What can be looked at: lists, one thing in full, help, completion, doctor."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import model_validator
from tests_fixtures import Call

from benchmark.cli import COMMANDS
from benchmark.cli.show import _applied
from benchmark.contracts.method import MethodSettings
from benchmark.home import home
from benchmark.registry.plugins import plugins


def test_help_names_every_command(harness: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmark", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    listed = done.stdout.partition("Commands:")[2]
    for name, what in COMMANDS.items():
        assert f"  {name} " in listed
        assert what.split(":")[0] in " ".join(listed.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(bench: Call, name: str) -> None:
    said = bench(name, "--help")
    assert said.code == 0
    assert said.out.startswith(f"Usage: bench {name} ")


def test_methods_are_listed_with_the_protocols_they_fit(bench: Call) -> None:
    rows = {r["method"]: r for r in bench("ls", "methods", "--json").json["methods"]}
    assert "small_faces@1" in rows["grid"]["protocols"]
    assert "small_faces@1" in rows["halves"]["protocols"]
    assert "small_faces@1" not in rows["noise"]["protocols"]
    assert "ytf68_images@1" in rows["noise"]["protocols"]
    assert rows["grid"]["presets"] == ["nine"]
    assert {r["plugin"] for r in rows.values()} == {"fakes"}
    plain = bench("ls", "methods")
    assert plain.code == 0
    assert {line.split()[0] for line in plain.out.splitlines()[1:]} == set(rows)


def test_protocols_are_listed_and_drafts_are_marked(bench: Call) -> None:
    rows = {r["protocol"]: r for r in bench("ls", "protocols", "--json").json}
    assert rows["small_faces@1"] == {
        "protocol": "small_faces@1",
        "task": "landmark_regression",
        "needs": ["descriptors", "landmarks"],
        "size": 32,
        "frozen": False,
        "title": "5 landmarks on a few rendered faces",
    }
    plain = bench("ls", "protocols").out
    assert "small_faces@1 (draft)" in plain
    for name, row in rows.items():
        assert (f"{name} (draft)" in plain) != row["frozen"]


def test_data_sets_that_are_not_there_say_how_they_are_obtained(bench: Call) -> None:
    rows = {r["dataset"]: r for r in bench("ls", "datasets", "--json").json}
    assert rows["ytf68"]["download"] is True
    assert rows["celeba"]["download"] is False
    assert all(r["there"] == "" for r in rows.values())
    assert bench("data", "ls", "--json").json == list(rows.values())
    plain = {line.split()[0]: line for line in bench("ls", "datasets").out.splitlines()[1:]}
    assert "bench data get" in plain["ytf68"]
    assert "ask" in plain["celeba"]


def test_runs_are_listed_by_how_far_they_came(bench: Call, run: Call) -> None:
    assert bench("ls", "runs", "--json").json == []
    assert run("broken-numbers").code == 8
    value = run("grid", "--json").json["metrics"]["nme_iod"]
    states = {r["method"]: (r["state"], r["value"]) for r in bench("ls", "runs", "--json").json}
    assert states == {"broken-numbers": ("fitted", None), "grid": ("done", f"{value:.2f} %")}
    plain = bench("ls", "runs").out
    assert "small_faces@1 twin" in plain
    assert f"{value:.2f} %" in plain


def test_a_protocol_is_shown_in_full(bench: Call) -> None:
    shown = bench("show", "protocol", "small_faces", "--json").json
    assert shown["probes"]["landmarks"] == {"name": "linear/scops"}
    assert Path(shown["file"]).name == "1.toml"
    plain = bench("show", "protocol", "small_faces@1").out
    assert f"digest: {shown['digest']}" in plain
    assert "mafl5_from_68" in plain


def test_a_method_is_shown_with_its_settings_and_their_defaults(bench: Call) -> None:
    shown = bench("show", "method", "grid", "--json").json
    assert shown["settings"] == {"points": {"default": 4, "type": "int", "description": ""}}
    assert shown["presets"] == {"nine": {"points": 9}}
    assert "small_faces@1" in shown["protocols"]
    lines = bench("show", "method", "grid").out.splitlines()
    assert "gives: landmarks" in lines
    cells = [line.split() for line in lines]
    head = cells.index(["setting", "no", "preset", "nine", "choices", "meaning"])
    assert cells[head + 1] == ["points", "4", "9", "whole", "number"]
    (named,) = (line for line in lines if line.startswith("protocols: "))
    assert named.count("@") == 12
    assert named.endswith(f" and {len(shown['protocols']) - 12} more")
    assert "bench ls protocols --for grid" in lines


def test_a_method_that_a_protocol_can_not_score_says_which_can(bench: Call) -> None:
    assert "small_faces@1" not in bench("show", "method", "cube", "--json").json["protocols"]
    assert "shapenet_cars@1" in bench("show", "method", "cube").out
    refused = bench("run", "-m", "cube", "-p", "small_faces", "--twin")
    assert refused.code == 2
    assert "bench ls protocols --for cube" in refused.err
    assert "bench ls methods --for small_faces" in refused.err


def test_a_method_says_which_preset_is_the_default_and_which_twins_take(
    bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    presets = {"paper": {"points": 9}, "small": {"points": 4}, "plain": {}}
    grid = plugins().methods["grid"]
    for default, twin in (("paper", "small"), ("small", "small"), ("", "plain")):
        spec = replace(grid, presets=presets, default_preset=default, twin_preset=twin)
        monkeypatch.setitem(plugins().methods, "grid", spec)
        out = bench("show", "method", "grid").out
        head = next(line for line in out.splitlines() if line.startswith("setting "))
        wanted = {
            "paper": ["paper (default)", "small (on twins)", "plain"],
            "small": ["paper", "small (default)", "plain"],
            "": ["paper", "small", "plain (on twins)"],
        }
        assert re.split(r"\s{2,}", head)[2:-2] == wanted[default]
        assert bench("show", "method", "grid", "--json").json["twin_preset"] == twin


def test_a_run_is_shown_by_the_beginning_of_its_id_or_by_its_record(bench: Call, run: Call) -> None:
    done = run("grid", "--json").json
    record = json.loads(Path(done["record"]).read_text())
    assert bench("show", "run", done["run_id"][:5], "--json").json == record
    assert bench("show", "run", done["record"], "--json").json == record
    plain = bench("show", "run", done["run_id"]).out
    assert f"nme_iod {done['metrics']['nme_iod']:.3f} %" in plain
    assert f"page: {done['page']}" in plain
    assert "  gives: landmarks" in plain.splitlines()
    assert "['" not in plain


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_line_for_completion_is_the_shells_own(bench: Call, shell: str) -> None:
    assert f"_BENCH_COMPLETE={shell}_source bench" in bench("completion", shell).out


def test_names_are_completed(harness: Path) -> None:
    import click

    from benchmark.cli import names

    context = click.Context(click.Command("run"))
    assert names.complete_methods(context, None, "gr") == ["grid"]  # type: ignore[arg-type]
    assert names.complete_protocols(context, None, "small") == ["small_faces"]  # type: ignore[arg-type]
    assert "ytf68" in names.complete_datasets(context, None, "y")  # type: ignore[arg-type]
    context.params["method"] = "grid"
    assert names.complete_presets(context, None, "") == ["nine"]  # type: ignore[arg-type]


def test_protocols_are_checked_against_their_frozen_digests(bench: Call) -> None:
    said = bench("protocol", "check")
    assert said.code == 0
    rows = {line.split()[0]: line for line in said.out.splitlines()}
    assert rows.keys() == {r["protocol"] for r in bench("ls", "protocols", "--json").json}
    assert "draft" in rows["small_faces@1"]


def test_doctor_fails_exactly_when_it_names_a_problem_and_each_has_its_cure(bench: Call) -> None:
    said = bench("doctor", "--json")
    problems = [c for c in said.json if c["state"] == "problem"]
    assert said.code == (1 if problems else 0)
    assert all(c["cure"] for c in problems)
    rows = {c["what"]: c for c in said.json}
    assert rows["BENCH_HOME"]["found"].startswith(str(home()))
    assert rows["data ytf68"]["cure"] == "bench data get ytf68"
    assert "grid" in rows["plugin fakes"]["found"]
    absent = {c["what"] for c in said.json if c["what"].startswith("data ")}
    plain = bench("doctor").out
    assert all((f"{c['what']}: " in plain) != (c["what"] in absent) for c in said.json)
    assert f"{len(absent)} data sets are not here" in plain
    every = bench("doctor", "--data").out
    assert all(f"{c['what']}: " in every for c in said.json)
    for verdict in (plain.splitlines()[-1], every.splitlines()[-1]):
        assert verdict.startswith("not ready: " if problems else "ready: 0 of ")


def test_presets_metrics_and_boards_are_listed(bench: Call, run: Call) -> None:
    (preset,) = bench("ls", "presets", "--method", "grid", "--json").json
    assert preset == {"method": "grid", "preset": "nine", "taken": [], "settings": {"points": 9}}
    assert "points=9" in bench("ls", "presets").out
    metrics = {row["metric"]: row for row in bench("ls", "metrics", "--json").json}
    assert metrics["nme_iod"]["better"] == "lower"
    assert "nme_iod" in bench("ls", "metrics").out
    assert "no records yet" in bench("ls", "boards").out
    value = run("grid", "--json").json["metrics"]["nme_iod"]
    (board,) = bench("ls", "boards", "--json").json
    assert (board["board"], board["runs"]) == ("small_faces@1 (twin)", 1)
    assert f"{value:.2f}" in bench("ls", "boards").out


def test_protocols_are_chosen_by_method_and_by_the_data_at_hand(bench: Call) -> None:
    able = {row["protocol"] for row in bench("ls", "protocols", "--for", "cube", "--json").json}
    assert able == set(bench("show", "method", "cube", "--json").json["protocols"])
    assert "shapenet_cars@1" in able
    assert bench("ls", "protocols", "--here", "--json").json == []
    assert "--twin" in bench("ls", "protocols", "--here").out
    assert bench("ls", "datasets", "--here", "--json").json == []
    assert bench("ls", "methods", "--here").code == 2
    assert bench("ls", "protocols", "--for", "grib").code == 2


def test_methods_are_chosen_by_protocol(bench: Call) -> None:
    rows = bench("ls", "methods", "--json").json["methods"]
    chosen = bench("ls", "methods", "--for", "cub", "--json").json["methods"]
    assert chosen == [row for row in rows if "cub@1" in row["protocols"]]
    assert 0 < len(chosen) < len(rows)
    assert bench("ls", "methods", "--for", "cubb").code == 2
    assert bench("ls", "metrics", "--for", "cub").code == 2


def test_an_empty_list_of_runs_says_how_to_fill_it(bench: Call) -> None:
    assert "bench run" in bench("ls", "runs").out


def test_a_page_opens_in_the_browser(
    bench: Call, run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("click.launch", opened.append)
    made = run("grid", "--json").json
    assert bench("show", "run", made["run_id"], "--web").code == 0
    assert opened == [Path(made["page"]).as_uri()]
    assert bench("board", "small_faces", "--web").code == 0
    assert opened[1].endswith("/site/small_faces/index.html")
    assert (home() / "site" / "small_faces" / "index.html").exists()
    assert bench("show", "method", "grid", "--web").code == 2


def test_a_suggested_run_ends_on_a_cpu(bench: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = plugins().methods["grid"]
    presets = {"paper": {"points": 9}, "demo": {"points": 4}}
    for name in list(plugins().methods):
        spec = replace(grid, id=name, presets=presets, default_preset="paper")
        monkeypatch.setitem(plugins().methods, name, spec)
    last = bench("show", "protocol", "small_faces").out.splitlines()[-1]
    assert last.endswith("--protocol small_faces --preset demo")


def test_a_default_that_follows_from_another_setting_is_shown_as_it_applies() -> None:
    class Derived(MethodSettings):
        whole: bool = False
        dimension: int | None = None

        @model_validator(mode="before")
        @classmethod
        def _dimension(cls, given: dict[str, Any]) -> dict[str, Any]:
            return given if given.get("whole") else {"dimension": 64, **given}

    assert _applied(Derived, {}) == {"whole": False, "dimension": 64}
    assert _applied(Derived, {"whole": True}) == {"whole": True, "dimension": None}
