"""Runs that are done are found by the words that asked for them, as long as all is as it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests_fixtures import RUN, Call

from benchmark.home import home
from benchmark.metrics.catalogue import CATALOGUE
from benchmark.protocols.files import _read_cached
from benchmark.runner import done
from benchmark.runner.request import Request

GRID = Request("grid", "small_faces", twin=True, device="cpu")


def test_a_run_that_is_done_is_said_without_importing_torch(run: Call) -> None:
    first = run("grid", "--json").json
    script = (
        f"import sys; sys.argv = {['bench', *RUN, 'grid', '--json']!r}\n"
        "from benchmark.cli import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
        "heavy = sorted({'torch', 'pandas', 'torchvision', 'jinja2'} & set(sys.modules))\n"
        "assert not heavy, heavy\n"
    )
    again = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert again.returncode == 0, again.stdout + again.stderr
    assert json.loads(again.stdout) == {**first, "found": True}


def test_what_is_printed_is_what_the_whole_way_prints(
    run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("grid")
    known = run("grid").out
    monkeypatch.setattr("benchmark.cli.running.find_done", lambda asked: None)
    assert run("grid").out == known
    assert known.startswith("done before, on ")


def test_other_words_are_not_the_same_request(run: Call) -> None:
    run("grid")
    assert done.find_done(GRID) is not None
    for other in ({"seed": 1}, {"preset": "nine"}, {"given": {"points": 4}}, {"on": "validation"}):
        assert done.find_done(Request(**{**vars(GRID), **other})) is None


def test_a_changed_protocol_is_not_the_same_request(run: Call) -> None:
    run("grid")
    path = Path(os.environ["FAKE_PROTOCOLS"]) / "small_faces" / "1.toml"
    text = path.read_text()
    path.write_text(text + "# a remark\n")
    assert done.find_done(GRID) is not None
    path.write_text(text.replace("people = 20", "people = 25"))
    _read_cached.cache_clear()  # a process reads a protocol once
    assert done.find_done(GRID) is None


def test_a_corrected_measure_is_not_taken_for_the_old_one(
    run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("grid")
    later = CATALOGUE["nme_iod"]._replace(version=2)
    monkeypatch.setitem(CATALOGUE, "nme_iod", later)
    assert done.find_done(GRID) is None


def test_milestones_that_came_later_are_drawn(run: Call) -> None:
    first = run("grid", "--json").json
    fit = json.loads(Path(first["record"]).read_text())["fit_id"]
    (home() / "fits" / fit / "milestones" / "64").mkdir(parents=True)
    assert done.find_done(GRID) is None
    assert run("grid", "--json").json["found"] is True
    assert done.find_done(GRID) is not None


@pytest.mark.parametrize("what", ["code", "registration"])
def test_with_other_code_the_whole_way_is_gone(
    run: Call, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    run("grid")
    if what == "code":
        monkeypatch.setattr(done, "package_digest", lambda name, beside=False: "other")
    else:
        del done.plugins().methods["slow"]
    assert done.find_done(GRID) is None


@pytest.mark.parametrize("lost", ["record", "page", "artefact", "asked", "altered"])
def test_what_is_lost_or_altered_is_not_found_and_comes_again(run: Call, lost: str) -> None:
    first = run("grid", "--json").json
    record, page = Path(first["record"]), Path(first["page"])
    (asked,) = (home() / "asked").glob("*.json")
    if lost == "artefact":
        (artefact, *_) = [a for a in json.loads(record.read_text())["artefacts"] if a["committed"]]
        (record.parent / artefact["path"]).unlink()
    elif lost == "altered":
        asked.write_text("{")
    else:
        {"record": record, "page": page, "asked": asked}[lost].unlink()
    assert done.find_done(GRID) is None
    assert run("grid", "--json").json == {**first, "found": True}
    assert record.exists()
    assert page.exists()
    assert done.find_done(GRID) is not None


def test_prepared_data_that_is_gone_is_not_taken_for_there(run: Call) -> None:
    run("grid")
    (asked,) = (home() / "asked").glob("*.json")
    about = json.loads(asked.read_text())
    about["data"] = {f"{folder}-gone": was for folder, was in about["data"].items()}
    asked.write_text(json.dumps(about))
    assert done.find_done(GRID) is None


def test_anew_is_not_answered_by_what_was_there(run: Call) -> None:
    assert run("grid", "--json").json["found"] is False
    assert run("grid", "--json", "--anew").json["found"] is False


def test_what_was_edited_while_it_ran_is_not_what_ran(
    run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = iter(["before", "after"])
    monkeypatch.setattr(done, "_circumstances", lambda protocol: next(digests, "after"))
    assert run("grid").code == 0
    assert not (home() / "asked").exists()


def test_a_module_that_was_written_while_it_ran_is_not_what_ran(
    run: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = tmp_path / "helper.py"
    helper.write_text("")
    monkeypatch.setitem(sys.modules, "helper", SimpleNamespace(__file__=str(helper)))
    os.utime(helper, (time.time() + 60,) * 2)
    run("grid")
    assert not (home() / "asked").exists()
    os.utime(helper, (1, 1))
    run("grid")
    assert done.find_done(GRID) is not None
    helper.write_text("changed = True")
    assert done.find_done(GRID) is None
    helper.write_text("")
    os.utime(helper, (1, 1))
    (tmp_path / "defaults.json").write_text("{}")  # a file that came later was not read
    assert done.find_done(GRID) is not None


def test_code_that_cannot_be_told_or_read_is_no_fault_of_the_run(
    run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str, beside: bool = False) -> str:
        raise FileNotFoundError(".#method.py")

    for digest in (lambda name, beside=False: "", broken):
        with monkeypatch.context() as patch:
            patch.setattr(done, "package_digest", digest)
            assert run("grid").code == 0
            assert not (home() / "asked").exists()


def test_a_table_that_was_edited_is_written_again(run: Call) -> None:
    record = Path(run("grid", "--json").json["record"])
    table = record.parent.parent / "README.md"
    as_written = table.read_text()
    table.write_text("hacked")
    (table.parent / "board.csv").unlink()
    assert run("grid", "--json").json["found"] is True
    assert table.read_text() == as_written
    assert (table.parent / "board.csv").exists()


def test_a_draft_that_became_a_protocol_is_resolved_anew(
    run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("grid")
    monkeypatch.setattr(done, "is_draft", lambda protocol: True)
    assert done.find_done(GRID) is None


def test_a_record_that_came_from_elsewhere_needs_no_fit(run: Call) -> None:
    first = run("grid", "--json").json
    for left in ("fits", "runs", "asked"):
        shutil.rmtree(home() / left)
    assert run("grid", "--json").json["found"] is True
    assert done.find_done(GRID) is not None
    assert run("grid", "--json").json["record"] == first["record"]
