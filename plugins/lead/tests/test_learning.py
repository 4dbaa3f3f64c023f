"""That LEAD learns what `bench demo` shows: minutes of real training, so by hand or nightly."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.boards.certainty import Certainty
from benchmark.boards.entries import Entry
from benchmark.cli import demo
from benchmark.datasets.places import locate
from benchmark.interface.progress import Silent
from benchmark.metrics.uncertainty import interval
from benchmark.runner.plan import Request, make_plan
from benchmark.runner.run import run

QUIET = Silent()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shown", "twin"), [(demo.FRAMES, False), (demo.RENDERED, True)], ids=["frames", "rendered"]
)
def test_the_demo_ends_below_its_own_untrained_network(
    shown: demo.Shown, twin: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By more than the interval over test people: what the demo prints is a method that has learned."""
    if not twin and locate("ytf68") is None:
        pytest.skip("needs the data set ytf68 (BENCH_DATA)")
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(tmp_path / "boards"))
    entries: dict[str, Entry] = {}
    for method, preset, given in shown.runs:
        if method in ("lead", "random-features"):
            request = Request(
                method=method, protocol=shown.protocol, preset=preset, given=given, twin=twin,
                device="cpu",
            )  # fmt: skip
            outcome = run(make_plan(request, QUIET), QUIET)
            entries[method] = Entry(outcome.record, outcome.path)
    lead, untrained = entries["lead"], entries["random-features"]
    certainty = Certainty("nme_iod", entries.values())
    apart = lead.record.headline.value - untrained.record.headline.value
    ends = interval(apart, certainty.of_same_items([lead], [untrained]))
    assert ends is not None
    assert ends[1] < 0
