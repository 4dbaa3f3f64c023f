"""That LEAD learns: minutes of real training, so by hand or nightly (`pytest -m slow`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.boards.certainty import Certainty
from benchmark.boards.entries import Entry
from benchmark.datasets.places import locate
from benchmark.interface.progress import Silent
from benchmark.metrics.uncertainty import interval
from benchmark.runner.plan import Request, make_plan
from benchmark.runner.run import run

QUIET = Silent()


@pytest.mark.slow
@pytest.mark.xfail(
    strict=False,  # with one thread instead of two the same fit ends 1.6 lower
    reason="so short a fit is ahead by 0.65, but over people that is -1.48 to +0.18: not shown",
)
@pytest.mark.skipif(locate("ytf68") is None, reason="needs the data set ytf68 (BENCH_DATA)")
def test_demo_ends_below_its_own_untrained_network_on_real_faces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(tmp_path / "boards"))
    entries: dict[str, Entry] = {}
    for method, preset in (("lead", "demo"), ("random-features", "lead-demo")):
        request = Request(method=method, protocol="ytf5", preset=preset, device="cpu")
        outcome = run(make_plan(request, QUIET), QUIET)
        entries[method] = Entry(outcome.record, outcome.path)
    lead, untrained = entries["lead"], entries["random-features"]
    certainty = Certainty("nme_iod", entries.values())
    apart = lead.record.headline.value - untrained.record.headline.value
    ends = interval(apart, certainty.of_same_items([lead], [untrained]))
    assert ends is not None
    assert ends[1] < 0
