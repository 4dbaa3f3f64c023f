"""What the machine refuses is one sentence with the path and a cure, wherever it comes up."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from tests_fixtures import Call

from benchmark.contracts.errors import DiskFull
from benchmark.contracts.machine_errors import FULL, REFUSED, MachineError, machine_error
from benchmark.files import naming_a_full_disk, require_place


@pytest.mark.parametrize("number", [*REFUSED, *FULL, errno.ENOMEM])
def test_each_says_the_path_and_a_cure(number: int) -> None:
    found = machine_error(OSError(number, os.strerror(number), "/disk/file"))
    assert found is not None
    assert found.cure
    assert "{}" not in found.cure
    assert number == errno.ENOMEM or "/disk/file" in found.message
    assert found.exit_code == (9 if number in FULL else 1)


def test_a_fault_is_none_of_the_machine() -> None:
    for error in (ValueError("a fault"), FileNotFoundError(errno.ENOENT, "no", "x"), OSError("x")):
        assert machine_error(error) is None
    assert isinstance(machine_error(MemoryError()), MachineError)


def test_what_numpy_says_of_a_full_disk_is_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match=r"points\.npy"), naming_a_full_disk(tmp_path / "points.npy"):
        raise OSError("12000 requested and 3040 written")


def test_the_cure_of_a_full_disk_names_no_other_folder(tmp_path: Path) -> None:
    """Boards may lie on another disk than `$BENCH_HOME`."""
    with pytest.raises(DiskFull) as caught, naming_a_full_disk(tmp_path / "board.csv"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "BENCH_LEADERBOARDS" in caught.value.cure
    assert caught.value.message == f"no room left to write {tmp_path / 'board.csv'}"


@pytest.mark.parametrize("variable", ["BENCH_HOME", "BENCH_LEADERBOARDS"])
def test_a_file_in_the_place_of_a_folder(
    bench: Call, run: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(variable, str(tmp_path / "file"))
    said = run("grid")
    assert said.code == 1
    assert said.err.startswith(f"error: {tmp_path / 'file'}")
    assert "leads through a file where a folder should be" in said.err
    assert variable in said.err
    doctor = bench("doctor", "--json")
    states = {check["what"]: check["state"] for check in doctor.json}
    assert states[variable if variable == "BENCH_HOME" else "leaderboards"] == "problem"


def test_boards_are_asked_before_anything_is_fitted(
    run: Call, tmp_path: Path, bench_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(tmp_path / "file"))
    assert run("grid").code == 1
    assert not (bench_home / "fits").exists()
    assert not (bench_home / "runs").exists()


def test_a_folder_without_the_right_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # to root everything is allowed
    with pytest.raises(MachineError, match="may not be used by you"):
        require_place(tmp_path / "boards" / "twins")
    assert not list(tmp_path.iterdir())


def test_memory_that_runs_out_is_not_called_a_fault(
    bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("benchmark.cli.running.run_command", fails)
    said = bench("run", "-m", "grid", "-p", "small_faces")
    assert said.code == 1
    assert "no memory left" in said.err
