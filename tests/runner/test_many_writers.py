"""Many writers of one board, killed whenever: no record is lost, half-written or there twice."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import torch

from benchmark.boards.entries import read_entries
from benchmark.boards.rows import make_rows
from benchmark.contracts.errors import RunLocked
from benchmark.home import leaderboards
from benchmark.interface.progress import Silent
from benchmark.pages.tables import stale_files, update_boards
from benchmark.records.reading import read_record
from benchmark.registry.protocols import all_protocols, find_protocol
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import record_path, run
from benchmark.verification.edits import remark
from benchmark.verification.verify import verify_record

QUIET = Silent()
FORK = multiprocessing.get_context("fork")
LOCKED = 75


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """A forked process can't use threads that its parent began."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def board() -> Path:
    return leaderboards() / "twins" / "small_faces" / "1" / "grid"


def work(seed: int) -> None:
    try:
        plan = make_plan(
            Request(method="grid", protocol="small_faces", twin=True, device="cpu", seed=seed),
            QUIET,
        )
        run(plan, QUIET)
    except RunLocked:
        os._exit(LOCKED)


def started(target, *arguments: object) -> BaseProcess:  # type: ignore[no-untyped-def]
    process = FORK.Process(target=target, args=arguments)
    process.start()
    return process


def ended(process: BaseProcess) -> int:
    process.join(120)
    assert process.exitcode is not None, "it hangs"
    return process.exitcode


def all_is_well() -> dict[int, str]:
    """Every record on the board is whole and true; gives the run of each seed."""
    found: dict[int, str] = {}
    for path in board().glob("[!.]*.json"):
        assert {c.state for c in verify_record(path)} == {"ok"}
        record = read_record(path)
        assert record.seed not in found
        found[record.seed] = record.run_id
    return found


def rows() -> int:
    protocol = find_protocol("small_faces")
    entries, left_out = read_entries(protocol, twin=True)
    assert not left_out
    return len(make_rows(protocol.scored(twin=True), entries)[0].seeds)


def left_behind() -> list[Path]:
    return [p for p in leaderboards().rglob(".*") if p.name != ".lock" and p.suffix != ".lock"]


def writers(processes: int, seeds: int) -> None:
    """Start them all, two or more for some seeds, while another process makes the tables."""
    all_started = [started(work, n % seeds) for n in range(processes)]
    tables = [started(update_boards, all_protocols()) for _ in range(2)]
    codes = [ended(p) for p in all_started]
    assert set(codes) <= {0, LOCKED}
    assert codes.count(0) >= seeds
    assert [ended(p) for p in tables] == [0, 0]
    assert sorted(all_is_well()) == list(range(seeds))
    assert not left_behind()
    update_boards(all_protocols())
    assert not stale_files(all_protocols())
    assert rows() == seeds


def killed(kills: int, seeds: int, draw: random.Random) -> None:
    """Kill writers and makers of tables at work, `kills` times; then let all of them end."""
    began = time.monotonic()
    assert ended(started(work, seeds)) == 0
    long = time.monotonic() - began
    hits = trial = 0
    while hits < kills:
        trial += 1
        process = (
            started(update_boards, all_protocols())
            if trial % 5 == 4
            else started(work, trial % seeds)
        )
        time.sleep(draw.uniform(0, long))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        hits += ended(process) == -signal.SIGKILL
        whole = all_is_well()
        if trial % 7 == 0 and whole:
            # so that there is always something left to bring back
            (board() / f"{draw.choice(sorted(whole.values()))}.json").unlink()
    for seed in range(seeds + 1):
        assert ended(started(work, seed)) == 0
    assert sorted(all_is_well()) == list(range(seeds + 1))
    update_boards(all_protocols())
    assert not stale_files(all_protocols())
    assert rows() == seeds + 1
    assert not left_behind()


def test_several_writers_at_once(harness: Path) -> None:
    work(0)
    writers(processes=8, seeds=6)


def test_writers_killed_anywhere(harness: Path) -> None:
    work(0)
    killed(kills=5, seeds=3, draw=random.Random(0))


@pytest.mark.slow
def test_fifty_writers_at_once(harness: Path) -> None:
    work(0)
    writers(processes=50, seeds=40)


@pytest.mark.slow
def test_two_hundred_kills(harness: Path) -> None:
    work(0)
    killed(kills=200, seeds=150, draw=random.Random(0))


def test_remarks_made_at_once_are_all_kept(harness: Path) -> None:
    work(0)
    path = next(board().glob("[!.]*.json"))

    def annotate(number: int) -> None:
        remark(path, "annotated", reason=f"remark {number}", author="a person")

    assert {ended(p) for p in [started(annotate, n) for n in range(12)]} == {0}
    record = read_record(path)
    assert sorted(e.reason for e in record.edits) == sorted(f"remark {n}" for n in range(12))
    assert {c.state for c in verify_record(path)} == {"ok"}
    plan = make_plan(Request("grid", "small_faces", twin=True, device="cpu"), QUIET)
    assert record_path(plan) == path
