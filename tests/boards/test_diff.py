"""Two states of the leaderboards: each kind of change is told once, from folders and from git alike."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests_fixtures import ROOT, Call

from benchmark.boards.diff import Change, NotComparable, change_cells, changes, markdown, state
from benchmark.boards.entries import board_folder
from benchmark.contracts.errors import UnknownName
from benchmark.home import leaderboards
from benchmark.metrics import catalogue
from benchmark.registry.protocols import find_protocol
from benchmark.tasks import landmark_errors

HEAD = "method,settings,value,rank,seeds,withdrawn,runs"


def boards(root: Path, *lines: str, board: str = "mafl/1") -> str:
    folder = root / board
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "board.csv").write_text("\n".join([HEAD, *lines]) + "\n")
    return str(root)


def told_of(before: str, after: str) -> list[tuple[str, str, str, str]]:
    return [
        (c.kind, c.row.name, *change_cells(c)[:2]) for c in changes(state(before), state(after))
    ]


def test_the_same_boards_have_no_change(tmp_path: Path) -> None:
    one = boards(tmp_path / "a", "lead,small,3.1,1,0 1,,r1 r2")
    assert changes(state(one), state(one)) == []
    assert "No row changed" in markdown([], "a", "b")


def test_rows_added_removed_and_moved(tmp_path: Path) -> None:
    old = boards(tmp_path / "a", "lead,small,3.1,1,0 1,,r1 r2", "grid,,9,,0,,r3")
    new = boards(tmp_path / "b", "lead,small,2.9,1,0 1 2,,r1 r2 r4", "imm,,4,2,0 1,,r5 r6")
    assert told_of(old, new) == [
        ("moved", "lead small", "3.1 → 2.9", "1"),
        ("added", "imm", "4", "2"),
        ("removed", "grid", "9", ""),
    ]


def test_a_withdrawn_row_is_one_change_with_its_reason_and_back(tmp_path: Path) -> None:
    stands = boards(tmp_path / "a", "lead,small,3.1,1,0 1,,r1 r2")
    gone = boards(tmp_path / "b", "lead,small,3.1,,0 1,wrong crop,r1 r2")
    assert told_of(stands, gone) == [("withdrawn", "lead small", "3.1 (wrong crop)", "1")]
    assert [kind for kind, *_ in told_of(gone, stands)] == ["restored"]


def test_one_withdrawn_seed_moves_the_row_and_is_told(tmp_path: Path) -> None:
    old = boards(tmp_path / "a", "lead,small,3,1,0 1,,r1 r2")
    new = boards(tmp_path / "b", "lead,small,3.5,,1,,r2", "lead,small,2.5,,0,wrong crop,r1")
    assert [(kind, value) for kind, _, value, _ in told_of(old, new)] == [
        ("moved", "3 → 3.5"),
        ("withdrawn", "2.5 (wrong crop)"),
    ]


def test_a_rank_that_is_gone_is_told(tmp_path: Path) -> None:
    old = boards(tmp_path / "a", "lead,small,3,1,0 1,,r1 r2")
    new = boards(tmp_path / "b", "lead,small,3,,0 1,,r1 r2")
    (change,) = changes(state(old), state(new))
    assert change_cells(change) == ("3", "1 → none", "0 1")


def test_boards_come_and_go_and_twins_are_told_apart(tmp_path: Path) -> None:
    old = boards(tmp_path / "a", "lead,,3,,0,,r1")
    new = boards(tmp_path / "b", "lead,,3,,0,,r1", board="twins/mafl/1")
    found = [(c.board, c.kind) for c in changes(state(old), state(new))]
    assert found == [("mafl@1", "removed"), ("mafl@1 (twin)", "added")]


def test_a_table_of_another_shape_is_refused(tmp_path: Path) -> None:
    (Path(boards(tmp_path)) / "mafl/1/board.csv").write_text("a,b\n1,2\n")
    with pytest.raises(NotComparable, match="no table of a board"):
        state(str(tmp_path))


def test_neither_folder_nor_revision_is_an_unknown_name(bench: Call) -> None:
    for name in ("nowhere", "--output=x"):
        with pytest.raises(UnknownName):
            state(name)
    assert bench("board", "diff", "nowhere").code == 2


def test_markdown_has_a_line_for_each_change(tmp_path: Path) -> None:
    old = boards(tmp_path / "a", "lead,small,3.1,1,0 1,,r1 r2")
    text = markdown(changes(state(old), {}), "main", "now")
    assert text.startswith("## Leaderboards: main → now\n")
    assert "| mafl@1  | removed | lead small" in text


@pytest.fixture
def committed(run: Call, tmp_path: Path) -> Path:
    """Leaderboards with a row, all committed."""
    record = Path(run("grid", "--json").json["record"])
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for words in (("init", "-q"), ("add", "-A"), (*who, "commit", "-qm", "x")):
        subprocess.run(["git", "-C", str(leaderboards()), *words], check=True)
    return record


def test_against_the_last_commit(committed: Path, bench: Call, run: Call) -> None:
    assert bench("board", "diff").out == "no row changed\n"
    run("halves")
    said = bench("board", "diff", "--json").json
    assert [(c["board"], c["kind"], c["after"]["method"]) for c in said] == [
        ("small_faces@1 (twin)", "added", "halves")
    ]
    assert "halves" in bench("board", "diff", "HEAD", "--markdown").out
    assert bench("board", "diff", "HEAD", "HEAD").out == "no row changed\n"


def test_a_rescored_run_is_a_moved_row(
    committed: Path, bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = landmark_errors.MEASURES["nme_iod"]
    monkeypatch.setitem(landmark_errors.MEASURES, "nme_iod", lambda *a: 2 * first(*a))
    later = catalogue.CATALOGUE["nme_iod"]._replace(version=2)
    monkeypatch.setitem(catalogue.CATALOGUE, "nme_iod", later)
    bench("rescore", "--all")
    (said,) = bench("board", "diff", "--json").json
    assert (said["kind"], said["after"]["method"]) == ("moved", "grid")
    assert said["after"]["value"] == pytest.approx(2 * said["before"]["value"], rel=1e-4)
    assert said["before"]["runs"] == [committed.stem] != said["after"]["runs"]


def test_a_revision_from_before_the_boards_is_empty(committed: Path, tmp_path: Path) -> None:
    root = leaderboards()
    shutil.rmtree(board_folder(find_protocol("small_faces"), twin=True))
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for words in (("add", "-A"), (*who, "commit", "-qm", "y")):
        subprocess.run(["git", "-C", str(root), *words], check=True)
    assert state("HEAD") == {}
    (change,) = changes(state("HEAD"), state("HEAD~1"))
    assert isinstance(change, Change)
    assert change.kind == "added"


def test_the_workflow_prints_it_without_rights_to_write() -> None:
    text = (ROOT / ".github" / "workflows" / "boards.yml").read_text("utf-8")
    assert "contents: read" in text
    assert "pull_request_target" not in text
    assert 'bench board diff "$BASE" --markdown >> "$GITHUB_STEP_SUMMARY"' in text


def test_changes_are_plain_json(tmp_path: Path, bench: Call) -> None:
    old = boards(tmp_path / "a", "lead,small,3.1,1,0 1,,r1 r2")
    new = boards(tmp_path / "b", "lead,small,3.2,1,0 1,,r1 r2")
    said = json.loads(bench("board", "diff", old, new, "--json").out)
    assert said[0]["before"]["value"] == 3.1
