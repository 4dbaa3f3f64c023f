"""Remarks leave numbers alone; records from elsewhere come in whole and true, or not at all."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from tests_fixtures import Call

from benchmark.contracts.record import RecordInvalid, read_record
from benchmark.home import leaderboards
from benchmark.runner.records import RecordRefused, take_in


@pytest.fixture
def record(run: Call) -> Path:
    return Path(run("grid", "--json").json["record"])


@pytest.fixture
def elsewhere(record: Path, tmp_path: Path) -> Path:
    """A finished run's record with its files, in a folder of its own; the board is empty."""
    folder = tmp_path / "sent"
    shutil.copytree(record.parent, folder)
    shutil.rmtree(leaderboards())
    return folder / record.name


def everything() -> list[Path]:
    return sorted(p for p in leaderboards().rglob("*") if p.is_file() and p.name != ".lock")


def test_a_withdrawn_run_stays_struck_through_with_its_reason(record: Path, bench: Call) -> None:
    before = read_record(record)
    words = ("--reason", "wrong crop", "--author", "A. Person")
    said = bench("record", "withdraw", before.run_id[:8], *words)
    assert said.code == 0, said.err
    after = read_record(record)
    assert after.model_copy(update={"edits": []}) == before
    assert [(e.action, e.reason, e.author) for e in after.edits] == [
        ("withdrawn", "wrong crop", "A. Person")
    ]
    assert "~~grid~~" in (record.parents[1] / "README.md").read_text()
    assert bench("verify", "--all").code == 0
    assert bench("board", "build", "--check").code == 0
    again = bench("record", "withdraw", before.run_id, *words)
    assert again.code == 3
    assert "withdrawn already" in again.err


def test_a_remark_leaves_the_board_alone(record: Path, bench: Call) -> None:
    board = (record.parents[1] / "README.md").read_text()
    words = ("--reason", "slow disk", "--author", "A. Person")
    assert bench("record", "annotate", record.stem, *words).code == 0
    assert read_record(record).edits[0].action == "annotated"
    assert (record.parents[1] / "README.md").read_text() == board


def test_a_reason_is_asked_for(record: Path, bench: Call) -> None:
    assert bench("record", "withdraw", record.stem).code == 2
    blank = bench("record", "withdraw", record.stem, "--reason", " ", "--author", "x")
    assert blank.code == 3
    assert read_record(record).edits == []


def test_a_true_record_is_taken_in_once(elsewhere: Path, bench: Call) -> None:
    said = bench("record", "import", str(elsewhere))
    assert said.code == 0, said.err
    assert said.out.startswith("taken in")
    assert bench("verify", "--all", "--data").code == 0
    assert bench("record", "import", str(elsewhere.parent)).out.startswith("known")
    assert len(list(leaderboards().rglob("*.json"))) == 1


def test_a_record_with_a_prettier_number_is_refused_and_leaves_nothing(
    elsewhere: Path, bench: Call
) -> None:
    content = json.loads(elsewhere.read_text())
    content["metrics"][0]["value"] /= 2
    elsewhere.write_text(json.dumps(content))
    said = bench("record", "import", str(elsewhere))
    assert said.code == 13
    assert "its items give" in said.err
    assert everything() == []


def test_a_record_without_its_files_is_refused(elsewhere: Path) -> None:
    for file in elsewhere.parent.glob("*.npz"):
        file.unlink()
    with pytest.raises(RecordRefused, match="should lie beside"):
        take_in(elsewhere)
    assert everything() == []


def test_links_are_not_followed(elsewhere: Path, tmp_path: Path) -> None:
    file = next(elsewhere.parent.glob("*.errors.npz"))
    moved = shutil.move(file, tmp_path / "x.npz")
    os.symlink(moved, file)
    with pytest.raises(RecordRefused, match="not a plain file"):
        take_in(elsewhere)
    link = tmp_path / "link.json"
    os.symlink(elsewhere, link)
    with pytest.raises(RecordRefused, match="not a plain file"):
        take_in(link)


@pytest.mark.parametrize("field", [("method", "id"), ("protocol", "id"), ("run_id",)])
def test_ids_that_would_leave_the_boards_are_refused(elsewhere: Path, field: tuple) -> None:
    content = json.loads(elsewhere.read_text())
    place = content if len(field) == 1 else content[field[0]]
    place[field[-1]] = "../../../x"
    elsewhere.write_text(json.dumps(content))
    with pytest.raises(RecordInvalid, match="id: String should match"):
        take_in(elsewhere)
    assert everything() == []


def test_another_record_of_the_same_run_is_not_overwritten(elsewhere: Path) -> None:
    there = take_in(elsewhere).path
    content = json.loads(elsewhere.read_text())
    content["notes"] = ["something else"]
    elsewhere.write_text(json.dumps(content))
    before = there.read_bytes()
    with pytest.raises(RecordRefused, match="says something else"):
        take_in(elsewhere)
    assert there.read_bytes() == before


def test_the_good_records_of_a_folder_are_taken_and_the_bad_named(
    elsewhere: Path, bench: Call
) -> None:
    (elsewhere.parent / "broken.json").write_text("{")
    said = bench("record", "import", str(elsewhere.parent))
    assert said.code == 13
    assert "taken in" in said.out
    assert "refused  broken.json" in said.err
    assert "1 of 2" in said.err
