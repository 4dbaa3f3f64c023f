"""Rows by name: what a board prints is understood, and what fits none or several is told apart."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests_fixtures import Call

from benchmark.boards.compare import board_of_both, compare
from benchmark.boards.entries import read_entries
from benchmark.boards.finding import NamedRow, find_row, fitting, named_rows, words_of
from benchmark.boards.rows import make_rows
from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.registry.protocols import all_protocols, find_protocol


def edited(record: Path, run_id: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Another record beside one, with the same errors and some of its content changed."""
    text = record.read_text().replace(f"{record.stem}.", f"{run_id}.")
    content = json.loads(text)
    content.update(run_id=run_id, fit_id=run_id)
    change(content)
    (record.parent / f"{run_id}.json").write_text(json.dumps(content))
    for ending in (".errors.npz", ".predictions.npz"):
        shutil.copy(record.with_suffix(ending), record.with_name(f"{run_id}{ending}"))


def method(**parts: Any) -> Callable[[dict[str, Any]], object]:
    """A change to what a record says of its method."""
    return lambda content: content["method"].update(parts)


@pytest.fixture
def record(harness: Path, run: Call) -> Path:
    """A run of the grid with nine points."""
    return Path(run("grid", "--set", "points=9", "--json").json["record"])


@pytest.fixture
def three(record: Path) -> list[NamedRow]:
    """Rows that were given the same: a default that was changed, twice, and another version."""
    for name, sharpness in (("a" * 16, 8.0), ("b" * 16, 0.5)):
        edited(record, name, method(settings={"points": 9, "sharpness": sharpness}))
    edited(record, "c" * 16, method(version=2, settings={"points": 9, "biased": True, "side": 8}))
    record.unlink()
    return rows()


def rows() -> list[NamedRow]:
    return named_rows(find_protocol("small_faces"), twin=True)


def found(name: str) -> str:
    """The run in the row that a name stands for."""
    (entry,) = find_row(rows(), name, "the board").entries
    return entry.record.run_id[:1]


@pytest.mark.parametrize(
    "name, wanted",
    [
        ("grid:points=9 sharpness=8.0", "a"),
        ("grid:sharpness=8", "a"),
        ("grid:sharpness=8.00,points=9", "a"),
        ("grid:0.5", "b"),
        ("grid points=9 version 2", "c"),
        ("grid:points=9,version=2", "c"),
        ("grid:version 2", "c"),
        ("grid:sharpness=8,version=1", "a"),
        ("grid:biased=true", "c"),
        ("grid:biased=True", "c"),
        ("cccc", "c"),
    ],
)
def test_rows_of_other_versions_and_defaults_have_names(
    three: list[NamedRow], name: str, wanted: str
) -> None:
    assert found(name) == wanted


def test_what_a_board_prints_is_the_name_of_its_row(three: list[NamedRow]) -> None:
    protocol = find_protocol("small_faces")
    printed = make_rows(protocol, read_entries(protocol, twin=True)[0])
    assert len(printed) == 3
    for row in printed:
        for name in (f"{row.method}:{row.variant}", f"{row.method} {row.variant}"):
            assert [e.record.run_id for e in find_row(rows(), name, "").entries] == [*row.runs]


def test_a_setting_may_be_called_version(record: Path) -> None:
    edited(record, "a" * 16, method(settings={"points": 9, "version": 2}))
    assert found("grid:points=9 version=2") == found("grid:version=2") == "a"
    assert found("grid:points=9") == record.stem[0]


def test_names_that_are_proposed_work_and_tell_rows_apart(three: list[NamedRow]) -> None:
    with pytest.raises(UnknownName, match="several rows fit: ") as refused:
        find_row(three, "grid:points=9", "the board")
    names = refused.value.cure.removeprefix("several rows fit: ").split(", ")
    assert {found(*shlex.split(name)) for name in names} == {"a", "b", "c"}
    assert {"grid:points=9,sharpness=8.0", "'grid:points=9,version 2'"} <= set(names)


