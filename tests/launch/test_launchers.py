"""Launchers: each run elsewhere is what it would be here, and one that fails is named with its error."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import pytest
from tests_fixtures import RUN, Call
from tests_support import install_fake

from benchmark.contracts.errors import BenchError
from benchmark.contracts.launch import Begun, Ended, Job
from benchmark.home import home, leaderboards
from benchmark.launch import execute, make_launcher
from benchmark.launch.local import Local
from benchmark.registry.plugins import plugins


@pytest.mark.long
def test_seeds_run_at_once_and_are_found_again(run: Call) -> None:
    words = ("--seed", "0,1", "--launcher", "local", "--launcher-option", "processes=2")
    said = run("grid", *words)
    assert said.code == 0, said.err
    assert said.out.count("nme_iod ") == 2
    assert len(list(leaderboards().rglob("grid/*.json"))) == 2
    again = json.loads(run("grid", "--seed", "1", "--json").out)
    assert again["found"]


@pytest.mark.long
def test_a_run_that_fails_is_named_and_the_others_are_done(
    run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULT", "0 3 name")
    words = ("--launcher", "local", "--launcher-option", "processes=1", "--json")
    said = run("slow", "--seed", "4", *words)
    assert said.code == 10
    (about,) = json.loads(said.out)
    assert about["error"].startswith("error: a loss that is not finite")
    assert "a lower learning rate" in Path(about["log"]).read_text()


def test_a_plan_says_which_commands_it_would_launch(run: Call) -> None:
    said = run("grid", "--seed", "0,7", "--set", "points=9", "--launcher", "local", "--plan")
    assert [line.split(",")[0] for line in said.out.splitlines()[::2]] == 2 * [
        "grid on small_faces@1"
    ]
    assert "--set points=9" in said.out
    said = run(
        "grid", "--seed", "0,7", "--set", "points=9", "--launcher", "local", "--plan", "--json"
    )
    commands = [job["command"] for job in json.loads(said.out)]
    assert [c[c.index("--seed") + 1] for c in commands] == ["0", "7"]
    assert all(c[c.index("--set") + 1] == "points=9" for c in commands)
    assert not (home() / "launches").exists()


@pytest.mark.parametrize(
    "words, code, said",
    [
        (["--launcher", "locl"], 2, "did you mean 'local'"),
        (["--launcher", "pool"], 2, "it is called local now"),
        (["--launcher", "local", "--launcher-option", "process=2"], 2, "did you mean 'processes'"),
        (["--launcher", "local", "--launcher-option", "processes=0"], 2, "not a number of processes"),
        (["--launcher", "local", "--launcher-option", "processes"], 2, "not key=value"),
        (["--launcher-option", "processes=2"], 2, "there is no --launcher"),
        (["--launcher", "slurm", "--launcher-option", "wait=maybe"], 2, "neither yes nor no"),
        (["--launcher", "slurm", "--launcher-option", "cluster=lsf"], 2, "neither slurm nor local"),
        (["--launcher", "slurm", "--launcher-option", "cluster=local",
          "--launcher-option", "partitoin=gpu"], 2, "partitoin"),
    ],
)  # fmt: skip
def test_what_a_launcher_cannot_do_is_refused(run: Call, words: list, code: int, said: str) -> None:
    done = run("grid", *words)
    assert done.code == code
    assert said in done.err
    assert not leaderboards().exists()


def test_each_gpu_has_its_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once on two GPUs, each alone on its own; a place that is free again has its GPU again."""
    monkeypatch.setattr("benchmark.launch.local.visible_gpus", lambda: ["3", "5"])
    seen = "import os; print(os.environ['CUDA_VISIBLE_DEVICES'])"
    monkeypatch.setattr(Job, "command", lambda self: [sys.executable, "-c", seen])
    jobs = [Job(str(n), ()) for n in range(4)]
    launcher = Local({}, tmp_path)
    launcher.submit(jobs)
    first = launcher.poll()
    assert [type(e) for e in first] == [Begun, Begun]
    launcher.close()
    events = list(execute(Local({}, tmp_path), jobs))
    ended = [e for e in events if isinstance(e, Ended)]
    assert {e.output.strip() for e in ended} == {"3", "5"}
    assert len(ended) == 4
    assert Local({"processes": "3"}, tmp_path)._variables(2) == {"CUDA_VISIBLE_DEVICES": "3"}


@pytest.mark.parametrize("needs, at_once", [((1, 1, 1), 3), ((4, 4, 4), 1), ((2, 2, 3), 2)])
def test_runs_begin_where_their_memory_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, needs: tuple[int, ...], at_once: int
) -> None:
    monkeypatch.setattr(Job, "command", lambda self: ["sleep", "60"])
    launcher = Local({"processes": "3", "memory": "4"}, tmp_path)
    launcher.submit([Job(str(i), (), need * 2**30) for i, need in enumerate(needs)])
    assert len(launcher.poll()) == at_once
    launcher.close()


