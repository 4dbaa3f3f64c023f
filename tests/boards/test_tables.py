"""Tables are made from records alone, and a touched one is noticed."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tests_fixtures import Call

from benchmark.boards.entries import board_folder, read_entries
from benchmark.boards.rows import Row, make_rows
from benchmark.boards.standings import standings
from benchmark.home import leaderboards
from benchmark.pages.tables import stale_files, update_boards
from benchmark.protocols.files import _read_cached
from benchmark.registry.protocols import all_protocols, find_protocol


@pytest.fixture
def board(harness: Path, run: Call) -> Path:
    """The twin's board after three runs of two methods."""
    assert run("grid", "--seed", "0,1").code == 0
    assert run("halves").code == 0
    return board_folder(find_protocol("small_faces"), twin=True)


def withdraw(board: Path, method: str) -> None:
    for path in (board / method).glob("*.json"):
        about = json.loads(path.read_text())
        about["edits"] = [
            {"when": "2025-01-01", "author": "a", "reason": "wrong crop", "action": "withdrawn"}
        ]
        path.write_text(json.dumps(about))
    update_boards(all_protocols())


def test_tables_are_fresh_after_an_update_and_stale_once_touched(board: Path) -> None:
    assert stale_files(all_protocols()) == []
    for path in (board / "README.md", board / "board.csv", leaderboards() / "README.md"):
        text = path.read_text()
        path.write_text(text + " ")
        assert stale_files(all_protocols()) == [path]
        path.unlink()
        assert stale_files(all_protocols()) == [path]
        path.write_text(text)
    assert stale_files(all_protocols()) == []
    next((board / "halves").glob("*.json")).unlink()
    assert len(stale_files(all_protocols())) == 3


def test_csv_holds_the_values_of_the_rows(board: Path) -> None:
    protocol = find_protocol("small_faces")
    rows = make_rows(protocol, read_entries(protocol, twin=True)[0])
    frame = pd.read_csv(board / "board.csv", keep_default_na=False)
    assert list(frame.method) == [r.method for r in rows]
    for field, low_high in {"value": [r.value for r in rows], "seconds": [r.seconds for r in rows],
                            "ci95_low": [r.ci95[0] for r in rows],
                            "ci95_high": [r.ci95[1] for r in rows]}.items():  # fmt: skip
        assert list(frame[field].astype(float)) == pytest.approx(low_high, rel=1e-5)
    assert list(frame.seeds.astype(str)) == [" ".join(map(str, r.seeds)) for r in rows]
    assert list(frame.runs) == [" ".join(r.runs) for r in rows]
    seeds = [f"{r.ci_seeds[0]:.6g}" if r.ci_seeds else "" for r in rows]
    assert list(frame.seeds_low) == seeds


def test_markdown_marks_single_seeds_and_says_that_faces_are_rendered(board: Path) -> None:
    text = (board / "README.md").read_text()
    assert "[What the columns mean](../../../README.md#how-to-read-a-board)" in text
    index = (leaderboards() / "README.md").read_text()
    assert "## How to read a board" in index
    assert "paired by the seeds that both were run with" in index
    assert text.startswith("# small_faces@1 (twin)\n")
    assert "Rendered data" in text
    lines = {line.split("|")[2].strip(): line for line in text.splitlines() if line[:1] == "|"}
    assert "* |" in lines["halves"].replace("  ", " ")
    assert "*" not in lines["grid"]
    assert find_protocol("small_faces").digest()[:16] in text


def test_a_withdrawn_row_is_struck_through_and_last(board: Path) -> None:
    protocol = find_protocol("small_faces")
    best = make_rows(protocol, read_entries(protocol, twin=True)[0])[0]
    withdraw(board, best.method)
    last = [line for line in (board / "README.md").read_text().splitlines() if line[:1] == "|"][-1]
    assert f"~~{best.method}~~" in last
    assert f"~~{best.value:.2f}~~" in last
    assert "withdrawn: wrong crop" in last
    frame = pd.read_csv(io.StringIO((board / "board.csv").read_text()))
    assert frame.withdrawn.iloc[-1].startswith("wrong crop")
    assert frame.withdrawn.isna().iloc[0]


