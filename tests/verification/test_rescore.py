"""Scoring again: a corrected metric makes a new record from kept predictions, once and whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests_fixtures import Call

import benchmark.verification.rescore as rescoring
from benchmark.boards.compare import compare
from benchmark.boards.entries import read_entries
from benchmark.boards.rows import make_rows
from benchmark.contracts.errors import InvalidInput
from benchmark.home import home, leaderboards
from benchmark.metrics import catalogue
from benchmark.pages.tables import stale_files
from benchmark.records.model import Record
from benchmark.records.reading import read_record
from benchmark.registry.protocols import all_protocols, find_protocol
from benchmark.tasks import landmark_errors
from benchmark.verification.verify import verify_record


@pytest.fixture
def corrected(record: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record whose metric was found to be too small by half, and corrected since."""
    first = landmark_errors.MEASURES["nme_iod"]
    monkeypatch.setitem(landmark_errors.MEASURES, "nme_iod", lambda *a: 2 * first(*a))
    later = catalogue.CATALOGUE["nme_iod"]._replace(version=2)
    monkeypatch.setitem(catalogue.CATALOGUE, "nme_iod", later)
    return record


def children(record: Path) -> list[Path]:
    return [p for p in record.parent.glob("*.json") if p != record]


def rows() -> dict[str, float]:
    protocol = find_protocol("small_faces")
    return {r.runs[0]: r.value for r in make_rows(protocol, read_entries(protocol, twin=True)[0])}


def files() -> dict[Path, bytes]:
    places = (leaderboards(), home() / "runs")
    return {p: p.read_bytes() for place in places for p in place.rglob("*") if p.is_file()}


def test_nothing_changed_writes_nothing(record: Path, bench: Call) -> None:
    before = files()
    said = bench("rescore", record.stem)
    assert (said.code, "1 of 1 unchanged" in said.out) == (0, True)
    assert bench("rescore", "--all", "--json").json[0]["state"] == "unchanged"
    assert files() == before


def test_a_corrected_metric_makes_a_new_record_beside_the_old(corrected: Path, bench: Call) -> None:
    old, text = read_record(corrected), corrected.read_text()
    said = bench("rescore", corrected.stem)
    assert said.code == 0, said.err
    (path,) = children(corrected)
    new = read_record(path)
    assert f"{old.headline.value:.4f} → {new.headline.value:.4f}  (version 1 → 2)" in said.out
    assert corrected.read_text() == text
    assert (new.parent, new.run_id, new.fit_id) == (old.run_id, path.stem, old.fit_id)
    assert (new.headline.version, new.headline.n) == (2, old.headline.n)
    assert new.headline.value == pytest.approx(2 * old.headline.value, rel=1e-5)
    assert new.headline.ci95 == pytest.approx(2 * np.array(old.headline.ci95), rel=1e-5)
    assert new.stages["fit"] == old.stages["fit"]
    checks = {c.name: c.state for c in verify_record(path, data=True)}
    assert set(checks.values()) == {"ok"}
    assert {"parent", "identity", "score nme_iod"} <= checks.keys()
    before = {c.name: c.state for c in verify_record(corrected, data=True)}
    assert before["score nme_iod"] == "not here"
    assert "wrong" not in before.values()


def test_boards_show_the_newest_and_say_what_it_superseded(corrected: Path, bench: Call) -> None:
    (old_value,) = rows().values()
    bench("rescore", "--all", "--protocol", "small_faces")
    (path,) = children(corrected)
    assert rows() == {path.stem: pytest.approx(2 * old_value, rel=1e-5)}
    assert stale_files(all_protocols()) == []
    board = corrected.parent.parent / "README.md"
    assert (
        f"[{corrected.name}](grid/{corrected.name}): superseded by {path.name}" in board.read_text()
    )


def test_twice_is_once(corrected: Path, bench: Call) -> None:
    bench("rescore", corrected.stem)
    before = files()
    assert "was scored again before" in bench("rescore", corrected.stem).out
    assert "1 of 1 unchanged" in bench("rescore", "--all").out
    assert files() == before


