"""A run from end to end on a few rendered faces: stages, identity, kills, locks, bad numbers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import filelock
import numpy as np
import pytest

from benchmark.contracts import FitContext, Images, Method, MethodInfo
from benchmark.contracts.arithmetic import smallest_are_zero
from benchmark.contracts.errors import (
    DataAltered,
    DataMissing,
    DiskFull,
    Incompatible,
    PluginBroken,
    RunLocked,
)
from benchmark.home import home, leaderboards
from benchmark.interface.progress import Silent
from benchmark.metrics.aggregates import aggregate
from benchmark.pictures.drawing import draw_pictures
from benchmark.protocols.files import _read_cached
from benchmark.records.identity import ids_from_record
from benchmark.records.reading import read_record
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run
from benchmark.settings import SettingsInvalid

QUIET = Silent()
REQUEST = Request(method="grid", protocol="small_faces", twin=True, device="cpu")


def done(**changes) -> Outcome:  # type: ignore[no-untyped-def]
    return run(make_plan(replace(REQUEST, **changes), QUIET), QUIET)


def test_a_run_leaves_a_record_that_says_all(harness: Path) -> None:
    outcome = done(preset="nine", seed=3)
    record = read_record(outcome.path)
    assert record == outcome.record
    assert outcome.path.parent == leaderboards() / "twins" / "small_faces" / "1" / "grid"
    value = record.headline
    assert value.metric == "nme_iod"
    assert value.ci95[0] < value.value < value.ci95[1]
    assert value.n == record.data["test"].images == 16
    assert record.method.settings == {"points": 9}
    assert record.method.settings_given == {}
    assert record.seed == 3
    assert record.throughput == {"grid": 100.0}
    assert record.stages.keys() == {"fit", "predict", "score"}
    with np.load(outcome.path.parent / value.per_item) as arrays:
        assert arrays["nme_iod"].mean() == pytest.approx(value.value, abs=1e-12)
    assert not list(home().rglob(".*.json.*"))
    assert not (home() / "runs" / record.run_id / "predictions").exists()


def test_the_identity_is_the_same_before_the_run_and_from_its_record(harness: Path) -> None:
    plan = make_plan(REQUEST, QUIET)
    record = run(plan, QUIET).record
    assert ids_from_record(record) == (plan.fit_id, plan.run_id) == (record.fit_id, record.run_id)


def test_what_can_move_a_number_moves_the_identity_and_nothing_else_does(harness: Path) -> None:
    ids = {
        name: make_plan(replace(REQUEST, **changes), QUIET).run_id
        for name, changes in {
            "plain": {},
            "seed": {"seed": 1},
            "settings": {"given": {"points": 9}},
            "method": {"method": "pixels"},
            "validation": {"on": "validation"},
        }.items()
    }
    assert len(set(ids.values())) == len(ids)
    assert make_plan(replace(REQUEST, given={"points": 4}), QUIET).run_id == ids["plain"]


def test_the_same_run_again_is_found_and_gives_the_same(harness: Path) -> None:
    first = done()
    before = first.path.read_bytes()
    again = done()
    assert not first.found
    assert again.found
    assert again.path.read_bytes() == before


@pytest.mark.parametrize("method, kind", [("halves", "landmarks"), ("pixels", "descriptors")])
def test_parts_and_descriptors_are_scored_too(harness: Path, method: str, kind: str) -> None:
    record = done(method=method).record
    assert record.method.used == kind
    assert 0 < record.headline.value < 1000


@pytest.mark.parametrize("method", ["noise", "cube", "negative"])
def test_an_impossible_pair_is_refused_before_any_work(harness: Path, method: str) -> None:
    with pytest.raises(Incompatible, match="scores descriptors or landmarks, but method"):
        make_plan(replace(REQUEST, method=method), QUIET)
    assert not (home() / "runs").exists()


def test_a_side_that_a_method_cannot_take_is_refused_before_data_are_read(
    harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(REQUEST, QUIET)
    monkeypatch.setattr(
        plan.cls, "info", classmethod(lambda cls, s: replace(plan.info, sizes=(8, 16)))
    )
    monkeypatch.setattr("benchmark.runner.plan.opened", None)
    with pytest.raises(Incompatible, match=r"takes images of 8, 16 px, protocol .* gives \d+ px"):
        make_plan(REQUEST, QUIET)


def test_a_run_has_its_arithmetic_and_leaves_that_of_the_code_around_it(harness: Path) -> None:
    meanwhile: list[bool] = []
    run(make_plan(REQUEST, QUIET), lambda *_, **__: meanwhile.append(smallest_are_zero()))
    assert meanwhile
    assert all(meanwhile)
    assert not smallest_are_zero()


def test_more_points_than_a_protocol_scores_are_refused_before_data_are_read(
    harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(REQUEST, QUIET)
    few = plan.protocol.model_copy(
        update={"landmarks": plan.protocol.landmarks.model_copy(update={"most": 4})}
    )
    monkeypatch.setattr("benchmark.runner.plan.find_protocol", lambda name: few)
    monkeypatch.setattr("benchmark.runner.plan.opened", lambda *_, **__: 1 / 0)
    for points, error in ((5, Incompatible), (4, ZeroDivisionError), (None, ZeroDivisionError)):
        info = replace(plan.info, points=points)
        monkeypatch.setattr(plan.cls, "info", classmethod(lambda cls, s, info=info: info))
        with pytest.raises(error) as caught:
            make_plan(REQUEST, QUIET)
        assert error is not Incompatible or "gives 5 points" in str(caught.value)


def test_what_no_record_could_hold_is_refused_before_any_work(
    harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cls = make_plan(REQUEST, QUIET).cls

    class Named(cls):  # type: ignore[misc, valid-type]
        class Settings(cls.Settings):  # type: ignore[misc, name-defined]
            tag: str = ""

    monkeypatch.setattr("benchmark.runner.plan.implementation", lambda spec: Named)
    for tag in ("\x1b[31m", "\ud800"):
        with pytest.raises(SettingsInvalid, match="settings of method 'grid'"):
            make_plan(replace(REQUEST, given={"tag": tag}), QUIET)
    noted = classmethod(lambda cls, s: MethodInfo(gives=("landmarks",), notes="\x1b[31m"))
    monkeypatch.setattr(Named, "info", noted)
    with pytest.raises(PluginBroken, match="the notes of method 'grid': it holds control"):
        make_plan(REQUEST, QUIET)


def test_a_run_that_is_refused_leaves_nothing(
    harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(REQUEST, QUIET)

    def refuse(*_: object) -> None:
        raise DataMissing("no weights")

    monkeypatch.setattr(type(plan.task), "require", refuse)
    with pytest.raises(DataMissing):
        run(plan, QUIET)
    assert not (home() / "runs").exists()
    assert not (home() / "fits").exists()


def test_a_method_finds_no_labels_in_what_fit_is_given(harness: Path) -> None:
    done(method="peeping")


def test_nan_in_predictions_is_an_error_and_leaves_no_record(harness: Path) -> None:
    with pytest.raises(PluginBroken, match=r"predict: Landmarks\.points has NaN"):
        done(method="broken-numbers")
    assert not leaderboards().exists()
    run_folder = next((home() / "runs").glob("*/run.json")).parent
    assert {p.name for p in run_folder.iterdir()} <= {"run.json", "fitted_here"}


def test_a_class_that_cannot_be_imported_is_a_broken_plugin(harness: Path) -> None:
    with pytest.raises(PluginBroken):
        make_plan(replace(REQUEST, method="missing-class"), QUIET)


def test_an_unknown_setting_names_the_right_ones(harness: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        make_plan(replace(REQUEST, given={"pointz": 4}), QUIET)
    assert "points" in caught.value.cure


def test_absent_data_says_what_to_get_and_offers_the_twin(harness: Path) -> None:
    with pytest.raises(DataMissing) as caught:
        make_plan(replace(REQUEST, twin=False), QUIET)
    assert "bench data get ytf68" in caught.value.cure
    assert "--twin" in caught.value.cure


def test_altered_prepared_pixels_are_noticed_before_anything_is_fitted(
    harness: Path, tmp_path: Path
) -> None:
    import shutil

    plan = make_plan(REQUEST, QUIET)
    copy = tmp_path / "altered"
    shutil.copytree(plan.splits["test"].folder, copy)
    with (copy / "pixels.npy").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    from benchmark.datasets.prepared import load

    altered = {**plan.splits, "test": load(copy)}
    with pytest.raises(DataAltered, match="pixels"):
        run(replace(plan, splits=altered), QUIET)
    assert not plan.fit_folder.exists()


def test_a_second_process_on_the_same_run_is_refused(harness: Path) -> None:
    plan = make_plan(REQUEST, QUIET)
    plan.folder.parent.mkdir(parents=True)
    with filelock.FileLock(f"{plan.folder}.lock"), pytest.raises(RunLocked, match=plan.run_id):
        run(plan, QUIET)
    assert not run(plan, QUIET).found


def test_a_full_disk_is_named_and_nothing_half_written_stays(
    harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    plan = make_plan(REQUEST, QUIET)

    def full(path: Path, array: np.ndarray) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("benchmark.tasks.collect.save_array", full)
        with pytest.raises(DiskFull, match="no room left"):
            run(plan, QUIET)
    assert not list(plan.folder.glob("*predictions*"))
    assert not leaderboards().exists()
    assert run(plan, QUIET).record.headline.n == 16


def test_predictions_that_other_code_made_are_made_again(
    harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record names one state of the code: a run that a kill cut in two is of it as a whole."""
    plan, made = make_plan(REQUEST, QUIET), []
    predict = plan.cls.predict
    monkeypatch.setattr(plan.cls, "predict", lambda *given: made.append(1) or predict(*given))

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("benchmark.runner.run.record_of", stopped)
        for predicted in (True, False):
            with pytest.raises(KeyboardInterrupt):
                run(plan, QUIET)
            assert bool(made) == predicted
            made.clear()
    changed = plan.code.plugin.model_copy(update={"digest": "0" * 64})
    changed = plan.code.model_copy(update={"plugin": changed})
    monkeypatch.setattr(type(plan), "code", changed)
    told = []
    record = run(plan, lambda stage, *_, **__: told.append(stage)).record
    assert made
    assert "predict again, for the code has changed" in told
    assert record.code == changed


