"""The launcher for Ray, with a stand-in for Ray that executes tasks in the process that asks for them.

A real cluster, whose nodes and head are killed, is in tests/studies/test_chaos.py.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from tests_fixtures import Call

from benchmark.contracts.errors import BenchError
from benchmark.contracts.launch import Begun, Ended, Job
from benchmark.files import listed
from benchmark.home import home, leaderboards
from benchmark.launch import execute
from benchmark.launch.on_node import TOKEN, Order
from benchmark.launch.on_node import execute as on_node
from benchmark.launch.ray import Ray
from benchmark.settings import SettingsInvalid

FAKE = '''
"""Tasks are generators; FAKE_RAY names a folder where it says how often it was asked to connect."""
import os, pathlib

class exceptions:
    class RayError(Exception): pass
    class RayTaskError(RayError): pass
    class WorkerCrashedError(RayError): pass

place = pathlib.Path(os.environ["FAKE_RAY"])

def init(**options):
    (place / f"connected-{len(list(place.iterdir()))}").write_text(str(options))
    if os.environ.get("FAKE_RAY_ABSENT"):
        raise SystemExit("nobody is there")

def remote(function):
    return Task(function)

class Task:
    def __init__(self, function):
        self.function = function
    def options(self, **given):
        assert given["num_returns"] == "streaming"
        return self
    def remote(self, order):
        if os.environ.get("FAKE_RAY_DIES") and len(list(place.iterdir())) < 2:
            os._exit(1)
        if order["words"] == ["crash"]:
            return crash()
        return self.function(order)

def crash():
    raise exceptions.WorkerCrashedError("the worker died")
    yield

def wait(streams, num_returns, timeout, fetch_local):
    return streams, []

def get(told):
    return told

def cancel(stream, force):
    stream.close()
'''


@pytest.fixture
def ray(harness: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in; gives the folder in which it keeps how often it was connected to."""
    (harness / "ray").mkdir()
    (harness / "ray" / "__init__.py").write_text(FAKE)
    place = tmp_path / "fake_ray"
    place.mkdir()
    monkeypatch.setenv("FAKE_RAY", str(place))
    return place


def launched(tmp_path: Path, *jobs: Job, **options: str) -> list[Begun | Ended]:
    folder = tmp_path / "launch"
    folder.mkdir(exist_ok=True)
    return list(execute(Ray(options, folder), jobs))


VERSION = Job("version", ("--version",))


def test_a_job_begins_and_ends_with_what_it_printed(ray: Path, tmp_path: Path) -> None:
    begun, ended = launched(tmp_path, VERSION)
    assert isinstance(begun, Begun)
    assert isinstance(ended, Ended)
    assert ended.code == 0
    assert ended.output.startswith("bench, version")
    assert len(list(ray.iterdir())) == 1


def test_a_worker_that_died_is_a_job_that_was_lost(ray: Path, tmp_path: Path) -> None:
    (ended,) = launched(tmp_path, Job("crash", ("crash",)))
    assert isinstance(ended, Ended)
    assert ended.lost
    assert "the worker died" in ended.log.read_text()


def test_a_cluster_that_comes_back_is_given_its_jobs_again(
    ray: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_RAY_DIES", "1")
    events = launched(tmp_path, VERSION)
    assert [e.code for e in events if isinstance(e, Ended)] == [0]
    assert len(list(ray.iterdir())) == 2


def test_one_that_does_not_come_back_is_an_error(
    ray: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "launch"
    folder.mkdir()
    launcher = Ray({"patience": "0"}, folder)
    launcher.submit([VERSION])
    monkeypatch.setenv("FAKE_RAY_ABSENT", "1")
    launcher.bridge.process.kill()
    launcher.bridge.process.wait()
    with pytest.raises(BenchError, match="has been gone for 0 seconds"):
        poll_for(launcher, seconds=120)
    launcher.close()


def poll_for(launcher: Ray, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        launcher.poll()
        time.sleep(0.05)


def test_no_cluster_is_one_error(
    ray: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_RAY_ABSENT", "1")
    with pytest.raises(BenchError, match="no Ray cluster at auto: nobody is there") as caught:
        launched(tmp_path, VERSION)
    assert "ray start --head" in caught.value.cure


@pytest.mark.parametrize("option", ["cpus=many", "gpus=-1", "home=mine"])
def test_wrong_options_are_refused(ray: Path, tmp_path: Path, option: str) -> None:
    name, _, value = option.partition("=")
    with pytest.raises(SettingsInvalid, match=f"{name}='{value}'"):
        Ray({name: value}, tmp_path)
    assert not list(ray.iterdir())


def test_a_node_that_sees_the_launch_shares_its_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any other has a home of its own, and the record is told home."""
    (tmp_path / "benchmark.py").write_text(
        "import os, sys, pathlib\n"
        "board = pathlib.Path(os.environ['BENCH_LEADERBOARDS']) / 'p' / '1' / 'm'\n"
        "board.mkdir(parents=True)\n"
        "for name in ('a.json', 'a.errors.npz', 'README.md'): (board / name).write_text(name)\n"
        "print(os.environ.get('BENCH_HOME'))\n"
        "print('fit: 1/2', file=sys.stderr)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCH_HOME", "/node")
    launch = tmp_path / "launch"
    launch.mkdir()
    (launch / TOKEN).write_text("secret")
    variables = {"BENCH_HOME": "/launched", "BENCH_LEADERBOARDS": str(tmp_path / "boards")}
    seen = Order(("run",), str(launch), "secret", variables, "auto")
    begun, *_, ended = on_node(seen)
    assert begun["kind"] == "begun"
    assert (ended["code"], ended["output"].strip(), ended["files"]) == (0, "/launched", {})
    assert (tmp_path / "boards" / "p" / "1" / "m" / "a.json").is_file()
    for home_of, token in (("auto", "another"), ("own", "secret")):
        unseen = Order(("run",), str(launch), token, variables, home_of)  # type: ignore[arg-type]
        events = list(on_node(unseen))
        assert b"".join(e["text"] for e in events if e["kind"] == "said") == b"fit: 1/2\n"
        assert events[-1]["output"].strip() == "/node"
        assert set(events[-1]["files"]) == {"a.json", "a.errors.npz"}


@pytest.mark.long
def test_records_of_a_node_with_a_home_of_its_own_lie_on_the_boards(
    ray: Path, bench: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node is what the bridge's process finds in its environment; it is told apart by `home=own`."""
    words = ("-m", "grid", "-p", "small_faces", "--twin", "--device", "cpu", "--json")
    options = ("--launcher", "ray", "--launcher-option", "home=own")
    said = bench("sweep", *words, *options)
    assert said.code == 0, said.err
    (run,) = said.json["runs"]
    (record,) = listed(leaderboards(), "**/*.json")
    assert Path(run["record"]) == record
    assert run["value"] > 0
    assert listed(leaderboards(), "**/README.md")
    assert [path.name for path in (home() / "sweeps").glob("grid-small-faces-*")]
    assert os.environ["BENCH_LEADERBOARDS"] == str(leaderboards())
