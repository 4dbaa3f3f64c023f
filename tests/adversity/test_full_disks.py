"""A disk that is full at any size: one sentence, nothing half-written, the same outcome afterwards."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from tests_adversity import forked, half_written, with_files_of

from benchmark.files import listed
from benchmark.home import home, leaderboards
from benchmark.interface.progress import Silent
from benchmark.pages.tables import update_boards
from benchmark.records.reading import read_record
from benchmark.registry.protocols import all_protocols
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run as execute
from benchmark.verification.verify import verify_record

QUIET = Silent()


def once(seed: int) -> None:
    request = Request("grid", "small_faces", twin=True, device="cpu", seed=seed)
    execute(make_plan(request, QUIET), QUIET)
    update_boards(all_protocols())


def full(sizes: list[int]) -> None:
    assert forked(partial(once, 0)) == 0
    (first,) = listed(leaderboards(), "**/*.json")
    value = read_record(first).headline.value
    refused = 0
    for seed, size in enumerate(sizes, start=1):
        code = with_files_of(partial(once, seed), size)
        assert code in (0, 9), (size, code)
        refused += code == 9
        for path in listed(leaderboards(), "**/*.json"):
            assert {c.state for c in verify_record(path)} == {"ok"}, size
        assert not half_written(leaderboards())
        assert not half_written(home() / "runs")
        assert forked(partial(once, seed)) == 0, size
        again = [read_record(p) for p in listed(leaderboards(), "**/*.json")]
        assert sorted(record.seed for record in again) == list(range(seed + 1))
        assert {record.headline.value for record in again} == {value}  # the method draws nothing
    assert refused > 0


@pytest.mark.long
def test_a_disk_that_is_full_at_some_sizes(harness: Path) -> None:
    full([1, 700, 3000])


@pytest.mark.slow
def test_a_disk_that_is_full_at_forty_sizes(harness: Path) -> None:
    full([int(1.35**n) for n in range(1, 41)])