@pytest.mark.parametrize(
    ("role", "field", "word"),
    [
        ("test", "labels", "labels"),
        ("train", "pixels", "train"),
        ("train", "labels", "train labels"),
    ],
)
def test_rows_of_other_labels_or_training_images_say_so(
    record: Path, role: str, field: str, word: str
) -> None:
    edited(record, "d" * 16, lambda content: content["data"][role].update({field: "0" * 64}))
    assert {f"{word} 000000" in row.words for row in rows()} == {True, False}
    assert found(f"grid:{word} 000000") == "d"


def test_a_default_that_records_leave_out_names_all_rows_that_have_it(record: Path) -> None:
    """Records leave out a setting that came later while it has its default, also where it was given."""
    given = {"points": 9, "kind": "cells"}
    edited(record, "a" * 16, method(settings_given=given, settings={"points": 9, "sharpness": 8.0}))
    given = {"points": 9, "kind": "places"}
    edited(record, "b" * 16, method(settings_given=given, settings=given | {"sharpness": 8.0}))
    with pytest.raises(UnknownName, match="several rows fit: ") as refused:
        find_row(rows(), "grid:points=9,kind=cells", "the board")
    names = refused.value.cure.removeprefix("several rows fit: ").split(", ")
    assert {found(*shlex.split(name)) for name in names} == {"a", record.stem[0]}
    assert found("grid:kind=places") == "b"
    assert found("grid:kind=cells,sharpness=8") == "a"


def test_where_words_are_not_enough_run_ids_are_proposed(record: Path) -> None:
    edited(record, "d" * 16, lambda content: content["data"].update(more=content["data"]["test"]))
    with pytest.raises(UnknownName, match="several rows fit") as refused:
        find_row(rows(), "grid", "the board")
    names = refused.value.cure.removeprefix("several rows fit: ").split(", ")
    assert {found(name) for name in names} == {"d", record.stem[0]}


def test_a_bare_value_is_one_that_the_board_prints(three: list[NamedRow]) -> None:
    edited(three[0].entries[0].path, "e" * 16, method(settings={"points": 9, "one": 3, "two": 3}))
    assert found("grid:one=3") == "e"
    assert [row.words for row in fitting(rows(), "grid:3")] == [("points=9", "one=3", "two=3")]
    assert not fitting(rows(), "grid:4")


def test_settings_that_no_board_prints_are_named_by_their_keys(record: Path) -> None:
    for name, more in (("a", {"one": 3}), ("b", {"one": 5}), ("c", {"two": 5})):
        given = {"name": name}
        edited(record, name * 16, method(settings_given=given, settings={**given, **more}))
    assert not fitting(rows(), "grid:3")
    assert not fitting(rows(), "grid:5")
    assert found("grid:c,two=5") == "c"
    assert found("grid:one=3") == "a"


def test_rows_scored_on_other_data_or_by_another_version_are_named_as_printed(
    record: Path,
) -> None:
    edited(record, "a" * 16, lambda content: content["data"]["test"].update(pixels="5" * 64))
    edited(record, "b" * 16, lambda content: content["metrics"][0].update(version=2))
    own, pixels = (json.loads(record.read_text())["data"]["test"][n] for n in ("source", "pixels"))
    assert found(f"grid:on {own or 'data'} 555555") == "a"
    assert found(f"grid:points=9 on {own or 'data'} {pixels[:6]} scored by version 2") == "b"
    assert found("grid:scored by version 2") == "b"


def test_every_row_of_every_committed_board_is_found_by_what_is_printed() -> None:
    count = 0
    for protocol in all_protocols():
        for twin in (False, True):
            there = named_rows(protocol, twin=twin)
            for row in there:
                if not row.withdrawn:
                    assert find_row(there, row.name, protocol.name).entries == row.entries
                    count += 1
    assert count > 50


