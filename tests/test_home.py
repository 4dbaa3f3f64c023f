"""Where things lie: relative roots lead to one place, whatever becomes of the working directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests_fake_methods import Grid
from tests_fixtures import Call

from benchmark.contracts.errors import BenchError
from benchmark.home import data_places, home, leaderboards, settle, use_data_root


def test_relative_roots_are_made_absolute_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCH_HOME", "own")
    monkeypatch.setenv("BENCH_LEADERBOARDS", "boards")
    monkeypatch.setenv("BENCH_DATA", os.pathsep.join(["a", "", "~"]))
    settle()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert (home(), leaderboards()) == (tmp_path / "own", tmp_path / "boards")
    first, second, last = data_places("faces")
    assert (first, second) == (tmp_path / "a" / "faces", Path.home().resolve() / "faces")
    assert last == tmp_path / "own" / "data" / "faces"


def test_the_home_of_nobody_is_refused_in_words(
    bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_HOME", "~nosuchuser/bench")
    said = bench("ls", "methods")
    assert said.code == 1
    assert "BENCH_HOME=~nosuchuser/bench: there is no such user's home" in said.err


def test_a_data_root_is_one_folder(
    bench: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk:1").mkdir()
    monkeypatch.setenv("BENCH_DATA", "")
    with pytest.raises(BenchError, match="has a ':' in its name"):
        use_data_root(str(tmp_path / "disk:1"))
    for words in (("data", "verify", "ytf68"), ("run", "-m", "grid", "-p", "small_faces")):
        said = bench(*words, "--data-root", str(tmp_path / "disk:1"))
        assert said.code == 1
        assert "rename the folder" in said.err
    (tmp_path / "disk").mkdir()
    monkeypatch.chdir(tmp_path)
    use_data_root("disk")
    assert data_places("faces")[0] == tmp_path / "disk" / "faces"


def test_a_method_that_wanders_off_leaves_its_run_where_it_belongs(
    run: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()

    def fit(*_: object) -> None:
        os.chdir(tmp_path / "elsewhere")
        os.environ["BENCH_HOME"] = os.environ["BENCH_NEW"] = "/nowhere"
        os.environ.pop("BENCH_LEADERBOARDS")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCH_LEADERBOARDS", "boards")
    monkeypatch.setattr(Grid, "fit", fit)
    said = run("grid", "--json", "--quiet")
    assert said.code == 0, said.err
    assert Path(said.json["record"]).is_relative_to(tmp_path / "boards")
    assert not list((tmp_path / "elsewhere").iterdir())
    assert Path.cwd() == tmp_path
    assert "BENCH_NEW" not in os.environ
