"""Data sets in object stores: fetched once, whole, again where changed; then files like any others."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import fsspec
import pytest

from benchmark.contracts.errors import DataAltered, DataMissing
from benchmark.datasets import remote
from benchmark.datasets.places import locate, require, require_in_reach
from benchmark.datasets.preparing import open_split
from benchmark.home import data_places, data_roots, kept, settle
from benchmark.protocols import Geometry

ADDRESS = "memory://bucket/sets"
GEOMETRY = Geometry(crop="points_square", scale=1.5, resize=40, cut=4)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, bench_home: Path) -> Any:
    """An empty store in memory, the one root of data."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    monkeypatch.setenv("BENCH_DATA", ADDRESS)
    yield system
    system.store.clear()


@pytest.fixture
def tiny_in_store(tiny_ytf68: Path, store: Any) -> Path:
    """The tiny data set in the store alone; gives the folder in which it is kept once fetched."""
    for path in tiny_ytf68.rglob("*"):
        if path.is_file():
            store.pipe(
                f"/bucket/sets/ytf68/{path.relative_to(tiny_ytf68).as_posix()}", path.read_bytes()
            )
    tiny_ytf68.rename(tiny_ytf68.with_name("elsewhere"))
    return kept(ADDRESS) / "ytf68"


def prepared() -> str:
    split = open_split("ytf68", "all", GEOMETRY, protocol_folder=Path("."))
    return split.pixels_digest + split.labels_digest