def test_a_fit_that_is_removed_beneath_a_run_is_no_fault_of_the_method(
    harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(REQUEST, QUIET)

    def fit(self: Method, images: Images, context: FitContext) -> None:
        shutil.rmtree(context.folder)
        context.log({"step": 1})

    def save(self: Method, folder: Path) -> None:
        shutil.rmtree(folder.parent)
        (folder / "weights").write_text("")

    for name, wrong in (("fit", fit), ("save", save)):
        with monkeypatch.context() as patch:
            patch.setattr(plan.cls, name, wrong)
            with pytest.raises(DataAltered, match="was removed while it was worked on"):
                run(plan, QUIET)
    assert run(plan, QUIET).record.headline.n == 16


def test_runs_share_a_fit_where_only_the_protocol_differs(harness: Path, tmp_path: Path) -> None:
    from tests_support import SMALL_PROTOCOL

    other = tmp_path / "protocols" / "other_eyes" / "1.toml"
    other.parent.mkdir()
    other.write_text(
        SMALL_PROTOCOL.replace("small_faces", "other_eyes").replace("[0, 1]", "[3, 4]")
    )
    first = done(method="slow").record
    second = done(method="slow", protocol="other_eyes").record
    assert first.fit_id == second.fit_id
    assert first.run_id != second.run_id
    assert second.stages["fit"].reused
    assert not first.stages["fit"].reused
    assert first.headline.value != second.headline.value


def test_a_part_of_a_fit_is_shared_between_settings(harness: Path) -> None:
    first = done(method="slow", given={"steps": 1}).record
    second = done(method="slow", given={"steps": 2}).record
    assert not first.stages["fit/mean"].reused
    assert second.stages["fit/mean"].reused
    assert not second.stages["fit"].reused


def test_a_part_of_a_fit_is_shared_with_the_method_whose_code_it_is(harness: Path) -> None:
    first = done(method="slow-again").record
    second = done(method="slow").record
    assert not first.stages["fit/mean"].reused
    assert second.stages["fit/mean"].reused
    assert not second.stages["fit"].reused
    assert first.fit_id != second.fit_id


def _start(*arguments: str, slow: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmark", "run", "-m", "slow", "-p", "small_faces", "--twin",
         "--device", "cpu", *arguments],
        env={**os.environ, "SLOW_SECONDS": slow, "BENCH_CHECKPOINT_SECONDS": "0"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.long
def test_a_killed_run_goes_on_and_ends_as_a_straight_one(
    harness: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    straight = done(method="slow").record

    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "second"))
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(tmp_path / "second-boards"))
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "prepared").symlink_to((tmp_path / "home" / "prepared").resolve())
    killed = 0
    for _ in range(2):
        process = _start(slow="0.05")
        before = _step(tmp_path / "second")
        deadline = time.monotonic() + 120
        while _step(tmp_path / "second") < before + 4 and time.monotonic() < deadline:
            if process.poll() is not None:
                pytest.fail(f"ended by itself: {process.communicate()}")
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed += 1
    process = _start("--json", slow="0")
    out, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    resumed = read_record(Path(json.loads(out)["record"]))
    assert resumed.stages["fit"].attempts == killed + 1

    def compared(record):  # type: ignore[no-untyped-def]
        content = record.model_dump()
        for name in ("stages", "started", "finished", "peak_memory_bytes", "hardware", "code"):
            content.pop(name)
        return content

    assert compared(resumed) == compared(straight)
    assert resumed.stages.keys() == straight.stages.keys()


