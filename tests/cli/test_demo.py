"""That what `bench demo` shows has learned: minutes of real training, so by hand or nightly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmark.boards.certainty import Certainty
from benchmark.boards.entries import Entry
from benchmark.cli import demo
from benchmark.contracts.errors import DataMissing
from benchmark.datasets.places import locate
from benchmark.interface.progress import Silent
from benchmark.metrics.uncertainty import interval
from benchmark.networks.weights import SQUEEZENET, find
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run

QUIET = Silent()


def real() -> bool:
    """Whether the frames and the weights of IMM's loss are at hand."""
    try:
        find(SQUEEZENET)
    except DataMissing:
        return False
    return locate("ytf68") is not None


@pytest.mark.long
@pytest.mark.parametrize("shown", [demo.FRAMES, demo.RENDERED], ids=["frames", "rendered"])
def test_both_sides_of_the_demo_are_one_network(shown: demo.Demo) -> None:
    """The settings that the floor imitates are the method's, so the board compares the two."""
    pytest.importorskip(f"bench_{shown.method}")
    runs = {method: (preset, given) for method, preset, given in shown.runs}
    made: dict[str, Any] = {
        name: make_plan(
            Request(method=name, protocol=shown.protocol, preset=preset, given=given, twin=True),
            QUIET,
        ).settings
        for name, (preset, given) in runs.items()
    }
    assert made["random-features"].of.partition(":")[0] == shown.method
    assert made["random-features"].settings == made[shown.method].model_dump(mode="json")


def both_sides(
    shown: demo.Demo, twin: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Entry, Entry]:
    """The row of the method and that of its untrained network."""
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(tmp_path / "boards"))
    entries: dict[str, Entry] = {}
    for method, preset, given in shown.runs[1:3]:
        words = {"preset": preset, "given": given, "twin": twin, "device": "cpu"}
        outcome = run(make_plan(Request(method, shown.protocol, **words), QUIET), QUIET)  # type: ignore[arg-type]
        entries[method] = Entry(outcome.record, outcome.path)
    return entries[shown.method], entries["random-features"]


@pytest.mark.slow
def test_on_frames_the_demo_ends_below_its_own_untrained_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By more than the interval over test items: what it prints is a method that has learned."""
    if not real():
        pytest.skip("needs ytf68 and squeezenet1_1_features.pth (BENCH_DATA)")
    learned, untrained = both_sides(demo.FRAMES, False, tmp_path, monkeypatch)
    certainty = Certainty("nme_iod", (learned, untrained))
    values = learned.record.headline.value, untrained.record.headline.value
    ends = interval(values[0] - values[1], certainty.of_same_items([learned], [untrained]))
    print(values, ends)
    assert ends is not None
    assert ends[1] < 0


@pytest.mark.slow
def test_on_rendered_faces_the_demo_generates_what_its_untrained_network_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The distance to the faces falls to a fifth at least; it was a twentieth with seed 0."""
    learned, untrained = both_sides(demo.RENDERED, True, tmp_path, monkeypatch)
    values = learned.record.headline.value, untrained.record.headline.value
    print(values)
    assert values[0] < values[1] / 5
