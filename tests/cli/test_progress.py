"""Progress where there is no terminal: plain lines, and not too many of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests_fixtures import Call

from benchmark.cli.output import size
from benchmark.interface.progress import Lines, Live, Silent, duration, make_progress
from benchmark.runner.run import InParts


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Lines printed for (seconds, stage, step, total) in turn."""

    def tell(*moments: tuple, **values: float) -> list[str]:
        lines = Lines()
        for now, *what in moments:
            monkeypatch.setattr("time.monotonic", lambda now=now: now)
            lines(*what, **values)
        monkeypatch.undo()
        return capsys.readouterr().err.splitlines()

    return tell


def test_a_stage_has_a_first_and_a_last_line_and_time_left_in_between(
    told: Callable[..., list[str]],
) -> None:
    # one step in four seconds: ten steps after the first take forty
    steps = [(100.0 + 4 * i, "fit", i, 10) for i in range(11)]
    assert told(*steps) == [
        "fit: 0/10",
        "fit: 3/10 · 28 s left",
        "fit: 6/10 · 16 s left",
        "fit: 9/10 · 4.0 s left",
        "fit: 10/10",
    ]


def test_quick_stages_have_two_lines_each_and_the_last_is_said_once(
    told: Callable[..., list[str]],
) -> None:
    moments = [(i / 100, stage, i % 5 + 1, 5) for i, stage in enumerate("aaaaabbbbb")]
    assert told(*moments, (0.2, "b", 5, 5)) == ["a: 1/5", "a: 5/5", "b: 1/5", "b: 5/5"]


def test_a_stage_of_one_step_has_one_line(told: Callable[..., list[str]]) -> None:
    assert told((0.0, "predict", 64, 64)) == ["predict: 64/64"]


def test_time_left_counts_only_what_was_done_since_the_resume(
    told: Callable[..., list[str]],
) -> None:
    assert told((0.0, "fit", 900, 1000), (10.0, "fit", 910, 1000)) == [
        "fit: 900/1,000",
        "fit: 910/1,000 · 1 min 30 s left",
    ]


def test_values_are_said_with_their_names(told: Callable[..., list[str]]) -> None:
    said = told((0.0, "fit", 1, 2), images_per_second=1234.5, train_loss=0.123456)
    assert said == ["fit: 1/2 · 1,234 images/s · train loss 0.1235"]


def test_the_display_is_what_standard_error_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(make_progress(quiet=True), Silent)
    assert isinstance(make_progress(), Lines)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert isinstance(make_progress(), Live)


@pytest.mark.parametrize(
    "seconds, said",
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (59, "59 s"),
        (75, "1 min 15 s"),
        (3600 * 2.5, "2 h 30 min"),
    ],
)
def test_durations_for_people(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize("count, said", [(1023, "1023 B"), (1536, "1.5 KiB"), (2**41, "2.0 TiB")])
def test_sizes_for_people(count: int, said: str) -> None:
    assert size(count) == said


def test_a_terminal_shows_counters_whole_and_folds_what_is_finished(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    live = Live()
    values = {"images_per_second": 1234.5, "train_loss": 0.1234, "learning_rate": 0.03}
    live("prepare twin:train", 1500, 1500)
    live("stage1", 1200, 10_000, **values)
    live.bars.stop()
    text = capsys.readouterr().err
    assert re.search(r"✓ prepare twin:train  0\.\d s", text)  # a busy machine needs a while
    assert [task.description for task in live.bars.tasks] == ["stage1"]
    with live.bars.console.capture() as shown:
        live.bars.console.print(live.bars.get_renderable(), width=80)
    assert "1,200/10,000" in shown.get()
    assert "0:00:00" in shown.get()
    assert "…" not in shown.get()


def test_parts_of_a_run_are_told_in_lines_and_above_bars(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not isinstance(Silent(), InParts)
    lines = Lines()
    assert isinstance(lines, InParts)
    lines.part("predict", 2, 3)
    assert capsys.readouterr().err == "part 2 of 3: predict\n"
    monkeypatch.setenv("TERM", "dumb")
    live = Live()
    assert isinstance(live, InParts)
    live("stage1", 3, 3)
    live.part("predict", 2, 3)  # what is finished stands above it
    assert capsys.readouterr().err.splitlines()[-2:] == ["✓ stage1  0.0 s", "part 2 of 3: predict"]
    live.close()


def test_a_run_says_its_parts_in_order_and_how_long_the_whole_takes(
    run: Call, harness: Path
) -> None:
    first = run("slow", "--set", "steps=1")
    said = [line for line in first.err.splitlines() if line.startswith("part ")]
    assert said == ["part 1 of 3: fit", "part 2 of 3: predict", "part 3 of 3: score"]
    assert first.err.index("part 2") < first.err.index("predict test")
    assert "in all" not in first.err  # no record tells
    again = run("slow", "--set", "steps=1", "--seed", "1")
    assert re.search(r"about [\d.]+ (s|min .*) in all, by records of runs like it", again.err)
    assert (
        "in all" not in run("slow", "--set", "steps=1", "--seed", "1").err
    )  # nothing is left to do
