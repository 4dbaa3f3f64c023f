"""Sweeps whose processes are killed, on each kind of place: every run leaves its record, once.

SWEEP_RUNS=40 SWEEP_MANY=200 pytest -q -m slow tests/studies/test_chaos.py
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchmark.files import listed
from benchmark.home import home, leaderboards
from benchmark.records.reading import read_record
from benchmark.verification.verify import verify_record

RUNS = int(os.environ.get("SWEEP_RUNS", "40"))
MANY = int(os.environ.get("SWEEP_MANY", "200"))
SECONDS = 120 * RUNS + 600
WORDS = ("-m", "grid", "-p", "small_faces", "--twin", "--device", "cpu", "--seed")

pytestmark = pytest.mark.slow


def sweep(*words: str, runs: int = RUNS) -> subprocess.Popen[str]:
    """`bench sweep` of that many small runs, in a process."""
    command = [sys.executable, "-m", "benchmark", "sweep", *WORDS, f"0-{runs - 1}", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def runs_under_way() -> list[int]:
    """The processes of `bench run` that have this test's home."""
    mine = f"BENCH_HOME={home()}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            variables = (folder / "environ").read_bytes().split(b"\0")
            if b"run" in words and b"benchmark" in words and mine in variables:
                found.append(int(folder.name))
    return found


def require_all(runs: int = RUNS) -> None:
    """One record for each run, each whole and true, and nothing still at work."""
    paths = listed(leaderboards(), "**/*.json")
    assert len(paths) == runs
    assert len({read_record(path).run_id for path in paths}) == runs
    for path in paths[:3]:
        assert {check.state for check in verify_record(path)} == {"ok"}
    end = time.monotonic() + 30
    while runs_under_way() and time.monotonic() < end:
        time.sleep(0.2)
    assert runs_under_way() == []


def kill_some(main: subprocess.Popen[str], most: int, draw: random.Random) -> int:
    """Kill runs at random moments until `main` has ended, or `most` are killed; how many were."""
    killed = 0
    while main.poll() is None:
        time.sleep(draw.uniform(1, 4))
        under_way = runs_under_way()
        if under_way and killed < most:
            with suppress(ProcessLookupError):
                os.kill(draw.choice(under_way), signal.SIGKILL)
                killed += 1
    return killed