def test_a_run_that_takes_more_than_there_is_runs_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Job, "command", lambda self: ["sleep", "60"])
    launcher = Local({"processes": "2", "memory": "1"}, tmp_path)
    large, small = Job("large", (), 2**40), Job("small", (), 1)
    launcher.submit([large, small])
    assert [e.job for e in launcher.poll()] == [large]
    launcher.cancel(large)
    assert [e.job for e in launcher.poll()] == [small]
    launcher.close()


def test_fewer_runs_than_cores_have_several_each(tmp_path: Path) -> None:
    launcher = Local({}, tmp_path)
    launcher.gpus, launcher.cores = [], 8
    launcher.submit([Job("one", ()), Job("two", ())])
    assert launcher.processes == 2


def test_a_killed_child_is_lost_and_nothing_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither files nor processes; what it had started goes with it."""
    script = "sleep 61 & echo $! > {}; sleep 60".format(tmp_path / "inner")
    monkeypatch.setattr(Job, "command", lambda self: ["sh", "-c", script])
    before = set(os.listdir("/proc/self/fd"))
    launcher = Local({"processes": "1"}, tmp_path)
    launcher.submit([Job("one", ())])
    (begun,) = launcher.poll()
    assert isinstance(begun, Begun)
    while not (tmp_path / "inner").exists() or not (tmp_path / "inner").read_text().strip():
        time.sleep(0.05)
    inner = int((tmp_path / "inner").read_text())
    os.kill(int(begun.where.split()[1]), signal.SIGKILL)
    while not (events := launcher.poll()):
        time.sleep(0.05)
    (ended,) = events
    assert isinstance(ended, Ended)
    assert (ended.code, ended.lost) == (-9, True)
    assert ends(inner)
    assert set(os.listdir("/proc/self/fd")) == before


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ends(pid: int) -> bool:
    """Whether a process ends within some seconds."""
    end = time.monotonic() + 20
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not alive(pid)


def test_a_child_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """By `kill -9` too: what it runs has the lifeline."""
    held = "import time; from benchmark.lifeline import hold_given; hold_given(); time.sleep(60)"
    starts = (
        "import sys, time; from pathlib import Path; from benchmark.launch.child import Child;"
        f"child = Child([sys.executable, '-c', {held!r}], Path({str(tmp_path / 'log')!r}), {{}});"
        "print(child.process.pid, flush=True); time.sleep(60)"
    )
    main = subprocess.Popen([sys.executable, "-c", starts], stdout=subprocess.PIPE, text=True)
    assert main.stdout is not None
    pid = int(main.stdout.readline())
    time.sleep(1.0)  # until it holds its lifeline
    assert alive(pid)
    main.kill()
    main.communicate()
    assert ends(pid)


@pytest.mark.slow
@pytest.mark.parametrize(
    "number, code",
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
)
def test_the_runs_end_with_it(harness: Path, number: int, code: int) -> None:
    words = [*RUN, "slow", "--seed", "0,1", "--launcher", "local"]
    main = subprocess.Popen(
        [sys.executable, "-m", "benchmark", *words, "--launcher-option", "processes=2"],
        env=os.environ | {"SLOW_SECONDS": "5"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    begun: set[Path] = set()
    for _ in range(600):
        begun = set((home() / "fits").glob("*/time.json"))
        if len(begun) == 2:
            break
        time.sleep(0.1)
    assert len(begun) == 2
    main.send_signal(number)
    _, errors = main.communicate(timeout=120)
    assert main.returncode == code
    assert "Traceback" not in errors
    for name in ("0", "1"):
        assert f"begun: slow on small_faces@1, seed {name}" in errors
    # the lock of a run is its process's: another gets it once that is gone
    again = subprocess.run(
        [sys.executable, "-m", "benchmark", *words, "--launcher-option", "processes=2", "--json"],
        env=os.environ | {"SLOW_SECONDS": "0"},
        capture_output=True,
        text=True,
    )
    assert again.returncode == 0, again.stderr
    assert [about["found"] for about in json.loads(again.stdout)] == [False, False]


@pytest.mark.long
def test_it_says_how_many_run_at_once_and_when_each_begins_and_ends(run: Call) -> None:
    words = ("--launcher", "local", "--launcher-option", "processes=1")
    said = run("grid", "--seed", "0,1", *words)
    first, *lines = said.err.splitlines()
    assert first.startswith("at most 1 at once (--launcher-option processes=1), ")
    seeds = ["grid on small_faces@1, seed 0", "grid on small_faces@1, seed 1"]
    assert [line.split(" (")[0] for line in lines if line.startswith("begun")] == [
        f"begun: {seed}" for seed in seeds
    ]
    assert f"done: {seeds[0]} (1 of 2)" in lines
    assert f"done: {seeds[1]} (2 of 2)" in lines
    assert run("grid", "--seed", "0", *words, "--json").err == ""


def test_nothing_that_a_run_left_running_stays(
    harness: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that a method started and forgot holds the run's standard output open."""
    left = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True)"
    monkeypatch.setattr(Job, "command", lambda self: [sys.executable, "-c", left])
    began = time.monotonic()
    _, ended = execute(Local({"processes": "1"}, tmp_path), [Job("one", ())])
    assert isinstance(ended, Ended)
    assert ended.code == 0
    assert time.monotonic() - began < 30
    assert ends(int(ended.output))


