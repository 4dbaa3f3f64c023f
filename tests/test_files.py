"""Files and folders appear whole, with the rights that the umask and their folder give."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests_adversity import forked

from benchmark.contracts.machine_errors import MachineError
from benchmark.files import held, one_writer, save_array, whole_file, whole_folder, write_json


def test_a_disk_without_locks_is_named_instead_of_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(descriptor: int, what: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    lock = tmp_path / "run.lock"
    lock.touch()  # an earlier process left it
    monkeypatch.setattr("fcntl.flock", lacking)
    for wait in (True, False):
        with pytest.raises(MachineError, match=r"run\.lock lies on a disk that lacks .*locks"):
            held(lock, wait=wait)
    with pytest.raises(MachineError), one_writer(tmp_path / "record.json"):
        pass


@pytest.fixture(params=[0o002, 0o022, 0o077])
def mask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_rights_are_those_of_the_umask(tmp_path: Path, mask: int) -> None:
    write_json(tmp_path / "record.json", {})
    with whole_folder(tmp_path / "model") as folder:
        (folder / "weights").touch()
    assert rights(tmp_path / "record.json") == 0o666 & ~mask
    assert rights(tmp_path / "model") == 0o777 & ~mask
    assert rights(tmp_path / "model" / "weights") == 0o666 & ~mask


def test_the_group_of_a_shared_folder_is_handed_on(tmp_path: Path) -> None:
    tmp_path.chmod(0o2775)
    with whole_folder(tmp_path / "prepared"):
        pass
    assert rights(tmp_path / "prepared") & stat.S_ISGID


def test_all_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        waited.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        fsync(descriptor)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("only Linux says which file a descriptor is of")
    monkeypatch.setattr(os, "fsync", noted)
    with whole_file(tmp_path / "a.json") as temporary:
        temporary.write_text("1")
    written, folder = waited
    assert written.startswith(".a.json.")
    assert folder == tmp_path.name
    waited.clear()
    with whole_folder(tmp_path / "model") as into:
        (into / "inner").mkdir()
        (into / "inner" / "weights").write_text("1")
    assert waited[-1] == tmp_path.name
    assert {"weights", "inner"} <= set(waited[:-1])


def test_what_goes_wrong_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("before")
    for whole in (whole_file(tmp_path / "a.json"), whole_folder(tmp_path / "model")):
        with pytest.raises(ZeroDivisionError), whole:
            raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "before"


@pytest.mark.parametrize(
    "array", [np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3).T, np.zeros((0, 2)), 3]
)
def test_arrays_are_written_as_numpy_writes_them(tmp_path: Path, array: np.ndarray) -> None:
    save_array(tmp_path / "a.npy", array)
    np.save(tmp_path / "b.npy", array)
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


def test_a_small_array_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    """NumPy's own way leaves what fits, and says nothing."""

    def short() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
        with whole_folder(tmp_path / "predictions") as folder:
            save_array(folder / "points.npy", np.zeros(100))

    assert forked(short) == 9
    assert not list(tmp_path.iterdir())