def test_here_with_runs_and_the_sweep_itself_killed(harness: Path) -> None:
    draw = random.Random(0)
    for _ in range(2):
        main = sweep("--launcher", "local", "--json")
        while not runs_under_way():
            assert main.poll() is None, main.communicate()
            time.sleep(0.2)
        time.sleep(draw.uniform(1, 10))
        main.kill()
        main.communicate()
    main = sweep("--launcher", "local", "--json")
    killed = kill_some(main, max(1, RUNS // 4), draw)
    out, err = main.communicate()
    assert main.returncode == 0, err
    assert {run["state"] for run in json.loads(out)["runs"]} == {"done"}
    assert killed
    require_all()


def test_under_submitit_with_runs_killed(harness: Path) -> None:
    main = sweep("--launcher", "slurm", "--launcher-option", "cluster=local", "--json")
    killed = kill_some(main, max(1, RUNS // 4), random.Random(0))
    out, err = main.communicate()
    assert main.returncode == 0, (out, err)
    assert killed
    require_all()


@pytest.mark.parametrize("kept", ["shared", "own"])
def test_on_a_ray_cluster_with_workers_killed_and_the_head_begun_again(
    harness: Path, kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    away = tmp_path / "away"
    with_home = {} if kept == "shared" else {"BENCH_HOME": str(away)}
    if kept == "own":
        away.mkdir()
        (away / "prepared").symlink_to((home() / "prepared").resolve())
    draw = random.Random(0)
    with Cluster(3, with_home) as cluster:
        options = (f"address={cluster.address}", f"home={kept}", "patience=300")
        words = [word for option in options for word in ("--launcher-option", option)]
        main = sweep("--launcher", "ray", *words, "--json")
        harm: list[Callable[[], None]] = [
            lambda: cluster.kill(draw.randint(1, 3)),
            lambda: cluster.kill(0),
            lambda: cluster.kill(draw.randint(1, 3)),
        ]
        done = RUNS // 5
        end = time.monotonic() + SECONDS
        while main.poll() is None and time.monotonic() < end:
            time.sleep(1)
            cluster.tend()
            if harm and len(listed(leaderboards(), "**/*.json")) >= done:
                harm.pop(0)()
                done += max(1, RUNS // 5)
        out, err = main.communicate(timeout=60)
    assert main.returncode == 0, (out, err)
    assert not harm
    require_all()


def test_a_node_with_a_home_of_its_own_sends_its_records(
    harness: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    away = tmp_path / "away"
    away.mkdir()
    (away / "prepared").symlink_to((home() / "prepared").resolve())
    with Cluster(0, {"BENCH_HOME": str(away)}) as cluster:
        options = (f"address={cluster.address}", "home=own")
        words = [word for option in options for word in ("--launcher-option", option)]
        main = sweep("--launcher", "ray", *words, "--json", runs=2)
        out, err = main.communicate(timeout=SECONDS)
    assert main.returncode == 0, (out, err)
    require_all(2)
    assert len(list((away / "runs").glob("*/record.json"))) == 2
    assert not (home() / "runs").exists()
    assert (leaderboards() / "twins" / "small_faces" / "README.md").exists() or listed(
        leaderboards(), "**/*.md"
    )


class Cluster:
    """A Ray cluster on this machine: a head without cores and workers with one each, or a head alone.

    `tend()` begins again what has ended, as whatever keeps a real cluster up does.
    """

    def __init__(self, workers: int, variables: dict[str, str]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.variables = {
            "RAY_gcs_rpc_server_reconnect_timeout_s": "10",
            "RAY_agent_register_timeout_ms": "300000",  # on a machine that has much to do
            **variables,
        }
        self.place = Path(f"/tmp/bench-ray-{os.getpid()}")  # short: it holds sockets
        self.nodes: list[subprocess.Popen[bytes]] = []
        self.workers = workers

    def __enter__(self) -> Cluster:
        self.nodes = [self._start(i) for i in range(self.workers + 1)]
        assert self.nodes[0].poll() is None  # its port was free
        return self

    def __exit__(self, *error: object) -> None:
        for i in range(len(self.nodes)):
            self.kill(i)
        shutil.rmtree(self.place, ignore_errors=True)

    def kill(self, number: int) -> None:
        """End a node with all its processes; 0 is the head."""
        with suppress(ProcessLookupError):
            os.killpg(self.nodes[number].pid, signal.SIGKILL)
        self.nodes[number].wait()

    def tend(self) -> None:
        """Begin again what has ended."""
        for i, node in enumerate(self.nodes):
            if node.poll() is not None:
                self.kill(i)
                self.nodes[i] = self._start(i)

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        role = (
            ["--head", "--port", str(self.port), "--temp-dir", str(self.place),
             "--num-cpus", "0" if self.workers else "1", "--include-dashboard", "false"]
            if number == 0
            else ["--address", self.address, "--num-cpus", "1"]
        )  # fmt: skip
        node = subprocess.Popen(
            [Path(sys.executable).with_name("ray"), "start", "--block", "--disable-usage-stats",
             "--object-store-memory", "80000000", "--min-worker-port", "0", "--max-worker-port", "0",
             *role],
            env={**os.environ, **self.variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        if number == 0:
            self._wait_for_the_head(node)
        return node

    def _wait_for_the_head(self, node: subprocess.Popen[bytes]) -> None:
        """Until it answers, or has ended: its port may still be taken by the one before, so that
        `tend()` begins it again."""
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            if node.poll() is not None:
                return
            time.sleep(0.5)


def test_many_runs_leave_nothing_open_and_nothing_behind(harness: Path) -> None:
    """Files, memory and processes of a sweep after a tenth of its runs, and at its end."""
    main = sweep("--launcher", "local", "--launcher-option", "processes=1", runs=MANY)
    seen = list(measured(main))
    _, err = main.communicate()
    assert main.returncode == 0, err
    require_all(MANY)
    early, late = seen[: max(1, len(seen) // 10)], seen[-max(1, len(seen) // 10) :]
    print(json.dumps({"early": early[-1], "late": late[-1], "samples": len(seen)}))
    assert max(files for files, _, _ in late) <= max(files for files, _, _ in early) + 2
    assert max(size for _, size, _ in late) <= 1.05 * max(size for _, size, _ in early)
    assert max(children for _, _, children in seen) <= 3


def measured(main: subprocess.Popen[str]) -> Iterator[tuple[int, int, int]]:
    """Open files, KiB of memory and children of a process, once a run is under way, each second."""
    proc = Path(f"/proc/{main.pid}")
    while main.poll() is None:
        with suppress(OSError, IndexError):
            if runs_under_way():
                files = len(list((proc / "fd").iterdir()))
                status = (proc / "status").read_text()
                size = int(status.split("VmRSS:")[1].split()[0])
                children = (proc / "task" / str(main.pid) / "children").read_text().split()
                yield files, size, len(children)
        time.sleep(1)
