"""Fixtures: a home of one's own, and a harness with fake plugins and a small protocol."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark.plugins import plugins
from benchmark.protocols import _read_cached

SMALL_PROTOCOL = """
id = "small_faces"
version = 1
title = "5 landmarks on a few rendered faces"
task = "landmark_regression"
needs = ["descriptors", "landmarks"]

[data]
fit = "ytf68:people/train"
train = "ytf68:people/train"
test = "ytf68:people/test"
validation = "ytf68:people/validation"
development = "ytf68:people/development"

[geometry.ytf68]
crop = "points_square"
scale = 1.5
resize = 40
cut = 4

[landmarks]
rule = "mafl5_from_68"
count = 5
eyes = [0, 1]

[probes.descriptors]
name = "softargmax/dve"
settings = { epochs = 2, filters = 5 }

[probes.landmarks]
name = "linear/scops"

[[metrics]]
id = "nme_iod"
unit = "%"
better = "lower"

[twin]
recipe = "face"
fit = 64
train = 64
test = 16
people = 20
"""


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


def install_fake(site: Path, name: str, module: str) -> None:
    """Leave the metadata that an installed plugin leaves: an entry point in the group `bench`."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[bench]\n{name} = {module}\n")


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
