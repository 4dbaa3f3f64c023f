"""Killed at whatever it does to the disk, each command leaves what the same command then finishes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from tests_adversity import Work, events, forked, half_written, killed_at, tree
from tests_fixtures import RUN, Call

from benchmark.datasets.opening import open_split
from benchmark.files import listed
from benchmark.home import home, leaderboards
from benchmark.interface.progress import Silent
from benchmark.metrics import catalogue
from benchmark.pages.site import build_site
from benchmark.pages.tables import stale_files, update_boards
from benchmark.records.model import Record
from benchmark.records.reading import read_record
from benchmark.registry.protocols import all_protocols, find_protocol
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run as execute
from benchmark.verification.edits import import_record
from benchmark.verification.rescore import rescore
from benchmark.verification.verify import verify_record

QUIET = Silent()


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A forked process can't use threads that its parent began."""
    monkeypatch.setenv("BENCH_CHECKPOINT_SECONDS", "0")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def once(method: str) -> None:
    given = {"steps": 20} if method == "slow" else {}
    request = Request(method, "small_faces", given=given, twin=True, device="cpu")
    execute(make_plan(request, QUIET), QUIET)


def same(record: Record) -> dict[str, Any]:
    """What of a record does not depend on time and machine."""
    content = record.model_dump(mode="json")
    for name in ("started", "finished", "throughput", "peak_memory_bytes", "hardware", "fitted"):
        del content[name]
    content["stages"] = sorted(content["stages"])
    return content


def clear() -> None:
    for folder in (home() / "runs", home() / "fits", leaderboards()):
        shutil.rmtree(folder, ignore_errors=True)


def check_run(straight: dict[str, Any]) -> None:
    """One record, whole, true, and the same; nothing half-written is left."""
    (path,) = listed(leaderboards(), "**/*.json")
    assert same(read_record(path)) == straight
    assert {c.state for c in verify_record(path)} == {"ok"}
    assert not half_written(leaderboards())
    assert not half_written(home() / "runs")
    assert not half_written(home() / "fits")


def points(count: int, most: int | None) -> list[int]:
    """All moments, or some of them, drawn."""
    every = range(1, count + 1)
    return list(every) if most is None else sorted(random.Random(0).sample(every, min(most, count)))


def run_killed(method: str, most: int | None) -> None:
    work = partial(once, method)
    assert forked(work) == 0
    (path,) = listed(leaderboards(), "**/*.json")
    straight = same(read_record(path))
    clear()
    count = events(work)
    for event in points(count, most):
        clear()
        killed_at(work, event)
        for left in listed(leaderboards(), "**/*.json"):
            assert {c.state for c in verify_record(left)} == {"ok"}, event
        assert forked(work) == 0, event
        check_run(straight)


@pytest.mark.long
def test_a_run_killed_at_some_moments(harness: Path) -> None:
    run_killed("slow", most=2)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["grid", "slow"])
def test_a_run_killed_at_every_moment(harness: Path, method: str) -> None:
    run_killed(method, most=None)


def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Work, Path]:
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "fresh"))
    protocol = find_protocol("small_faces")

    def work() -> None:
        open_split(protocol, "test", twin=True, progress=QUIET).verify()

    return work, tmp_path / "fresh" / "prepared"


def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Work, Path]:
    update_boards(all_protocols())
    for page in listed(leaderboards(), "**/*.md") + listed(leaderboards(), "**/*.csv"):
        page.unlink()

    def work() -> None:
        update_boards(all_protocols())
        assert not stale_files(all_protocols())

    return work, leaderboards()


def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Work, Path]:
    (record,) = listed(leaderboards(), "**/*.json")
    sent = Path(shutil.copytree(record.parent, tmp_path / "sent"))
    shutil.rmtree(leaderboards())
    return partial(import_record, sent / record.name), leaderboards()


def rescored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Work, Path]:
    later = catalogue.CATALOGUE["nme_iod"]._replace(version=2)
    monkeypatch.setitem(catalogue.CATALOGUE, "nme_iod", later)
    (record,) = listed(leaderboards(), "**/*.json")

    def work() -> None:
        rescore(record)
        update_boards(all_protocols())

    return work, leaderboards()


def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Work, Path]:
    return partial(build_site, tmp_path / "www", all_protocols()), tmp_path / "www"


COMMANDS: dict[str, Callable[[Path, pytest.MonkeyPatch], tuple[Work, Path]]] = {
    "prepare": prepared,
    "build": built,
    "import": imported,
    "rescore": rescored,
    "site": published,
}


def command_killed(
    command: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once("grid")
    work, place = COMMANDS[command](tmp_path, monkeypatch)
    spare = tmp_path / "spare"

    def begin() -> None:
        shutil.rmtree(place, ignore_errors=True)
        if spare.exists():
            shutil.copytree(spare, place)

    if place.exists():
        shutil.copytree(place, spare)
    assert forked(work) == 0
    straight = tree(place)
    begin()
    count = events(work)
    for event in points(count, most):
        begin()
        killed_at(work, event)
        for left in listed(leaderboards(), "**/*.json"):
            assert "wrong" not in {c.state for c in verify_record(left)}, event
        assert forked(work) == 0, event
        found = tree(place)
        assert found.keys() == straight.keys(), event
        for name in found:
            if not name.endswith((".json", ".html", ".csv", ".md")):  # these say when it was
                assert found[name] == straight[name], (event, name)
        assert not half_written(place), event
        assert not listed(home() / "scratch", "*"), event


@pytest.mark.long
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_killed_at_some_moments(
    harness: Path, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command_killed(command, 2, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_killed_forty_times(
    harness: Path, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command_killed(command, 40, tmp_path, monkeypatch)


def stopped_twice(trials: int) -> None:
    """Ctrl-C, and again before the process has ended: one sentence, and the same command goes on."""
    draw = random.Random(0)
    command = [sys.executable, "-m", "benchmark", *RUN, "slow", "--json"]
    for trial in range(trials):
        clear()
        main = subprocess.Popen(
            command, env=os.environ | {"SLOW_SECONDS": "5"}, stderr=subprocess.PIPE, text=True
        )
        while not listed(home() / "fits", "*/time.json"):
            assert main.poll() is None
            time.sleep(0.1)
        main.send_signal(signal.SIGINT)
        time.sleep(draw.uniform(0, 0.5))
        main.send_signal(signal.SIGINT)
        _, said = main.communicate(timeout=120)
        assert main.returncode == 130, (trial, said)
        assert "Traceback" not in said, trial
        assert said.count("stopped; the same command goes on") == 1, (trial, said)


@pytest.mark.long
def test_ctrl_c_twice(harness: Path) -> None:
    stopped_twice(1)


@pytest.mark.slow
def test_ctrl_c_twice_at_twenty_moments(harness: Path) -> None:
    stopped_twice(20)


@pytest.mark.slow
def test_the_launcher_killed_at_random_moments(harness: Path, run: Call) -> None:
    """Its runs end with it, so that the same command finds their locks free."""
    draw = random.Random(0)
    words = [*RUN, "slow", "--seed", "0,1", "--launcher", "local", "--json"]
    command = [sys.executable, "-m", "benchmark", *words, "--launcher-option", "processes=2"]
    began = time.monotonic()
    assert subprocess.run(command, capture_output=True).returncode == 0
    long = time.monotonic() - began
    for trial in range(20):
        clear()
        main = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(draw.uniform(0, long))
        os.kill(main.pid, draw.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
        main.wait(60)
        time.sleep(1)
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, (trial, done.stdout, done.stderr)
        assert len(listed(leaderboards(), "**/*.json")) == 2