@pytest.mark.long
def test_submitit_executes_runs_on_its_local_cluster(run: Call) -> None:
    said = run("grid", "--launcher", "slurm", "--launcher-option", "cluster=local", "--json")
    assert said.code == 0, said.err
    (about,) = json.loads(said.out)
    assert Path(about["record"]).is_file()


SBATCH = '#!/bin/sh\ncp "$1" "{seen}"\necho "Submitted batch job 12"\n'


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands named as Slurm's are, which keep the script that they are given: no real Slurm."""
    folder, seen = tmp_path / "slurm", tmp_path / "script"
    folder.mkdir()
    for name in ("sbatch", "srun", "squeue", "sacct"):
        (folder / name).write_text(SBATCH.format(seen=seen) if name == "sbatch" else "#!/bin/sh\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return seen


def test_what_is_given_to_slurm(run: Call, cluster: Path) -> None:
    options = ("partition=gpu", "gpus_per_node=1", "timeout_min=30", "account=me", "wait=no")
    words = [w for option in options for w in ("--launcher-option", option)]
    said = run("grid", "--seed", "0,1,2", "--launcher", "slurm", *words)
    assert said.code == 0, said.err
    assert [f"job 12_{i}" in said.out for i in range(3)] == [True] * 3
    script = cluster.read_text()
    for line in (
        "--partition=gpu",
        "--gpus-per-node=1",
        "--time=30",
        "--account=me",
        "--array=0-2",
    ):
        assert f"#SBATCH {line}" in script
    assert "#SBATCH --requeue" in script or "--open-mode=append" in script
    assert not leaderboards().exists()


def test_values_reach_slurm_as_they_are_meant(run: Call, cluster: Path) -> None:
    options = ("account=0042", "exclusive=true", "mem_gb=1.5", "use_srun=false", "wait=no")
    words = [w for option in options for w in ("--launcher-option", option)]
    said = run("grid", "--launcher", "slurm", *words)
    assert said.code == 0, said.err
    script = cluster.read_text()
    for line in ("--account=0042", "--exclusive", "--mem=1536MB"):
        assert f"#SBATCH {line}\n" in script
    assert "srun" not in script
    said = run("grid", "--launcher", "slurm", "--launcher-option", "mem_gb=much")
    assert said.code == 2
    assert "the launcher slurm: " in said.err


def test_a_job_that_printed_something_else_fails_alone(
    run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its method's own processes print comes before what the run says."""
    outputs = {"0": "epoch 1\n{not JSON", "1": 'epoch 1\n{\n  "run_id": "a"\n}\n', "2": ""}

    def poll(self: Local) -> list[Ended]:
        jobs, self.waiting = self.waiting, deque()
        return [Ended(job, 0, outputs[job.name[-1]], self.folder / "0.log") for job in jobs]

    monkeypatch.setattr(Local, "poll", poll)
    said = run("grid", "--seed", "0-2", "--launcher", "local", "--json")
    assert said.code == 1
    first, second, third = said.json
    assert first["error"] == third["error"] == "it ended well and printed no JSON"
    assert second["run_id"] == "a"


def test_a_seed_named_twice_is_one_run(run: Call) -> None:
    said = run("grid", "--seed", "3,0-1,3", "--launcher", "local", "--plan", "--json")
    assert [job["job"][-1] for job in said.json] == ["3", "0", "1"]


def test_where_there_is_no_slurm_it_says_so(harness: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/none")
    with pytest.raises(BenchError, match="there is no Slurm on this machine") as caught:
        make_launcher("slurm", {})
    assert "--launcher local" in caught.value.cure


LAUNCHER = """
from benchmark.contracts.launch import Ended, Launcher

class Twice(Launcher):
    options = {"word": "what it says"}

    def submit(self, jobs):
        self.jobs = list(jobs)

    def poll(self):
        jobs, self.jobs = self.jobs, []
        for job in jobs:
            yield Ended(job, None, self.given["word"] + " " + str(len(job.words)), self.folder / "x.log")

    def cancel(self, job):
        pass
"""


def test_a_plugin_brings_a_launcher(
    run: Call, harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (harness / "bench_twice.py").write_text(
        "from benchmark.contracts import LauncherSpec, hookimpl\n"
        "@hookimpl\ndef bench_launchers(register):\n"
        "    register(LauncherSpec('twice', 'bench_twice_launcher:Twice', 'nowhere'))\n"
    )
    (harness / "bench_twice_launcher.py").write_text(LAUNCHER)
    install_fake(harness, "twice", "bench_twice")
    monkeypatch.setenv("BENCH_PLUGINS", "fakes,twice")
    plugins.cache_clear()
    words = ("--launcher", "twice", "--launcher-option", "word=queued")
    assert "queued" in run("grid", *words).out
