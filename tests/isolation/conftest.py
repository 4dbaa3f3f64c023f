"""The harness with `clash`, whose environment is made once for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests_fixtures import ROOT
from tests_support import install_fake

from benchmark.contracts.errors import BenchError
from benchmark.home import home
from benchmark.isolation.environments import environment_of
from benchmark.registry.plugins import plugins

SOURCE = ROOT / "tests" / "downstream" / "clash" / "src"


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def clash(harness: Path, environments: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """bench with the fake methods and `clash`; gives its site-packages, as `harness` does."""
    monkeypatch.syspath_prepend(str(SOURCE))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(SOURCE), os.environ["PYTHONPATH"]]))
    monkeypatch.setenv("BENCH_PLUGINS", "fakes,clash")
    monkeypatch.setenv("BENCH_CHECKPOINT_SECONDS", "0")
    install_fake(harness, "clash", "bench_clash")
    plugins.cache_clear()
    (home() / "environments").symlink_to(environments)
    try:
        environment_of(plugins().method("clash"))
    except BenchError as error:
        pytest.skip(f"no environment can be made here: {error.message}")
    return harness
