"""Launchers: each run elsewhere is what it would be here, and one that fails is named with its error."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests_fixtures import RUN, Call
from tests_support import install_fake

from benchmark.contracts.errors import BenchError
from benchmark.contracts.launch import Ended, Job
from benchmark.home import home, leaderboards
from benchmark.launch import make_launcher
from benchmark.launch.pool import Pool
from benchmark.registry.plugins import plugins


@pytest.mark.long
def test_the_pool_runs_seeds_at_once_and_finds_them_again(run: Call) -> None:
    words = ("--seed", "0,1", "--launcher", "pool", "--launcher-option", "processes=2")
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
    words = ("--launcher", "pool", "--launcher-option", "processes=1", "--json")
    said = run("slow", "--seed", "4", *words)
    assert said.code == 10
    (about,) = json.loads(said.out)
    assert about["error"].startswith("error: a loss that is not finite")
    assert "a lower learning rate" in Path(about["log"]).read_text()


def test_a_plan_says_which_commands_it_would_launch(run: Call) -> None:
    said = run("grid", "--seed", "0,7", "--set", "points=9", "--launcher", "pool", "--plan")
    assert [line.split(",")[0] for line in said.out.splitlines()[::2]] == 2 * [
        "grid on small_faces@1"
    ]
    assert "--set points=9" in said.out
    said = run(
        "grid", "--seed", "0,7", "--set", "points=9", "--launcher", "pool", "--plan", "--json"
    )
    commands = [job["command"] for job in json.loads(said.out)]
    assert [c[c.index("--seed") + 1] for c in commands] == ["0", "7"]
    assert all(c[c.index("--set") + 1] == "points=9" for c in commands)
    assert not (home() / "launches").exists()


@pytest.mark.parametrize(
    "words, code, said",
    [
        (["--launcher", "pol"], 2, "did you mean 'pool'"),
        (["--launcher", "pool", "--launcher-option", "process=2"], 2, "did you mean 'processes'"),
        (["--launcher", "pool", "--launcher-option", "processes=0"], 2, "not a number of processes"),
        (["--launcher", "pool", "--launcher-option", "processes"], 2, "not key=value"),
        (["--launcher-option", "processes=2"], 2, "local takes none"),
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
    monkeypatch.setattr("benchmark.launch.pool._gpus", lambda: ["3", "5"])
    pool = Pool({"processes": "3"}, tmp_path)
    assert Pool({}, tmp_path).processes == 2
    given = [pool._place(n)["CUDA_VISIBLE_DEVICES"] for n in range(3)]
    assert given == ["3", "5", "3"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "number, code",
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
)
def test_the_runs_of_the_pool_end_with_it(harness: Path, number: int, code: int) -> None:
    words = [*RUN, "slow", "--seed", "0,1", "--launcher", "pool"]
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
def test_the_pool_says_how_many_run_at_once_and_when_each_begins_and_ends(run: Call) -> None:
    words = ("--launcher", "pool", "--launcher-option", "processes=1")
    said = run("grid", "--seed", "0,1", *words)
    first, *lines = said.err.splitlines()
    assert first.startswith("2 runs, 1 at once (--launcher-option processes=1); logs in ")
    seeds = ["grid on small_faces@1, seed 0", "grid on small_faces@1, seed 1"]
    assert sorted(line for line in lines if line.startswith("begun")) == [
        f"begun: {seed}" for seed in seeds
    ]
    assert f"done: {seeds[0]} (1 of 2)" in lines
    assert f"done: {seeds[1]} (2 of 2)" in lines
    assert run("grid", "--seed", "0", *words, "--json").err == ""


def test_the_pool_does_not_wait_for_what_a_run_left_running(
    harness: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that a method started and forgot holds the run's standard output open."""
    left = "import subprocess; print(7, flush=True); subprocess.Popen(['sleep', '60'])"
    monkeypatch.setattr(Job, "command", lambda self: [sys.executable, "-c", left])
    began = time.monotonic()
    (ended,) = Pool({"processes": "1"}, tmp_path).launch([Job("one", ())])
    assert (ended.code, ended.output.strip()) == (0, "7")
    assert time.monotonic() - began < 30


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

    def launch(self: Pool, jobs: list[Job]) -> Iterator[Ended]:
        for job in jobs:
            yield Ended(job, 0, outputs[job.name[-1]], self.folder / "0.log")

    monkeypatch.setattr(Pool, "launch", launch)
    said = run("grid", "--seed", "0-2", "--launcher", "pool", "--json")
    assert said.code == 1
    first, second, third = said.json
    assert first["error"] == third["error"] == "it ended well and printed no JSON"
    assert second["run_id"] == "a"


def test_a_seed_named_twice_is_one_run(run: Call) -> None:
    said = run("grid", "--seed", "3,0-1,3", "--launcher", "pool", "--plan", "--json")
    assert [job["job"][-1] for job in said.json] == ["3", "0", "1"]


def test_where_there_is_no_slurm_it_says_so(harness: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/none")
    with pytest.raises(BenchError, match="there is no Slurm on this machine") as caught:
        make_launcher("slurm", {})
    assert "--launcher pool" in caught.value.cure


LAUNCHER = """
from benchmark.contracts.launch import Ended, Launcher

class Twice(Launcher):
    options = {"word": "what it says"}

    def launch(self, jobs):
        for job in jobs:
            yield Ended(job, None, self.given["word"] + " " + str(len(job.words)), self.folder / "x.log")
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