def times(folder: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def test_what_is_prepared_from_a_store_is_what_is_prepared_from_a_disk(
    tiny_in_store: Path, monkeypatch: pytest.MonkeyPatch, bench_home: Path
) -> None:
    assert locate("ytf68") is None, "nothing is fetched where nobody reads"
    found = prepared()
    assert locate("ytf68") == tiny_in_store
    monkeypatch.setenv("BENCH_DATA", "")
    monkeypatch.setenv("BENCH_HOME", str(bench_home / "other"))
    (bench_home / "other" / "data").mkdir(parents=True)
    (bench_home / "other" / "data" / "ytf68").symlink_to(bench_home / "data" / "elsewhere")
    assert prepared() == found


def test_what_is_prepared_needs_the_store_no_more(tiny_in_store: Path, store: Any) -> None:
    found = prepared()
    store.store.clear()
    assert prepared() == found


def test_what_is_kept_is_not_fetched_again_and_what_changed_alone_is(
    tiny_in_store: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []
    require("ytf68", lambda done, total: told.append((done, total)))
    assert told == [(23, 23)]
    before = times(tiny_in_store)
    require("ytf68", lambda done, total: told.append((done, total)))
    assert told == [(23, 23)]
    assert times(tiny_in_store) == before
    name = "/bucket/sets/ytf68/data/test/P_A_99.jpg"
    store.pipe(name, b"shipped without annotationX")
    store.rm("/bucket/sets/ytf68/data/test/P_A_00.jpg")
    require("ytf68", lambda done, total: told.append((done, total)))
    assert told[1:] == [(1, 1)]
    after = times(tiny_in_store)
    assert (tiny_in_store / "data/test/P_A_99.jpg").read_bytes().endswith(b"X")
    assert not (tiny_in_store / "data/test/P_A_00.jpg").exists()
    assert sum(before.get(path) == time for path, time in after.items()) == 21
    assert len(list((kept(ADDRESS) / ".objects" / "ytf68").iterdir())) == 22


def test_a_fetch_that_broke_off_leaves_no_folder_and_goes_on(
    tiny_in_store: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "AT_ONCE", 5)
    real, asked = type(store).get, []

    def breaks(self: Any, names: list[str], *given: Any, **more: Any) -> Any:
        asked.append(len(names))
        if len(asked) == 3:
            raise ConnectionError("the line is dead")
        return real(self, names, *given, **more)

    monkeypatch.setattr(type(store), "get", breaks)
    with pytest.raises(DataMissing, match=r"memory://bucket/sets/ytf68 can't be read: the line is"):
        require("ytf68")
    assert not tiny_in_store.exists()
    require("ytf68")
    assert asked == [5, 5, 5, 5, 5, 3]


def test_an_object_that_went_away_is_one_clear_error(
    tiny_in_store: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = remote._listed

    def then_removed(*given: Any) -> Any:
        found = listed(*given)
        store.rm("/bucket/sets/ytf68/data/test/P_A_00.jpg")
        return found

    monkeypatch.setattr(remote, "_listed", then_removed)
    with pytest.raises(
        DataMissing, match=r"sets/ytf68 can't be read: this object is not there: .*P_A_00"
    ):
        require("ytf68")
    assert not tiny_in_store.exists()


def test_an_object_cut_short_on_its_way_is_refused(
    tiny_in_store: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = type(store).get

    def cut(self: Any, names: list[str], files: list[str]) -> None:
        real(self, names, files)
        Path(files[0]).write_bytes(b"")

    monkeypatch.setattr(type(store), "get", cut)
    with pytest.raises(DataAltered, match="bytes that the store says it has"):
        require("ytf68")


def test_a_set_that_is_not_in_the_store_is_missing_with_the_address(store: Any) -> None:
    with pytest.raises(DataMissing, match="memory://bucket/sets/ytf68\n"):
        require("ytf68")


def test_names_that_lead_out_of_the_folder_are_refused(store: Any) -> None:
    store.store["/bucket/sets/ytf68/../../escaped"] = store.open("/x", "wb")
    with pytest.raises(DataAltered, match="leads out of it"):
        require("ytf68")


def test_without_fsspec_or_its_part_the_error_says_what_to_install(
    bench_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_DATA", "nothing://bucket")
    with pytest.raises(DataMissing, match="fsspec can't open: Protocol not known: nothing"):
        require("ytf68")
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(DataMissing, match="fsspec, and that is not installed") as refused:
        require("ytf68")
    assert refused.value.cure == 'pip install "structbench[remote]"'


def test_addresses_and_folders_stand_side_by_side(
    tmp_path: Path, bench_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCH_DATA", os.pathsep.join(["own", "s3://bucket/sets", "", "/more"]))
    settle()
    assert data_roots() == [
        tmp_path / "own", "s3://bucket/sets", Path("/more"), bench_home / "data"
    ]  # fmt: skip
    places = data_places("faces")
    assert places[0] == tmp_path / "own" / "faces"
    assert places[1] == kept("s3://bucket/sets/") / "faces"
    assert places[1].parent.name.startswith("s3-bucket-sets-")
    assert places[1].parent.parent == bench_home / "cache"


def test_a_kept_file_that_was_damaged_is_fetched_again(tiny_in_store: Path) -> None:
    require("ytf68")
    (victim, *_) = sorted(tiny_in_store.rglob("*.csv"))
    whole = victim.read_bytes()
    assert not victim.stat().st_mode & 0o222, "nobody writes into it by mistake"
    victim.chmod(0o644)
    victim.write_bytes(b"A")
    assert require("ytf68") == tiny_in_store
    assert victim.read_bytes() == whole


def test_what_another_set_is_being_put_together_in_is_left_alone(tiny_in_store: Path) -> None:
    other = tiny_in_store.parent / ".ytf68.v2.deadbeef"
    mine = tiny_in_store.parent / ".ytf68.deadbeef"
    for folder in (other, mine):
        folder.mkdir(parents=True)
    require("ytf68")
    assert other.is_dir()
    assert not mine.exists()


def test_a_store_that_cannot_be_reached_is_no_fault_of_bench_and_keeps_its_password(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "ftp://user:secret@localhost:1/sets"

    def unreachable(asked: str) -> Any:
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr("fsspec.core.url_to_fs", unreachable)
    with pytest.raises(
        DataMissing, match=r"ftp://localhost:1/sets, which can't be reached"
    ) as said:
        remote.fetch_tree(address, kept(address) / "ytf68")
    assert "secret" not in f"{said.value} {kept(address)}"


def test_what_is_only_planned_is_not_fetched(
    tiny_in_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_in_reach("ytf68")  # a store is named, which may hold it
    assert not tiny_in_store.exists()
    monkeypatch.delenv("BENCH_DATA")
    with pytest.raises(DataMissing):
        require_in_reach("ytf68")
