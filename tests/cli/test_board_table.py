"""Boards on the terminal: what is printed at which width."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests_fixtures import Call
from tests_rows import ROWS

from benchmark.boards.measured import Measured
from benchmark.boards.rows import Row
from benchmark.cli.board_table import HALVES, print_metrics, print_rows
from benchmark.cli.output import paragraph, table
from benchmark.protocols import Metric


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


METRICS = [Metric(id=f"nme_iod_{n}", unit="%", better="lower") for n in (1, 5, 10, 20, 50, 100)]


def measured(row: Row) -> Row:
    """The row with a value and an interval in each of `METRICS`."""
    values = (Measured(m.id, 10.0 + i, (9.0 + i, 12.5 + i)) for i, m in enumerate(METRICS))
    return replace(row, metrics=tuple(values))


@pytest.mark.parametrize("width", [None, 150, 100, 60])
def test_all_metrics_are_printed_as_far_as_there_is_room(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int | None
) -> None:
    monkeypatch.setenv("COLUMNS", str(width)) if width else monkeypatch.delenv("COLUMNS", False)
    rows = [measured(row) for row in ROWS]
    notes = print_metrics(METRICS, [*rows, replace(rows[0], withdrawn="wrong crop")])
    head, *lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(rows)
    assert max(map(len, (head, *lines))) <= (width or 1000)
    assert all("10.00 ±2.50" in line for line in lines)
    assert ["10.00 ±2.50*" in line for line in lines] == [True, False, False]  # one seed
    assert lines[1].startswith("emerging small dim")
    assert "ceiling" in lines[0]
    assert "floor" in lines[2]
    there = [metric.id for metric in METRICS if f"{metric.id} % ↓" in head]
    assert there == [metric.id for metric in METRICS][: len(there)]
    assert (len(there) == len(METRICS)) == (width in (None, 150))
    missing = ", ".join(metric.head for metric in METRICS[len(there) :])
    said = f"no room for {missing}: a wider terminal, or --format csv"
    assert notes == [HALVES, *([said] if missing else [])]
