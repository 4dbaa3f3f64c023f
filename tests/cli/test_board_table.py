"""Boards on the terminal: what is printed at which width."""

from __future__ import annotations

import pytest
from tests_fixtures import Call
from tests_rows import ROWS

from benchmark.cli.board_table import print_rows
from benchmark.cli.output import paragraph, table


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def call(width: int | None) -> tuple[list[str], list[str]]:
        if width:
            monkeypatch.setenv("COLUMNS", str(width))
        else:
            monkeypatch.delenv("COLUMNS", raising=False)
        notes = print_rows(ROWS)
        return capsys.readouterr().out.splitlines(), notes

    return call


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_a_board_fits_the_terminal(printed, width: int) -> None:
    lines, _ = printed(width)
    assert len(lines) == 4
    assert max(map(len, lines)) <= width


def test_in_a_pipe_a_board_has_all_its_columns(printed) -> None:
    (head, *_), notes = printed(None)
    assert head.split() == [
        "rank", "method", "settings", "value", "95", "%", "interval", "vs", "untrained", "seeds",
        "supervision", "weights",
    ]  # fmt: skip
    assert notes == []


def test_at_80_columns_rank_method_value_interval_and_difference_are_left(printed) -> None:
    lines, notes = printed(80)
    assert lines[0].split() == ["rank", "method", "value", "±", "vs", "untrained"]
    assert lines[1].split() == ["ceiling", "oracle", "0.00", "0.00*"]
    assert lines[2].split() == [
        *["1–10", "emerging", "small", "dimension=64", "8.95", "1.56", "-4.70"]
    ]
    assert lines[3].split() == [*["floor", "random-features", "emerging-small", "dimension=64"], "13.64",
                                "4.11"]  # fmt: skip
    assert notes == [
        "weights: squeezenet1_1_features.pth (emerging, random-features)",
        "supervision: labels (oracle)",
    ]


def test_values_end_where_their_head_ends(printed) -> None:
    lines, _ = printed(80)
    ends = {line.index(v) + len(v) for line, v in zip(lines, ("value", "0.00", "8.95", "13.64"),
                                                      strict=True)}  # fmt: skip
    assert len(ends) == 1


def test_columns_are_left_out_before_a_text_cannot_be_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    table(["name", "kind", "count", "what"], [["a" * 20, "b" * 10, 3, "c" * 50]], cut=["what"],
          drop=["count", "kind"])  # fmt: skip
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "what"]
    assert row == "a" * 20 + "  " + "c" * 37 + "…"


def test_sentences_are_broken_between_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    paragraph("one two three four five six")
    assert capsys.readouterr().out == "one two three four\nfive six\n"


def test_without_a_name_there_is_a_line_for_each_board(bench: Call, run: Call) -> None:
    run("grid")
    assert "small_faces@1" not in bench("board").out.replace("no records", "")
    assert "1 board of twins" in bench("board").out
    head, row = bench("board", "--twin").out.splitlines()
    assert head.split() == ["board", "runs", "best", "method", "what"]
    assert row.split()[:3] == ["small_faces@1", "(twin)", "1"]
