"""Plugins of others: built, installed beside bench's own wheel into a fresh environment, and used there.

Needs uv, and a package index or a filled cache of uv's. Packages are those of this environment, in
their versions; what bench and the plugins need beyond that fails the installation.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests_fixtures import ROOT

pytestmark = pytest.mark.slow

OURS = {"structbench", "structbench-lead", "bench-floors", "bench-clash", "bench-rings"}
UNREACHABLE = ("error sending request", "dns error", "network", "failed to fetch", "connect")


def uv(*words: str) -> str:
    """uv's standard output; a network that is not there skips the tests."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        pytest.skip("uv is not installed")
    done = subprocess.run([found, *words], capture_output=True, text=True)
    if done.returncode:
        if any(word in done.stderr.lower() for word in UNREACHABLE):
            pytest.skip(f"no package index can be reached: {done.stderr.strip()[-300:]}")
        pytest.fail(f"uv {' '.join(words)}: {done.stderr}")
    return done.stdout


Bench = Callable[..., Any]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The command `bench` of a fresh environment; gives what it prints, JSON read."""
    place = tmp_path_factory.mktemp("fresh")
    wheels = place / "wheels"
    for source in (ROOT, ROOT / "plugins" / "floors", *sorted(Path(__file__).parent.glob("*/"))):
        if (source / "pyproject.toml").exists():
            uv("build", "--quiet", "--wheel", "--out-dir", str(wheels), str(source))
    listed = json.loads(uv("pip", "list", "--format", "json", "--python", sys.executable))
    pins = [f"{p['name']}=={p['version']}" for p in listed if p["name"] not in OURS]
    (place / "pins.txt").write_text("\n".join(pins))
    python = place / "env" / "bin" / "python"
    uv("venv", "--quiet", "--python", sys.executable, str(place / "env"))
    uv("pip", "install", "--quiet", "--python", str(python), "--constraints", str(place / "pins.txt"),
       "uv", *map(str, sorted(wheels.glob("*.whl"))))  # fmt: skip
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    kept = {k: v for k, v in kept.items() if not k.startswith("BENCH_")}
    kept |= {"BENCH_HOME": str(place / "home"), "OMP_NUM_THREADS": "1"}

    def call(*words: str) -> Any:
        command = [str(python.parent / "bench"), *words]
        done = subprocess.run(command, env=kept, cwd=place, capture_output=True, text=True)
        assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
        return json.loads(done.stdout) if "--json" in words else done.stdout

    return call


def test_all_that_plugins_bring_is_listed_and_in_order(bench: Bench) -> None:
    rows = {row["plugin"]: row for row in bench("plugins", "--json")}
    assert {row["status"] for row in rows.values()} == {"ok"}
    rings = rows["rings"]
    assert (rings["distribution"], rings["version"]) == ("bench-rings", "1.2.0")
    brought = {k: v for k, v in rings.items() if isinstance(v, list)}
    assert brought == {
        "methods": ["colours"],
        "datasets": ["rings"],
        "protocols": ["rings"],
        "twins": [],
        "launchers": ["in-turn"],
        "commands": ["rings"],
    }
    assert rows["clash"]["methods"] == ["clash"]
    names = {p["protocol"] for p in bench("ls", "protocols", "--json")}
    assert {"ytf5@1", "rings@1"} <= names


def test_a_method_keeps_the_contract(bench: Bench) -> None:
    assert {o["state"] for o in bench("method", "check", "colours", "--json")} == {"passed"}


def test_methods_run_on_the_plugins_own_data_and_its_twin(bench: Bench, tmp_path: Path) -> None:
    """Both methods, one of them with packages of its own, here and through a plugin's launcher."""
    bench("rings", str(tmp_path / "rings"))
    data = ("--data-root", str(tmp_path))
    real = bench("run", "-m", "colours", "-p", "rings", *data, "--device", "cpu", "--json")
    assert 0 < real["metrics"]["nme_iod"] < 1000
    words = ("-p", "rings", "--twin", "--device", "cpu", "--json")
    twin = bench("run", "-m", "clash", *words)
    record = json.loads(Path(twin["record"]).read_text())
    assert record["fitted"]["environment"]["packages"]["tabulate"] == "0.8.10"
    assert record["method"]["plugin"] == "clash"
    (launched,) = bench("run", "-m", "colours", *words, "--launcher", "in-turn")
    assert launched["code"] == 0
    assert "colours" in bench("board", "rings")
    board = bench("board", "rings", "--twin")
    assert "colours" in board
    assert "clash" in board
    assert bench("verify", "--all", "--json")
