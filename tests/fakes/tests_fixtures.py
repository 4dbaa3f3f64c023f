"""Fixtures: a home of one's own, a harness with fake plugins and a small protocol, a command line."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests_support import SMALL_PROTOCOL, install_fake

from benchmark.cli import main
from benchmark.home import home, leaderboards
from benchmark.protocols.files import _read_cached
from benchmark.registry import protocols
from benchmark.registry.plugins import plugins

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bench_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty `$BENCH_HOME` with a leaderboards folder of its own; no data sets."""
    home = tmp_path / "home"
    monkeypatch.setenv("BENCH_HOME", str(home))
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(tmp_path / "leaderboards"))
    monkeypatch.delenv("BENCH_DATA", raising=False)
    return home


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The twin of the small protocol, rendered once for all tests."""
    return tmp_path_factory.mktemp("rendered")


@pytest.fixture
def harness(
    bench_home: Path, rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """bench with only the fake methods and the protocol `small_faces`, whose twin is rendered once.

    Gives the folder of its own site-packages. Subprocesses see the same through PYTHONPATH.
    """
    site = tmp_path / "site"
    install_fake(site, "fakes", "tests_fakes")
    folder = tmp_path / "protocols" / "small_faces"
    folder.mkdir(parents=True)
    (folder / "1.toml").write_text(SMALL_PROTOCOL)
    fakes, root = str(Path(__file__).parent), str(ROOT)
    for path in (fakes, str(site)):
        monkeypatch.syspath_prepend(path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), fakes, root]))
    monkeypatch.setenv("FAKE_PROTOCOLS", str(folder.parent))
    monkeypatch.setenv("BENCH_PLUGINS", "fakes")
    bench_home.mkdir()
    (bench_home / "prepared").symlink_to(rendered)
    plugins.cache_clear()
    _read_cached.cache_clear()
    yield site
    plugins.cache_clear()
    _read_cached.cache_clear()
    protocols._drafts.clear()


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first `record` is kept for the tests that follow."""
    return tmp_path_factory.mktemp("recorded")


@pytest.fixture
def record(run: Call, recorded: Path) -> Path:
    """The record of a run of "grid", with all that the run left beside it; run once, then copied."""
    places, named = {"home": home(), "boards": leaderboards()}, recorded / "record"
    if not named.exists():
        path = Path(run("grid", "--json").json["record"])
        for name, place in places.items():
            shutil.copytree(place, recorded / name, ignore=shutil.ignore_patterns("prepared"))
        named.write_text(str(path.relative_to(leaderboards())))
    else:
        for name, place in places.items():
            shutil.copytree(recorded / name, place, dirs_exist_ok=True)
    return leaderboards() / named.read_text()


@pytest.fixture
def floors(harness: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The harness with the real floors and ceilings beside the fake methods."""
    source = ROOT / "plugins" / "floors" / "src"
    monkeypatch.syspath_prepend(str(source))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(source), os.environ["PYTHONPATH"]]))
    # the name that the distribution would have where it is installed, so that this one stands for it
    install_fake(harness, "bench_floors", "bench_floors")
    monkeypatch.setenv("BENCH_PLUGINS", "fakes,bench_floors")
    plugins.cache_clear()
    return harness


@dataclass(frozen=True)
class Said:
    """What a command left: exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which is to be JSON and nothing else."""
        return json.loads(self.out)


Call = Callable[..., Said]


@pytest.fixture
def bench(harness: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """`bench` with these words, in this process."""

    def call(*words: str) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(list(words))
        assert isinstance(stop.value.code, int)
        return Said(stop.value.code, *capsys.readouterr())

    return call


RUN = ("run", "--protocol", "small_faces", "--twin", "--device", "cpu", "--method")


@pytest.fixture
def run(bench: Call) -> Call:
    """`bench run` of a method on the small twin."""
    return lambda method, *words: bench(*RUN, method, *words)