def _step(place: Path) -> int:
    import torch

    for path in (place / "fits").glob("*/checkpoint.pt"):
        return int(torch.load(path, weights_only=True)["step"])
    return 0


def test_the_curve_is_made_from_milestones_on_validation_people(harness: Path) -> None:
    from benchmark.runner.curve import add_curve

    plan = make_plan(replace(REQUEST, method="slow"), QUIET)
    first = run(plan, QUIET)
    (plan.fit_folder / "milestones" / ".320.left").mkdir()  # a kill while one was saved
    outcome = add_curve(plan, first, QUIET)
    assert [p.images for p in outcome.record.curve] == [64 * 20, 64 * 40]
    assert read_record(outcome.path).curve == outcome.record.curve
    assert all(p.value > 0 for p in outcome.record.curve)
    again = run(plan, QUIET)
    assert again.found
    assert again.record.curve == outcome.record.curve


def test_a_point_of_the_curve_is_the_headline_by_its_own_aggregate(
    harness: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmark.runner import curve

    path = tmp_path / "protocols" / "small_faces" / "1.toml"
    text = path.read_text()
    path.write_text(text.replace('id = "nme_iod"', 'id = "nme_iod"\naggregate = "median"'))
    _read_cached.cache_clear()
    seen = []

    def aggregated(values: np.ndarray, name: str) -> float:
        seen.append((float(np.median(values)), name))
        return aggregate(values, name)

    monkeypatch.setattr(curve, "aggregate", aggregated)
    plan = make_plan(replace(REQUEST, method="slow"), QUIET)
    outcome = curve.add_curve(plan, run(plan, QUIET), QUIET)
    assert [(p.value, "median") for p in outcome.record.curve] == seen


def test_what_a_kill_left_of_a_fit_is_swept(harness: Path) -> None:
    plan = make_plan(replace(REQUEST, method="slow"), QUIET)
    left = plan.fit_folder / "milestones" / ".320.left"
    left.mkdir(parents=True)
    first = run(plan, QUIET)
    assert not left.exists()
    draw_pictures(plan, first)
    torn = plan.folder / "pictures" / ".points.png.left"
    torn.write_bytes(b"")
    draw_pictures(plan, first)
    assert not torn.exists()


def test_a_validation_run_reaches_no_board(harness: Path) -> None:
    outcome = done(on="validation")
    assert outcome.record.protocol.on == "validation"
    assert not leaderboards().exists()
    people = {n: d.images for n, d in outcome.record.data.items()}
    assert people["fit"] == people["train"] < 64


def test_a_run_that_is_on_the_board_is_found_without_being_run_again(harness: Path) -> None:
    import shutil

    first = done()
    shutil.rmtree(home() / "runs")
    shutil.rmtree(home() / "fits")
    again = done()
    assert again.found
    assert again.record == first.record
    assert not (home() / "fits").exists()


def test_what_the_board_lost_is_brought_back_and_remarks_stay(harness: Path) -> None:
    first = done()
    errors = first.path.parent / first.record.headline.per_item
    whole = errors.read_bytes()
    errors.write_bytes(b"damaged")
    content = json.loads(first.path.read_text())
    content["edits"] = [
        {"when": "2026-01-01", "author": "a", "reason": "a test", "action": "annotated"}
    ]
    first.path.write_text(json.dumps(content))
    again = done()
    assert errors.read_bytes() == whole
    assert [e.reason for e in again.record.edits] == ["a test"]
    assert [e.reason for e in read_record(first.path).edits] == ["a test"]


def test_the_record_says_where_the_fit_was_made_even_if_it_was_found(harness: Path) -> None:
    plan = make_plan(replace(REQUEST, method="slow"), QUIET)
    run(plan, QUIET)
    place = plan.fit_folder / "done.json"
    about = json.loads(place.read_text())
    about["hardware"]["device"] = "cuda"
    place.write_text(json.dumps(about))
    other = done(method="slow", on="test", seed=0)
    assert other.found
    import shutil

    shutil.rmtree(plan.folder)
    shutil.rmtree(leaderboards())
    record = done(method="slow").record
    assert record.fitted is not None
    assert record.fitted.hardware["device"] == "cuda"
    assert record.hardware["device"] == "cpu"
    assert not record.deterministic


def test_leftovers_of_a_kill_are_swept(harness: Path) -> None:
    plan = make_plan(REQUEST, QUIET)
    left = plan.folder / ".predictions.abc"
    left.mkdir(parents=True)
    (left / "maps.npy").write_bytes(b"half")
    run(plan, QUIET)
    assert not left.exists()


def test_a_damaged_checkpoint_or_mark_is_named_with_its_cure(harness: Path) -> None:
    plan = make_plan(replace(REQUEST, method="slow"), QUIET)
    plan.fit_folder.mkdir(parents=True)
    (plan.fit_folder / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(DataAltered, match="checkpoint"):
        run(plan, QUIET)
    (plan.fit_folder / "checkpoint.pt").unlink()
    (plan.fit_folder / "time.json").write_text("{")
    with pytest.raises(DataAltered, match=r"time\.json can't be read"):
        run(plan, QUIET)


def test_a_curve_that_cannot_be_made_is_refused_before_the_run(harness: Path) -> None:
    from benchmark.runner.curve import require_possible

    with pytest.raises(Incompatible, match="leaves no milestones"):
        require_possible(make_plan(REQUEST, QUIET))


def test_a_part_that_a_run_had_made_before_a_kill_is_its_own(
    harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(replace(REQUEST, method="slow", given={"steps": 3}), QUIET)
    monkeypatch.setenv("FAULT", "0 1 raise")
    with pytest.raises(PluginBroken):
        run(plan, QUIET)
    assert list((home() / "fits" / "parts").glob("*/done.json"))
    monkeypatch.delenv("FAULT")
    stages = run(plan, QUIET).record.stages
    assert not stages["fit/mean"].reused
    assert done(method="slow", given={"steps": 4}).record.stages["fit/mean"].reused


@pytest.mark.parametrize("content", ["[]", "{}", "7", "{"])
def test_files_of_bench_that_are_damaged_name_the_cure(harness: Path, content: str) -> None:
    plan = make_plan(REQUEST, QUIET)
    plan.folder.mkdir(parents=True)
    (plan.folder / "run.json").write_text(content)
    with pytest.raises(DataAltered, match=r"run\.json can't be read") as caught:
        run(plan, QUIET)
    assert "the run then begins anew" in caught.value.cure
