"""Fixtures: a home of one's own, and a harness with fake plugins and a small protocol."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests_support import SMALL_PROTOCOL, install_fake

from benchmark.plugins import plugins
from benchmark.protocols import _read_cached


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
    fakes = str(Path(__file__).parent / "fakes")
    root = str(Path(__file__).resolve().parent.parent)
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
