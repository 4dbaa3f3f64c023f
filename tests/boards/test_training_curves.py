"""What fits logged in training: read by name, laid over one another, refused where it is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests_fixtures import Call

from benchmark.contracts.errors import DataAltered
from benchmark.home import home
from benchmark.pages.training_curves import Curve, logged, training_svg
from benchmark.records.model import Record
from benchmark.records.reading import read_record


def row(stage: str, images: int, **values: float) -> dict[str, Any]:
    return {"stage": stage, "step": images, "images": images, "images_per_second": 9.0, **values}


def runs(run: Call, *rows: list[dict[str, Any]]) -> list[Record]:
    """Runs of a method, whose fits are given logs."""
    found = []
    for seed, own in enumerate(rows):
        record = read_record(Path(run("grid", "--seed", str(seed), "--json").json["record"]))
        log = home() / "fits" / record.fit_id / "log.jsonl"
        log.write_text("".join(json.dumps(r) + "\n" for r in own))
        found.append(record)
    return found


def test_values_are_told_apart_by_stage_only_where_they_must(harness: Path, run: Call) -> None:
    rows = [row("one", 10, loss=3.0), row("two", 5, loss=2.0, pixels=7.0), row("one", 20, loss=1.0)]
    (record,) = runs(run, [*rows, {"step": 3}])
    assert logged(record) == {
        "one/loss": Curve(((10, 3.0), (20, 1.0))),
        "two/loss": Curve(((5, 2.0),)),
        "pixels": Curve(((5, 7.0),)),
    }


def test_runs_are_laid_over_one_another(
    harness: Path, run: Call, bench: Call, tmp_path: Path
) -> None:
    one, two = runs(run, [row("a", 10, loss=4.0), row("a", 20, loss=2.0)], [row("a", 10, loss=3.0)])
    out = tmp_path / "curves.svg"
    said = bench("curves", one.run_id, two.run_id[:9], "--out", str(out))
    assert said.code == 0, said.err
    assert "logged: loss" in said.out
    drawn = out.read_text()
    assert drawn.startswith("<svg")
    assert "<script" not in drawn
    for record in (one, two):
        assert record.run_id[:8] in drawn
    curves = bench("curves", one.run_id, two.run_id, "--json").json["curves"]
    assert list(curves.values()) == [[[10, 4.0], [20, 2.0]], [[10, 3.0]]]


def test_an_unknown_value_and_a_fit_elsewhere_are_refused(
    harness: Path, run: Call, bench: Call
) -> None:
    one, two = runs(run, [row("a", 10, loss=4.0)], [row("a", 10, pixels=3.0)])
    said = bench("curves", one.run_id, two.run_id)
    assert (said.code, "pixels" in said.err) == (2, True)
    (home() / "fits" / one.fit_id / "done.json").unlink()
    said = bench("curves", one.run_id)
    assert said.code == 1
    assert "not on this machine" in said.err


def test_without_a_loss_the_only_common_value_is_taken(
    harness: Path, run: Call, bench: Call
) -> None:
    one, two = runs(run, [row("a", 10, pixels=4.0, moved=1.0)], [row("a", 10, pixels=3.0)])
    said = bench("curves", one.run_id, two.run_id, "--json")
    assert said.json["value"] == "pixels"
    assert list(said.json["curves"].values()) == [[[10, 4.0]], [[10, 3.0]]]


def test_where_there_is_a_choice_the_values_are_listed(
    harness: Path, run: Call, bench: Call, tmp_path: Path
) -> None:
    one, two = runs(run, [row("a", 10, pixels=4.0, moved=1.0)], [row("a", 10, other=3.0)])
    said = bench("curves", one.run_id)
    assert (said.code, said.out) == (0, "name one with --value; logged: moved, pixels\n")
    assert list(bench("curves", one.run_id, "--json").json["logged"].values()) == [
        ["moved", "pixels"]
    ]
    said = bench("curves", one.run_id, two.run_id)
    assert said.code == 0
    assert f"({two.run_id[:8]}): other" in said.out
    plot = tmp_path / "plot.svg"
    said = bench("curves", one.run_id, "--out", str(plot))
    assert said.code == 3
    assert "name one: logged: moved, pixels" in said.err
    assert not plot.exists()
    assert bench("curves", one.run_id, "--value", "moved").code == 0


def test_a_broken_log_is_named(harness: Path, run: Call) -> None:
    (record,) = runs(run, [])
    path = home() / "fits" / record.fit_id / "log.jsonl"
    path.write_text('{"images": 1, "loss"')
    with pytest.raises(DataAltered, match=r"log\.jsonl"):
        logged(record)


def test_values_below_zero_have_a_linear_scale() -> None:
    assert "−2" in training_svg({"run": Curve(((1, -2.0), (2, 2.0)))}, "loss")


def test_all_numbers_are_curves_whatever_they_are_counted_by(harness: Path, run: Call) -> None:
    rows = [
        {"step": 1, "inertia": 4.0, "moved": 9, "note": "first", "done": False},
        {"step": 2, "inertia": 2.0, "broken": float("nan")},
        {"purity": 0.5},
        {"purity": 0.75},
    ]
    (record,) = runs(run, rows)
    assert logged(record) == {
        "inertia": Curve(((1, 4.0), (2, 2.0)), "steps"),
        "moved": Curve(((1, 9),), "steps"),
        "purity": Curve(((1, 0.5), (2, 0.75)), "lines logged"),
    }


def test_curves_along_different_things_are_not_laid_over_one_another(
    harness: Path, run: Call, bench: Call
) -> None:
    one, two = runs(run, [row("a", 10, loss=4.0)], [{"step": 1, "loss": 3.0}])
    said = bench("curves", one.run_id, two.run_id)
    assert said.code == 3
    assert "along images seen and along steps" in said.err


def test_long_curves_are_thinned_to_means_of_neighbours() -> None:
    curve = Curve(tuple((i, float(i)) for i in range(1, 9)))
    assert curve.thinned(4) == [(1.5, 1.5), (3.5, 3.5), (5.5, 5.5), (7.5, 7.5)]
    assert curve.thinned(8) == list(curve.points)
    assert Curve(()).thinned() == []


def test_the_page_of_a_run_draws_them(harness: Path, run: Call) -> None:
    from benchmark.pages.run_page import write_page

    (record,) = runs(run, [{"step": 1, "inertia": 4.0}, {"step": 2, "inertia": 2.0}])
    page = write_page(record, home() / "runs" / record.run_id).read_text("utf-8")
    assert page.count("<svg") == 1
    assert "<h2>Training: inertia</h2>" in page
    assert page.count("inertia in training") == 0  # the heading has said so
    assert ">steps</text>" in page


def test_what_a_killed_fit_logged_twice_counts_once(harness: Path, run: Call) -> None:
    rows = [row("a", 10, loss=4.0), row("a", 20, loss=9.0), row("a", 20, loss=3.0)]
    (record,) = runs(run, [*rows, row("a", 30, loss=2.0)])
    assert logged(record) == {"loss": Curve(((10, 4.0), (20, 3.0), (30, 2.0)))}


def test_a_line_that_a_kill_tore_is_passed_over(harness: Path, run: Call) -> None:
    (record,) = runs(run, [row("a", 10, loss=3.0), row("a", 20, loss=1.0)])
    log = home() / "fits" / record.fit_id / "log.jsonl"
    log.write_text(log.read_text() + '{"stage": "a", "ima')
    assert logged(record)["loss"].points == ((10, 3.0), (20, 1.0))
    log.write_bytes(b"\xff\n")
    with pytest.raises(DataAltered, match="is no log of a fit"):
        logged(record)