def test_the_index_names_the_best_method_that_stands(board: Path) -> None:
    index = leaderboards() / "README.md"
    assert "twins/small_faces/1/README.md" in index.read_text()
    protocol = find_protocol("small_faces")
    first, second = make_rows(protocol, read_entries(protocol, twin=True)[0])
    assert f"{first.method} : {first.value:.2f} %" in index.read_text()
    withdraw(board, first.method)
    assert f"{second.method} : {second.value:.2f} %" in index.read_text()
    withdraw(board, second.method)
    assert "%" not in index.read_text().partition("## How to read a board")[0]


def test_a_board_of_another_protocol_content_says_what_it_left_out(
    board: Path, tmp_path: Path
) -> None:
    path = tmp_path / "protocols" / "small_faces" / "1.toml"
    path.write_text(path.read_text().replace("eyes = [0, 1]", "eyes = [3, 4]"))
    _read_cached.cache_clear()
    assert board / "README.md" in stale_files(all_protocols())
    update_boards(all_protocols())
    text = (board / "README.md").read_text()
    assert text.count("made under another content of small_faces@1") == 3
    assert stale_files(all_protocols()) == []


def test_a_version_without_records_leads_to_those_with_some(
    board: Path, bench: Call, tmp_path: Path
) -> None:
    folder = tmp_path / "protocols" / "small_faces"
    text = (folder / "1.toml").read_text()
    for version in (2, 3):
        (folder / f"{version}.toml").write_text(text.replace("version = 1", f"version = {version}"))
    assert bench("board", "small_faces").out == (
        "no records of small_faces@3 yet; there are of small_faces@1: bench board small_faces@1\n"
    )
    assert "small_faces@1 (twin)" in bench("board", "small_faces@1").out
    shutil.rmtree(board)
    assert bench("board", "small_faces", "--twin").out == (
        "no records of small_faces@3 (twin) yet: "
        "bench run --method METHOD --protocol small_faces@3 --twin\n"
    )


def test_what_columns_mean_is_said_once_below_all_boards(board: Path, bench: Call) -> None:
    shutil.copytree(board, board.parents[2] / "small_faces" / "1")
    for path in (board.parents[2] / "small_faces" / "1").glob("*/*.json"):
        about = json.loads(path.read_text())
        about["protocol"]["twin"] = False
        path.write_text(json.dumps(about))
    said = bench("board", "small_faces@1").out
    assert "also: bench board small_faces@1 --twin" in said
    assert said.count("over test items alone") == said.count("ranks are given to") == 1


def test_the_index_names_a_best_method_only_where_it_is_settled(board: Path) -> None:
    stands = next(b for b in standings([find_protocol("small_faces")], requested=True) if b.twin)
    method = replace(stands.rows[0], role="method", withdrawn="")
    first, second = (
        replace(method, method=name, value=value) for name, value in (("a", 1), ("b", 2))
    )

    def said(*rows: Row) -> str:
        standing = replace(stands, rows=list(rows))
        best = standing.best("method")
        assert best is not None
        return standing.how_sure(best)

    assert said(first) == "the only one"
    assert said(replace(first, rank=(1, 1)), replace(second, rank=(2, 2))) == ""
    assert said(replace(first, rank=(1, 2)), replace(second, rank=(1, 2))) == "not decided"
    assert said(replace(first, rank=(1, 1)), replace(second, rank=None)) == "not decided"


def test_texts_of_records_forge_no_row(board: Path) -> None:
    """Line breaks, bars and letters that nobody sees; a preset of any length."""
    withdraw(board, "halves")
    path = next((board / "halves").glob("*.json"))
    about = json.loads(path.read_text())
    forged = "wrong\n| 1 | super-method | | | 0.01 |\n<b>bold</b>\u200b\u2028end"
    about["edits"][0]["reason"] = forged
    about["method"]["known_failures"] = {"kill": forged}
    about["method"]["preset"] = "p" * 100_000
    path.write_text(json.dumps(about))
    update_boards(all_protocols())
    text = (board / "README.md").read_text()
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 2  # heads, and one line for each row
    assert "<b>" not in text
    assert r"\| 1 \| super-method" in text
    assert len(text) < 20_000
    rows = (board / "board.csv").read_text().splitlines()
    assert len(rows) == 1 + 2
    assert not {"\u200b", "\u2028"} & set(text)


@pytest.mark.parametrize("content", [b"\xff\xfe", b""])
def test_a_table_that_cannot_be_read_is_written_anew(board: Path, content: bytes) -> None:
    page = board / "README.md"
    text = page.read_text()
    page.write_bytes(content)
    assert stale_files(all_protocols()) == [page]
    update_boards(all_protocols())
    assert page.read_text() == text
