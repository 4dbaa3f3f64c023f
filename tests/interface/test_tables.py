"""Tables of boards, results and items say what records and boards say, in the columns documented."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests_fixtures import ROOT, Call
from tests_records import altered
from tests_support import SMALL_MATCHING

from benchmark import board, items, protocol, results, run
from benchmark.boards.frames import DTYPES, BoardColumns, board_csv, table
from benchmark.contracts.errors import DataAltered, UnknownName
from benchmark.files import load_arrays
from benchmark.home import leaderboards
from benchmark.interface.tables import ItemColumns, ResultColumns
from benchmark.metrics.aggregates import aggregate
from benchmark.metrics.uncertainty import group_moves, interval, over_items, over_seeds
from benchmark.records.claims import item_groups
from benchmark.records.reading import read_record
from benchmark.registry.protocols import find_protocol

ENDS = ("nme_iod", "nme_iod_low", "nme_iod_high")
BOARDS = ROOT / "leaderboards"
WHERE: dict[str, Any] = {"twin": True, "device": "cpu", "quiet": True}


def fixed(columns: type) -> dict[str, str]:
    return {f.name: DTYPES[str(f.type)] for f in dataclasses.fields(columns)}


def meanings(columns: type) -> dict[str, str]:
    """Column → the string below its field."""
    body = ast.parse(textwrap.dedent(inspect.getsource(columns))).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        ast.unparse(field.target): " ".join(ast.literal_eval(words.value).split())
        for field, words in pairwise(body.body)
        if isinstance(field, ast.AnnAssign) and isinstance(words, ast.Expr)
    }


def dtypes(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(kind) for name, kind in frame.dtypes.items()}


@pytest.mark.parametrize("quarter", range(4))
def test_a_committed_board_has_the_numbers_of_its_csv(quarter: int) -> None:
    mine = sorted(BOARDS.rglob("board.csv"))[quarter::4]
    assert len(mine) > 5
    for path in mine:
        name = f"{path.parts[-3]}@{path.parts[-2]}"
        twin = "twins" in path.relative_to(BOARDS).parts
        frame = board(name, twin=twin)
        assert dtypes(frame).items() >= fixed(BoardColumns).items()
        csv = pd.read_csv(path, dtype={"runs": str})
        assert frame.runs.to_list() == csv.runs.to_list(), path
        assert (frame.withdrawn != "").to_list() == csv.withdrawn.notna().to_list(), path
        numbers = [c for c in frame.select_dtypes("number").columns if c in csv]
        further = len(find_protocol(name).scored(twin=twin).metrics) - 1
        assert len(numbers) == 13 + 3 * further
        for column in numbers:
            same = np.isclose(frame[column], csv[column].astype(float), 1e-5, equal_nan=True)
            assert same.all(), (path, column)


def test_every_column_is_documented_and_the_page_says_the_same() -> None:
    page = (ROOT / "docs" / "how-to" / "python.md").read_text("utf-8")
    for columns in (BoardColumns, ResultColumns, ItemColumns):
        words = meanings(columns)
        assert list(words) == list(fixed(columns)), "a column without a word"
        lines = [f"| `{name}` | {kind} | {words[name]} |" for name, kind in fixed(columns).items()]
        assert "\n".join(lines) in page, "the page should say:\n" + "\n".join(lines)


def test_a_board_has_every_metric_ranks_and_intervals(harness: Path) -> None:
    folder = harness.parent / "protocols" / "small_matching"
    folder.mkdir()
    (folder / "1.toml").write_text(SMALL_MATCHING)
    outcomes = [run("pixels", "small_matching", seed=seed, **WHERE) for seed in (0, 1)]
    frame = board("small_matching", twin=True)
    assert list(frame.columns) == [
        *fixed(BoardColumns),
        *(m + end for m in ("match_different", "match_same") for end in ("", "_low", "_high")),
    ]
    assert dtypes(frame)["match_same"] == "float64"
    (row,) = frame.to_dict("records")
    for i, metric in enumerate(("match_different", "match_same")):
        values = [o.record.metrics[i].value for o in outcomes]
        assert row[metric] == np.mean(values)
        errors = [load_arrays(o.path.parent / o.record.headline.per_item) for o in outcomes]
        groups = item_groups(errors[0], outcomes[0].record.metrics[i])
        moves = group_moves(np.mean([e[metric] for e in errors], axis=0), groups=groups)
        wanted = interval(row[metric], [over_seeds(values), over_items(moves)])
        assert (row[f"{metric}_low"], row[f"{metric}_high"]) == pytest.approx(wanted, rel=1e-9)
    page = (leaderboards() / "twins" / "small_matching" / "1" / "README.md").read_text("utf-8")
    listed = page.partition("## All metrics")[2]
    assert "match_different % ↓" in listed
    assert "match_same % ↓" in listed
    ends = f"({row['match_same_low']:.2f} to {row['match_same_high']:.2f})"
    assert f"{row['match_same']:.2f} {ends}" in listed
    assert row["value"] == row["match_different"]
    assert row["runs"].split() == [o.record.run_id for o in outcomes]
    assert (row["seeds"], row["rank"]) == ("0 1", "")  # there is none to be ranked with
    assert frame[["rank_best", "rank_worst"]].isna().all().all()
    assert row["ci95_low"] <= row["value"] <= row["ci95_high"]


def test_a_board_without_runs_has_its_columns(harness: Path) -> None:
    frame = board("small_faces", twin=True)
    assert frame.empty
    assert dtypes(frame) == {**fixed(BoardColumns), **dict.fromkeys(ENDS, "float64")}
    assert results("small_faces").empty
    assert dtypes(results("small_faces")) == fixed(ResultColumns)
    for ask in (board, results):
        with pytest.raises(UnknownName):
            ask("small_facse")


def test_the_csv_of_a_board_ends_with_its_runs_and_further_metrics(harness: Path) -> None:
    head = board_csv(find_protocol("small_faces"), []).strip().split(",")
    assert head == list(fixed(BoardColumns))[: len(head)]
    assert head[-1] == "runs"
    two = board_csv(find_protocol("ytf5_matching"), []).strip().split(",")
    assert two == [*head, "match_same", "match_same_low", "match_same_high"]


def test_a_result_is_what_its_record_says(harness: Path) -> None:
    outcome = run("grid", "small_faces", settings={"points": 16}, seed=2, **WHERE)
    run("descent", "small_faces", **WHERE)
    frame = results("small_faces", twin=True)
    assert dtypes(frame).items() >= fixed(ResultColumns).items()
    (row,) = frame[frame.run == outcome.record.run_id].to_dict("records")
    record = read_record(outcome.path)
    value = record.headline
    assert row["value"] == value.value
    assert (row["ci95_low"], row["ci95_high"]) == value.ci95
    said = ("method", "preset", "settings", "protocol", "twin", "on", "seed", "metric", "unit")
    told = ["grid", "", "points=16", "small_faces@1", True, "test", 2, "nme_iod", "%"]
    assert [row[name] for name in said] == told
    assert (row["items"], row["groups"], row["metric_version"]) == (16, value.groups, value.version)
    assert row["seconds_fit"] == record.stages["fit"].seconds
    assert row["peak_memory"] == record.peak_memory_bytes
    assert row["finished"].isoformat() == record.finished
    assert (row["withdrawn"], row["left_out"], row["path"]) == ("", "", str(outcome.path))
    assert row["settings.points"] == 16
    assert frame[frame.method == "descent"]["settings.points"].isna().all()
    assert set(results().run) == set(frame.run)
    assert results(twin=False).empty


def test_withdrawn_and_left_out_records_are_there_and_say_so(bench: Call) -> None:
    one, two, three = (run("grid", "small_faces", seed=seed, **WHERE) for seed in (0, 1, 2))
    gone, other, stands = (outcome.record.run_id for outcome in (one, two, three))
    words = ("--reason", "wrong crop", "--author", "A. Person")
    assert bench("record", "withdraw", gone, *words).code == 0
    altered(two.path, lambda c: c["protocol"].update(digest="0" * 64))
    three.path.with_name("0123.json").write_text("{")
    with pytest.warns(UserWarning, match=r"0123\.json"):
        frame = results("small_faces").set_index("run")
    assert len(frame) == 3
    assert frame.withdrawn[gone] == "wrong crop"
    assert "another content" in frame.left_out[other]
    assert frame.loc[stands, ["withdrawn", "left_out"]].to_list() == ["", ""]
    rows = board("small_faces", twin=True)
    assert rows.withdrawn.to_list() == ["", "wrong crop"]
    assert rows.runs.to_list() == [stands, gone]


def test_validation_runs_are_asked_for(harness: Path) -> None:
    outcome = run("grid", "small_faces", on="validation", **WHERE)
    run("grid", "small_faces", **WHERE)
    frame = results("small_faces", on="validation")
    assert frame.run.to_list() == [outcome.record.run_id]
    assert frame.on.to_list() == ["validation"]
    assert results("small_faces", twin=False, on="validation").empty


def test_items_come_to_the_value_of_the_run(harness: Path) -> None:
    outcome = run("grid", "small_faces", **WHERE)
    frame = items(outcome)
    assert dtypes(frame) == fixed(ItemColumns)
    assert len(frame) == 16
    assert frame.value.mean() == pytest.approx(outcome.record.headline.value, abs=1e-12)
    split = protocol("small_faces", twin=True, quiet=True).split("test")
    assert frame.key.to_list() == split.keys
    people = {name: i for i, name in enumerate(dict.fromkeys(split.identities))}
    assert frame.group.to_list() == [people[name] for name in split.identities]
    assert frame.groupby("group").ngroups == outcome.record.headline.groups
    for name in (outcome.record.run_id[:8], str(outcome.path)):
        pd.testing.assert_frame_equal(frame, items(name))


def test_items_of_committed_records_come_to_their_values() -> None:
    """Of each metric, whatever its aggregate and however many numbers an item has."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = results(twin=True)
    assert len(frame) > 200
    chosen = frame.drop_duplicates(["metric"]).drop_duplicates("run")
    several = 0
    for path in map(Path, chosen.path):
        found, arrays = items(str(path)), load_arrays(path.with_suffix(".errors.npz"))
        for value in read_record(path).metrics:
            mine = found[found.metric == value.metric]
            if value.aggregate == "single":
                assert mine.empty
                continue
            wide = mine.pivot(index="item", columns="component", values="value").to_numpy()
            several += wide.shape[1] > 1
            errors = wide if arrays[value.metric].ndim > 1 else wide[:, 0]
            assert np.array_equal(errors, arrays[value.metric], equal_nan=True)
            assert aggregate(errors, value.aggregate) == pytest.approx(value.value)
            assert mine.group.isna().all() == (value.groups is None)
    assert several > 0


def test_a_missing_file_of_errors_is_named(harness: Path) -> None:
    outcome = run("grid", "small_faces", **WHERE)
    outcome.path.with_suffix(".errors.npz").unlink()
    with pytest.raises(DataAltered, match="missing"):
        items(outcome)
    with pytest.raises(UnknownName):
        items("0000")


def test_tables_become_latex_and_csv(harness: Path, tmp_path: Path) -> None:
    run("grid", "small_faces", **WHERE)
    frame = board("small_faces", twin=True)
    text = frame[["method", "value"]].to_latex(index=False, float_format="%.2f")
    assert re.search(rf"grid & {frame.value[0]:.2f} \\\\", text)
    frame.to_csv(tmp_path / "board.csv", index=False)
    again = pd.read_csv(tmp_path / "board.csv")
    assert again.value.to_list() == pytest.approx(frame.value.to_list(), rel=1e-12)


def test_a_type_without_a_dtype_is_no_column() -> None:
    @dataclasses.dataclass
    class Strange:
        value: complex

    with pytest.raises(KeyError):
        table(Strange, [])
