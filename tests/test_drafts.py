"""A protocol named by the path of its file, while somebody writes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests_fixtures import Call
from tests_support import SMALL_PROTOCOL

from benchmark.contracts.errors import DataAltered
from benchmark.home import home, leaderboards
from benchmark.protocols import ProtocolInvalid, is_frozen
from benchmark.records.model import Record
from benchmark.registry import protocols
from benchmark.registry.protocols import all_protocols, find_protocol, is_draft, protocol_path


@pytest.fixture
def draft(harness: Path, tmp_path: Path) -> Path:
    """A file of any name, in a folder of no protocols."""
    path = tmp_path / "elsewhere" / "my idea.toml"
    path.parent.mkdir()
    path.write_text(SMALL_PROTOCOL.replace("small_faces", "my_faces"))
    return path


def test_a_draft_is_found_by_its_path_and_is_no_installed_protocol(draft: Path) -> None:
    found = find_protocol(str(draft))
    assert found.name == "my_faces@1"
    assert find_protocol("my_faces@1") is found
    assert protocol_path("my_faces@1") == draft
    assert is_draft(found)
    assert not is_frozen(found)
    assert "my_faces@1" not in [protocol.name for protocol in all_protocols()]


def test_a_draft_is_read_anew_whenever_it_is_named(draft: Path) -> None:
    before = find_protocol(str(draft)).digest()
    draft.write_text(draft.read_text().replace("scale = 1.5", "scale = 1.6"))
    assert find_protocol(str(draft)).digest() != before


def test_run_show_and_check_take_a_file(draft: Path, bench: Call) -> None:
    said = bench("protocol", "check", str(draft))
    assert said.code == 0, said.err
    assert "draft of my_faces@1, installed nowhere" in said.out
    assert bench("show", "protocol", str(draft), "--json").json["file"] == str(draft)
    ran = bench("run", "-m", "grid", "-p", str(draft), "--twin", "--json")
    assert ran.code == 0, ran.err
    path = Path(ran.json["record"])
    assert path == home() / "runs" / ran.json["run_id"] / "record.json"
    record = Record.model_validate(json.loads(path.read_text()))
    assert record.protocol.digest == find_protocol(str(draft)).digest()
    assert [n for n in record.notes if n.startswith("under a draft: my idea.toml")]
    assert not list(leaderboards().glob("**/*.json"))
    (row,) = bench("ls", "runs", "--json").json
    assert row["protocol"] == "my_faces@1"
    assert "my_faces@1 twin draft" in " ".join(bench("ls", "runs").out.split())
    assert "(draft: on no board)" in bench("run", "-m", "grid", "-p", str(draft), "--twin").out


def test_a_run_stands_once_its_draft_is_installed(draft: Path, bench: Call, tmp_path: Path) -> None:
    ran = bench("run", "-m", "grid", "-p", str(draft), "--twin", "--json").json
    installed = tmp_path / "protocols" / "my_faces" / "1.toml"
    installed.parent.mkdir()
    installed.write_text(draft.read_text())
    protocols._drafts.clear()  # another process
    again = bench("run", "-m", "grid", "-p", "my_faces", "--twin", "--json")
    assert again.json["run_id"] == ran["run_id"]
    assert again.json["found"]
    path = Path(again.json["record"])
    assert path.is_relative_to(leaderboards())
    assert "draft" not in bench("ls", "runs").out
    assert not [n for n in json.loads(path.read_text())["notes"] if "draft" in n]
    assert bench("verify", str(path)).code == 0
    assert not is_draft(find_protocol("my_faces@1"))


def test_a_file_that_says_what_an_installed_one_says_is_that_one(
    draft: Path, tmp_path: Path
) -> None:
    draft.write_text(SMALL_PROTOCOL + "\n# a remark\n")
    assert protocol_path(str(draft)) == tmp_path / "protocols" / "small_faces" / "1.toml"
    assert not is_draft(find_protocol("small_faces@1"))


def test_a_file_that_says_something_else_under_an_installed_name_is_refused(
    draft: Path, bench: Call
) -> None:
    draft.write_text(SMALL_PROTOCOL.replace("scale = 1.5", "scale = 1.4"))
    with pytest.raises(ProtocolInvalid, match=r"says small_faces@1, and .* says another thing"):
        find_protocol(str(draft))
    said = bench("run", "-m", "grid", "-p", str(draft), "--twin")
    assert said.code == 11
    assert "an id or a version of its own" in said.err
    assert not (home() / "runs").exists()


def test_faults_of_a_draft_are_said_and_it_is_not_frozen(draft: Path, bench: Call) -> None:
    draft.write_text(draft.read_text().replace('id = "nme_iod"', 'id = "nme"'))
    said = bench("protocol", "check", str(draft))
    assert said.code == 11
    assert "fault: " in said.out
    assert bench("run", "-m", "grid", "-p", str(draft), "--twin").code == 11
    assert bench("protocol", "freeze", str(draft)).code == 11
    assert not list(draft.parent.glob("*.lock"))
    assert bench("protocol", "check", str(draft.with_name("none.toml"))).code == 11


def test_a_lock_beside_a_draft_counts_nowhere(draft: Path) -> None:
    (draft.parent.parent / "digests.lock").write_text("my_faces@1 " + "0" * 64 + "\n")
    try:
        assert find_protocol(str(draft)).name == "my_faces@1"
    except DataAltered:
        pytest.fail("the lock of another folder was read")


def test_a_draft_has_no_board(draft: Path, bench: Call) -> None:
    said = bench("board", str(draft))
    assert said.code == 2
    assert "stand on no board" in said.err
