"""Remarks leave numbers alone; records from elsewhere come in whole and true, or not at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tests_fixtures import Call
from tests_records import altered, forged, with_errors

from benchmark.contracts.errors import DiskFull
from benchmark.files import file_sha256, listed
from benchmark.home import home, leaderboards
from benchmark.protocols.files import _read_cached
from benchmark.records.reading import RecordInvalid, read_record
from benchmark.verification.edits import RecordRefused, import_record


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


def test_what_a_killed_import_left_is_removed_by_the_next(elsewhere: Path) -> None:
    (home() / "scratch" / "import-killed" / "twins").mkdir(parents=True)
    import_record(elsewhere)
    assert not listed(home() / "scratch", "*")


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
        import_record(elsewhere)
    assert everything() == []


def test_links_are_not_followed(elsewhere: Path, tmp_path: Path) -> None:
    file = next(elsewhere.parent.glob("*.errors.npz"))
    moved = shutil.move(file, tmp_path / "x.npz")
    os.symlink(moved, file)
    with pytest.raises(RecordRefused, match="not a plain file"):
        import_record(elsewhere)
    link = tmp_path / "link.json"
    os.symlink(elsewhere, link)
    with pytest.raises(RecordRefused, match="not a plain file"):
        import_record(link)


@pytest.mark.parametrize("field", [("method", "id"), ("protocol", "id"), ("run_id",)])
def test_ids_that_would_leave_the_boards_are_refused(elsewhere: Path, field: tuple) -> None:
    content = json.loads(elsewhere.read_text())
    place = content if len(field) == 1 else content[field[0]]
    place[field[-1]] = "../../../x"
    elsewhere.write_text(json.dumps(content))
    with pytest.raises(RecordInvalid, match="id: String should match"):
        import_record(elsewhere)
    assert everything() == []


def test_records_of_methods_that_cannot_be_run_are_not_taken(elsewhere: Path) -> None:
    forgery = forged(elsewhere, lambda c: c["method"].update(id="miracle"))
    with pytest.raises(RecordRefused, match="'miracle', which is not installed"):
        import_record(forgery)
    assert everything() == []


def test_another_record_of_the_same_run_is_not_overwritten(elsewhere: Path) -> None:
    there = import_record(elsewhere).path
    content = json.loads(elsewhere.read_text())
    content["notes"] = ["something else"]
    elsewhere.write_text(json.dumps(content))
    before = there.read_bytes()
    with pytest.raises(RecordRefused, match="says something else"):
        import_record(elsewhere)
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


def with_artefact(path: Path, name: str, data: bytes, **more: object) -> Path:
    """The record naming one more file beside it, which is there and has that digest."""
    (path.parent / name).write_bytes(data)
    about = {"path": name, "sha256": file_sha256(path.parent / name), "bytes": len(data)}
    return altered(
        path, lambda c: (c["artefacts"].append({**about, "committed": True}), c.update(more))
    )


def test_a_record_brings_no_file_of_another_run(
    elsewhere: Path, bench: Call, tmp_path: Path
) -> None:
    victim = import_record(elsewhere).path
    mine = tmp_path / "mine"
    shutil.copytree(elsewhere.parent, mine)
    other = forged(mine / elsewhere.name, lambda c: c.update(seed=1))
    before = {path: path.read_bytes() for path in everything()}
    text = other.read_text()
    lie = json.dumps(json.loads(victim.read_text()) | {"notes": ["worthless"]}).encode()
    for name in (victim.name, "0123.json", f"{victim.stem}.errors.npz", "0123.predictions.npz"):
        with_artefact(other, name, lie)
        assert bench("record", "import", str(other)).code == 13
        other.write_text(text)
    # of a run scored again the predictions may be another's, and take no other file's place
    with_artefact(other, f"{victim.stem}.predictions.npz", b"x", parent=victim.stem)
    said = bench("record", "import", str(other))
    assert said.code == 13
    assert {path: path.read_bytes() for path in everything()} == before


def test_what_is_not_the_protocols_is_refused_and_leaves_nothing(
    elsewhere: Path, bench: Call
) -> None:
    text = elsewhere.read_text()
    for change in (
        lambda c: c.update(metrics=[]),
        lambda c: c.update(metrics=c["metrics"] * 2),
        lambda c: c["metrics"][0].update(metric="nme_iod_true"),
        lambda c: c["metrics"][0].update(unit="px"),
        lambda c: c["data"].pop("fit"),
        lambda c: c["protocol"].update(id="nowhere"),
    ):
        altered(elsewhere, change)
        assert bench("record", "import", str(elsewhere)).code == 13
        assert everything() == []
        elsewhere.write_text(text)
    with_errors(elsewhere, nme_iod=np.full(16, -1.0))
    assert bench("record", "import", str(elsewhere)).code == 13
    assert everything() == []


def test_other_numbers_of_the_same_images_are_refused(elsewhere: Path, tmp_path: Path) -> None:
    import_record(elsewhere)
    shutil.copytree(elsewhere.parent, tmp_path / "mine")
    other = forged(tmp_path / "mine" / elsewhere.name, lambda c: c.update(seed=1))
    with_errors(altered(other, lambda c: c["data"]["test"].update(images=1)), nme_iod=np.zeros(1))
    with pytest.raises(RecordRefused, match="of the same pixels"):
        import_record(other)


def test_a_remark_that_could_not_be_read_again_is_refused(record: Path, bench: Call) -> None:
    before = record.read_bytes()
    words = ("--reason", "pasted \x1b[31mred", "--author", "A. Person")
    assert bench("record", "annotate", record.stem, *words).code == 12
    assert record.read_bytes() == before


def test_a_run_of_ones_own_is_dropped(record: Path, bench: Call, run: Call) -> None:
    other = Path(run("grid", "--seed", "1", "--json").json["record"])
    said = bench("record", "drop", record.stem[:8])
    assert said.code == 0, said.err
    assert not list(record.parent.glob(f"{record.stem}*"))
    assert record.stem not in bench("ls", "runs").out
    assert other.stem in bench("ls", "runs").out
    assert bench("board", "build", "--check").code == 0
    assert bench("verify", "--all").code == 0
    assert bench("record", "drop", record.stem).code == 2
    assert run("grid", "--json").json["found"] is False


def test_a_run_of_a_draft_that_has_changed_is_no_lie_and_can_be_dropped(
    record: Path, bench: Call, tmp_path: Path
) -> None:
    path = tmp_path / "protocols" / "small_faces" / "1.toml"
    path.write_text(path.read_text().replace("eyes = [0, 1]", "eyes = [3, 4]"))
    _read_cached.cache_clear()
    said = bench("verify", "--all")
    assert (said.code, "1 of 1 records" in said.out) == (0, True)
    shown = bench("verify", str(record)).out
    assert "bench record drop" in shown
    assert bench("record", "drop", record.stem).code == 0
    assert not record.exists()


def test_a_committed_record_and_a_damaged_one(
    record: Path, bench: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record.write_text("{")
    checkout = tmp_path / "checkout"
    shutil.copytree(leaderboards(), checkout / "leaderboards")
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(checkout / "leaderboards"))
    git = ["git", "-C", str(checkout)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "leaderboards"], check=True)
    said = bench("record", "drop", record.stem)
    assert said.code == 1
    assert "is committed" in said.err
    subprocess.run([*git, "rm", "-rq", "--cached", "leaderboards"], check=True)
    assert bench("record", "drop", record.stem).code == 0
    assert everything_of(record.stem) == []


def everything_of(run: str) -> list[Path]:
    return [path for path in everything() if path.name.startswith(run)]


def test_a_broken_record_of_another_board_ends_no_run(record: Path, bench: Call, run: Call) -> None:
    broken = record.with_name("0123.json")
    broken.write_text("{")
    said = run("grid", "--seed", "1", "--json")
    assert said.code == 0, said.err
    assert Path(said.json["page"]).exists()
    assert "left out" in bench("board", "small_faces", "--twin").out
    assert bench("board", "build").code == 0
    assert bench("board", "site", "--out", str(leaderboards().parent / "built")).code == 0
    assert bench("rescore", "--all").code == 4
    assert bench("verify", "--all").code == 5


def test_tables_that_can_not_be_written_are_a_warning(
    bench: Call, run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise DiskFull("no room left", cure="free some space")

    monkeypatch.setattr("benchmark.interface.running.update_boards", full)
    said = run("grid", "--json")
    assert said.code == 0
    assert Path(said.json["record"]).exists()
    assert "its record stands" in said.err
    assert "no room left" in said.err


def test_another_record_of_the_run_on_the_board_stands(record: Path, run: Call) -> None:
    """It came with the checkout, say, from the machine of somebody else."""
    altered(record, lambda c: c.update(notes=["made elsewhere"]))
    before = record.read_bytes()
    assert run("grid", "--json").json["found"]
    assert record.read_bytes() == before


def test_a_damaged_run_is_named_in_the_list_and_hides_no_other(record: Path, bench: Call) -> None:
    for name, text in {"a": "[]", "b": "{}", "c": '{"protocol": 3}'}.items():
        folder = home() / "runs" / name
        folder.mkdir()
        (folder / "run.json").write_text(text)
    own = home() / "runs" / record.stem
    shutil.copytree(own, home() / "runs" / "d")
    altered(home() / "runs" / "d" / "record.json", lambda c: c.update(metrics=[]))
    said = bench("ls", "runs")
    assert said.code == 0
    assert said.err.count("damaged: ") == 4
    assert record.stem in said.out
