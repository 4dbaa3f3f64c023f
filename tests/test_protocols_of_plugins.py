"""Protocols of other people's plugins: frozen, described and, where one is broken, refused alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests_fixtures import Call
from tests_support import SMALL_PROTOCOL

from benchmark.contracts.errors import BenchError
from benchmark.home import builtin_folder
from benchmark.protocols import LOCK, read_lock
from benchmark.protocols.files import _read_cached
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import all_broken, all_protocols, find_protocol


@pytest.fixture
def folder(harness: Path, tmp_path: Path) -> Path:
    """The folder of protocols of the fake plugin, which holds `small_faces`."""
    return tmp_path / "protocols"


def write(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    text = SMALL_PROTOCOL.replace("small_faces", name)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / name / "1.toml"
    path.parent.mkdir()
    path.write_text(text)
    return path


def test_a_plugin_freezes_into_its_own_lock(folder: Path, bench: Call) -> None:
    own = builtin_folder() / LOCK
    before = own.read_bytes(), own.stat().st_mtime_ns
    write(folder, "other")
    said = bench("protocol", "freeze", "small_faces")
    assert said.code == 0
    assert str(folder / LOCK) in said.out
    assert read_lock(folder).keys() == {
        "small_faces@1", "probe:softargmax/dve", "probe:linear/scops",
    }  # fmt: skip
    assert read_lock(folder)["small_faces@1"] == find_protocol("small_faces").digest()
    lines = {x.split()[0]: x for x in bench("protocol", "check").out.splitlines()}
    assert lines["small_faces@1"].endswith("frozen")
    assert "draft" in lines["other@1"]
    assert "other@1" in bench("protocol", "freeze").out
    assert bench("protocol", "freeze").out == "nothing new to freeze\n"
    assert (own.read_bytes(), own.stat().st_mtime_ns) == before


def test_what_is_frozen_by_a_plugin_is_refused_once_it_is_changed(
    folder: Path, bench: Call
) -> None:
    assert bench("protocol", "freeze").code == 0
    path = folder / "small_faces" / "1.toml"
    path.write_text(path.read_text().replace("scale = 1.5", "scale = 1.6"))
    _read_cached.cache_clear()
    assert bench("protocol", "check").code == 5
    assert bench("run", "-m", "grid", "-p", "small_faces", "--twin", "--plan").code == 5


def test_a_faulty_draft_is_not_frozen_and_nothing_is_written(folder: Path, bench: Call) -> None:
    write(folder, "wrong", ('id = "nme_iod"', 'id = "nme"'))
    said = bench("protocol", "freeze")
    assert said.code == 11
    assert "wrong@1 can't be frozen" in said.err
    assert not (folder / LOCK).exists()
    assert bench("protocol", "freeze", "small_faces").code == 0


def test_a_folder_that_may_not_be_written_is_a_sentence(
    folder: Path, bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    said = bench("protocol", "freeze")
    assert said.code == 0
    assert f"left as drafts, {folder} may not be written: small_faces@1" in said.out

    def refused(path: Path, text: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("benchmark.protocols.files.write_text", refused)
    said = bench("protocol", "freeze", "small_faces")
    assert said.code == 11
    assert f"{folder / LOCK} can't be written: Permission denied" in said.err


@pytest.mark.parametrize(
    "text", ["small_faces@1\n", "small_faces@1 12ab\n", "a b c\n", f"x {'0' * 64}\nx {'0' * 64}\n"]
)
def test_a_bad_line_of_a_lock_is_named_and_stops_that_plugin_alone(
    folder: Path, bench: Call, text: str
) -> None:
    (folder / LOCK).write_text(text)
    line = text.count("\n")
    said = bench("run", "-m", "grid", "-p", "small_faces", "--twin", "--plan")
    assert said.code == 11
    assert f"{folder / LOCK}, line {line}: expected a name" in said.err.replace("\n", " ")
    assert bench("ls", "protocols").code == 0
    assert bench("show", "protocol", "ytf5").code == 0
    assert bench("protocol", "check", "ytf5").code == 0
    assert bench("protocol", "check").code == 11


def test_pages_of_a_plugin_go_where_one_says(folder: Path, bench: Call, tmp_path: Path) -> None:
    write(folder, "other")
    assert bench("protocol", "page", "--check").code == 0  # bench's own have none of them
    out = tmp_path / "docs"
    assert bench("protocol", "page", "--out", str(out)).code == 0
    assert {p.name for p in out.iterdir()} == {"README.md", "other-1.md", "small_faces-1.md"}
    assert bench("protocol", "page", "--out", str(out), "--check").code == 0
    one = tmp_path / "one"
    assert bench("protocol", "page", "other", "--out", str(one)).code == 0
    assert {p.name for p in one.iterdir()} == {"README.md", "other-1.md"}
    assert bench("protocol", "page", "other").code == 2


def test_a_page_explains_a_metric_by_what_it_measures(
    folder: Path, bench: Call, tmp_path: Path
) -> None:
    write(folder, "hips", ('id = "nme_iod"', 'id = "nme_hips"\nmeasure = "nme_iod"'))
    assert bench("protocol", "page", "hips", "--out", str(tmp_path / "d")).code == 0
    assert "`nme_hips` in %" in (tmp_path / "d" / "hips-1.md").read_text()


BROKEN = {
    "not TOML": ("task = ", "task "),
    "unknown field": ("cut = 4", "cutt = 4"),
    "reported": (
        "[twin]",
        '[[reported]]\nmethod = "x"\nmetric = "nme"\nvalue = 1\nsource = "y"\n[twin]',
    ),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_one_broken_file_is_refused_alone(
    folder: Path, bench: Call, run: Call, change: tuple[str, str], tmp_path: Path
) -> None:
    path = write(folder, "broken", change)
    (one,) = all_broken()
    assert (one.name, one.path) == ("broken@1", path)
    assert "broken" not in {p.id for p in all_protocols()}
    listed = bench("ls", "protocols")
    assert listed.code == 0
    assert "small_faces@1" in listed.out
    assert "broken@1: " in listed.out
    assert run("grid").code == 0
    assert bench("board", "build").code == 0
    assert bench("board", "site", "--out", str(tmp_path / "web")).code == 0
    for command in (
        ["show", "protocol", "broken"],
        ["run", "-m", "grid", "-p", "broken", "--twin"],
    ):
        said = bench(*command)
        assert said.code == 11
        assert str(path) in said.err
    checked = bench("protocol", "check")
    assert checked.code == 11
    assert "broken@1                 broken" in checked.out
    rows = {row["plugin"]: row for row in bench("plugins", "--json").json}
    assert rows["fakes"]["status"] == "broken in part"
    assert rows["fakes"]["broken"].keys() == {"broken@1"}
    assert bench("plugins").code == 0
    assert bench("plugins", "--check").code == 8
    doctor = bench("doctor")
    assert doctor.code == 1
    assert "✗ plugin fakes" in doctor.out
    assert "broken@1 is broken" in doctor.out


def test_what_is_no_text_or_a_version_in_other_digits_breaks_nothing(
    folder: Path, bench: Call
) -> None:
    (folder / "small_faces" / "2.toml").write_bytes(b"\xff\xfe")
    (folder / "small_faces" / "\u00b2.toml").write_text("")
    assert [one.name for one in all_broken()] == ["small_faces@2"]
    assert bench("ls", "protocols").code == 0
    assert bench("ls", "methods").code == 0
    with pytest.raises(BenchError, match="is not TOML"):
        find_protocol("small_faces")
    assert find_protocol("small_faces@1").version == 1


def test_a_broken_paper_leaves_the_others(folder: Path, bench: Call) -> None:
    (folder / "reported").mkdir()
    (folder / "reported" / "mine.toml").write_text("id = ")
    assert bench("board", "build").code == 0
    said = bench("protocol", "check")
    assert said.code == 11
    assert "reported/mine" in said.out
    assert plugins().rows[0].error == ""


def test_show_ends_with_a_command_that_can_be_typed(folder: Path, bench: Call) -> None:
    write(folder, "halved", ('needs = ["descriptors", "landmarks"]', 'needs = ["shape_and_pose"]'))
    last = bench("show", "protocol", "small_faces@1").out.splitlines()[-1]
    assert last.startswith("bench run --method ")
    assert last.endswith("--protocol small_faces@1")
    assert bench(*last.split()[1:], "--twin", "--plan").code == 0
    assert "--method cube " in bench("show", "protocol", "halved").out
    (folder / "halved" / "1.toml").write_text(
        (folder / "halved" / "1.toml").read_text().replace('["shape_and_pose"]', '["translation"]')
    )
    _read_cached.cache_clear()
    assert "--method negative " in bench("show", "protocol", "halved").out


def test_a_diff_is_silent_on_what_neither_states(folder: Path, bench: Call) -> None:
    write(folder, "longer", ('id = "nme_iod"\nunit = "%"\nbetter = "lower"', '\n'.join(
        ['id = "nme_iod"', 'unit = "%"', 'better = "lower"', "[[metrics]]",
         'id = "keypoint_l2_edge"', 'unit = "%"', 'better = "lower"', 'aggregate = "ratio_of_sums"'])
    ))  # fmt: skip
    rows = bench("protocol", "diff", "small_faces", "longer", "--json").json["changed"]
    empty = (None, "", [], {})
    assert not any(row["before"] in empty and row["after"] in empty for row in rows)
    assert any(row["field"] == "metrics.1.id" for row in rows)