def test_a_chain_stands_for_its_last(
    corrected: Path, bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench("rescore", "--all")
    (second,) = children(corrected)
    third = catalogue.CATALOGUE["nme_iod"]._replace(version=3)
    monkeypatch.setitem(catalogue.CATALOGUE, "nme_iod", third)
    bench("rescore", "--all")
    (path,) = [p for p in children(corrected) if p != second]
    assert read_record(path).parent == second.stem
    assert list(rows()) == [path.stem]
    assert {c.state for c in verify_record(path, data=True)} == {"ok"}


def test_running_anew_after_a_correction_is_the_same_run(
    corrected: Path, run: Call, bench: Call
) -> None:
    bench("rescore", corrected.stem)
    (path,) = children(corrected)
    said = run("grid", "--json").json
    assert Path(said["record"]) == path
    assert children(corrected) == [path]


def test_running_anew_supersedes_too(corrected: Path, run: Call) -> None:
    anew = Path(run("grid", "--json").json["record"])
    assert anew != corrected
    assert list(rows()) == [anew.stem]


def test_a_kill_in_between_leaves_nothing_half_written(
    corrected: Path, bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(path: Path, content: object) -> None:
        path.with_name(f".{path.name}.left").write_text("{")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rescoring, "write_text", killed)
        assert bench("rescore", corrected.stem).code == 130
    assert not children(corrected)
    assert list(rows()) == [corrected.stem]
    assert bench("rescore", corrected.stem).code == 0
    (path,) = children(corrected)
    assert {c.state for c in verify_record(path, data=True)} == {"ok"}
    assert not [p for p in path.parent.glob(".*") if p.suffix != ".lock"]


def test_what_is_not_at_hand_is_refused_and_nothing_written(corrected: Path, bench: Call) -> None:
    kept = corrected.with_name(f"{corrected.stem}.predictions.npz")
    content = kept.read_bytes()
    kept.write_bytes(content[:-1] + b"?")
    assert bench("rescore", corrected.stem).code == 5
    kept.unlink()
    own = home() / "runs" / corrected.stem / kept.name
    own.unlink()
    said = bench("rescore", corrected.stem)
    assert (said.code, "predictions" in said.err) == (4, True)
    said = bench("rescore", "--all")
    assert (said.code, "refused" in said.err) == (4, True)
    assert not children(corrected)
    kept.write_bytes(content)


def test_predictions_are_found_where_they_were_run(corrected: Path, bench: Call) -> None:
    corrected.with_name(f"{corrected.stem}.predictions.npz").unlink()
    assert bench("rescore", corrected.stem).code == 0


def test_what_was_kept_may_not_suffice(
    corrected: Path, bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmark.tasks.landmark_regression import LandmarkRegression

    monkeypatch.setattr(LandmarkRegression, "errors", lambda *a: {})
    said = bench("rescore", corrected.stem)
    assert (said.code, "does not suffice to score nme_iod" in said.err) == (2, True)


def test_a_withdrawn_run_is_not_scored_again(corrected: Path, bench: Call) -> None:
    bench("record", "withdraw", corrected.stem, "--reason", "wrong crop", "--author", "a")
    assert bench("rescore", corrected.stem).code == 3
    assert "no records" in bench("rescore", "--all").out


def test_a_record_of_a_newer_metric_is_wrong_here(record: Path) -> None:
    content = json.loads(record.read_text())
    content["metrics"][0]["version"] = 2
    record.write_text(json.dumps(content))
    wrong = {c.name for c in verify_record(record) if c.state == "wrong"}
    assert wrong == {"identity", "value nme_iod"}


def test_a_parent_of_another_fit_is_found(corrected: Path, bench: Call, run: Call) -> None:
    bench("rescore", corrected.stem)
    (path,) = children(corrected)
    other = json.loads(corrected.read_text())
    other["fit_id"] = "0" * 16
    corrected.write_text(json.dumps(other))
    assert {c.name for c in verify_record(path) if c.state == "wrong"} == {"parent"}


def test_rows_of_different_versions_stand_apart_and_are_not_compared(
    record: Path, run: Call, bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("halves")
    later = catalogue.CATALOGUE["nme_iod"]._replace(version=2)
    monkeypatch.setitem(catalogue.CATALOGUE, "nme_iod", later)
    bench("rescore", record.stem)
    protocol = find_protocol("small_faces")
    found = {r.method: r.variant for r in make_rows(protocol, read_entries(protocol, twin=True)[0])}
    assert found["grid"].endswith("scored by version 2")
    assert found["halves"].endswith("scored by version 1")
    with pytest.raises(InvalidInput, match="different versions"):
        compare(protocol, "grid", "halves", twin=True)


def test_a_record_scored_again_comes_with_the_one_it_was_made_from(
    corrected: Path, bench: Call, tmp_path: Path
) -> None:
    bench("rescore", corrected.stem)
    (path,) = children(corrected)
    shutil.copytree(corrected.parent, sent := tmp_path / "sent")
    shutil.rmtree(leaderboards())
    alone = bench("record", "import", str(sent / path.name))
    assert alone.code == 13
    assert "which is not on the board" in alone.err
    assert not list(leaderboards().rglob("*.npz"))
    assert bench("record", "import", str(sent)).code == 0
    assert bench("verify", "--all").code == 0
    parted = bench("record", "drop", corrected.stem)
    assert parted.code == 3
    assert "was scored again" in parted.err
    assert bench("record", "drop", path.stem).code == 0
    assert (corrected.with_suffix(".predictions.npz")).exists()


def test_neither_runs_nor_all_is_a_usage_error(bench: Call) -> None:
    assert bench("rescore").code == 2
    assert bench("rescore", "a", "--all").code == 2
    assert bench("rescore", "a", "--protocol", "small_faces").code == 2


def test_records_of_the_first_schema_are_read(record: Path) -> None:
    content = json.loads(record.read_text())
    content["record_schema"] = 1
    del content["parent"]
    for value in content["metrics"]:
        del value["version"]
    record.write_text(json.dumps(content))
    read = read_record(record)
    assert isinstance(read, Record)
    assert (read.parent, read.headline.version) == ("", 1)
    assert {c.state for c in verify_record(record, data=True)} == {"ok"}