def test_a_misspelt_setting_is_said_to_be_it(record: Path, run: Call, bench: Call) -> None:
    run("halves")
    for words in ((), ("-p", "small_faces")):
        said = bench("compare", "grid:pionts=9", "halves", "--twin", *words)
        assert said.code == 2
        assert "grid:pionts=9" in said.err
        assert "no row of grid says 'pionts=9'; did you mean 'points'?" in said.err
        said = bench("compare", "halves", "gird:points=9", "--twin", *words)
        assert said.code == 2
        assert "'gird:points=9'" in said.err
        assert "did you mean 'grid'?" in said.err
    assert "rows: grid:points=9, halves" in bench("compare", "3f2a91c0", "grid", "--twin").err
    said = bench("compare", "grid:points=16", "halves", "--twin")
    assert "no row of grid says 'points=16'; rows: grid:points=9" in said.err
    assert bench("compare", "grid:points=9", "halves", "--twin").code == 0


def test_the_twin_forgotten_and_the_twin_too_many_are_told(
    record: Path, run: Call, bench: Call
) -> None:
    run("halves")
    for words in ((), ("-p", "small_faces")):
        said = bench("compare", "grid", "halves", *words)
        assert said.code == 2
        assert "the twin's board has it: add --twin" in said.err
    twins = record.parents[2]
    real = twins.parents[1] / twins.name
    twins.rename(real)
    for path in real.rglob("*.json"):
        path.write_text(path.read_text().replace('"twin": true', '"twin": false'))
    said = bench("compare", "grid", "halves", "--twin", "-p", "small_faces")
    assert said.code == 2
    assert "the board on real data has it: leave --twin out" in said.err
    assert bench("compare", "grid", "halves").code == 0


def test_an_empty_board_is_said_to_be_empty(bench: Call) -> None:
    said = bench("compare", "grid", "halves", "-p", "small_faces")
    assert said.code == 2
    assert "no run stands on small_faces@1" in said.err


def test_rows_of_different_boards_are_not_compared(record: Path, run: Call) -> None:
    with pytest.raises(UnknownName, match="halves"):
        board_of_both("grid", "halves", all_protocols(), twin=True)
    run("halves")
    assert board_of_both("grid", "halves", all_protocols(), twin=True).name == "small_faces@1"
    compare(board_of_both("grid", "grid", all_protocols(), twin=True), "grid", "grid", twin=True)


def test_no_board_of_both_says_which_board_each_is_on(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmark.boards import compare as module

    small = find_protocol("small_faces")
    other = small.model_copy(update={"id": "other_faces"})
    (row,) = rows()
    halves = NamedRow("halves", 1, (), (), False, row.entries)
    own = {"small_faces": [row], "other_faces": [halves]}
    monkeypatch.setattr(module, "named_rows", lambda protocol, twin: own[protocol.id])
    with pytest.raises(InvalidInput, match="'grid' on small_faces@1, 'halves' on other_faces@1"):
        board_of_both("grid", "halves", [small, other], twin=True)


@pytest.mark.parametrize(
    "word, typed, wanted",
    [
        ("points=9", "9", True),
        ("points=9", "points=9.0", True),
        ("rate=0.001", "rate=1e-3", True),
        ("biased=true", "True", True),
        ("biased=true", "biased=1", False),
        ("points=1", "true", False),
        ('reduction="none"', "'none'", True),
        ('reduction="none"', "none", True),
        ("dimension=none", "dimension=none", True),
        ("sizes=[1, 2]", "sizes=[1,2]", True),
        ("name=two words", "name=two words", True),
        ("scored by version 3", "scored by version 3", True),
        ("nine", "points=nine", False),
        ("points=9", "point=9", False),
        ("settings.version=3", "version=3", False),
        ("small", "version 2", True),
        ("small", "version=2", True),
        ("small", "version=3", False),
        ("small", "2", False),
        ("scored by version 3", "3", False),
    ],
)
def test_values_are_compared_as_what_they_are(word: str, typed: str, wanted: bool) -> None:
    assert NamedRow("m", 2, (word,), (), False, ()).matches(words_of(typed)) is wanted
