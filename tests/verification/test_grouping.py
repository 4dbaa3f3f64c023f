"""Groups of test items: kept with a run, drawn whole, and added to records from before."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests_fixtures import Call

from benchmark.contracts.errors import DataMissing
from benchmark.files import file_sha256, load_arrays
from benchmark.metrics.intervals import bootstrap_interval
from benchmark.records.reading import read_record
from benchmark.tasks.groups import group_numbers
from benchmark.verification.grouping import add_groups
from benchmark.verification.verify import verify_record


@pytest.fixture
def old(record: Path) -> Path:
    """The same record as schema 3 would have left it."""
    content, file = json.loads(record.read_text()), record.with_suffix(".errors.npz")
    errors = load_arrays(file)["nme_iod"]
    np.savez_compressed(file, nme_iod=errors)
    content.update(record_schema=3)
    del content["drawn_by"], content["metrics"][0]["groups"]
    content["metrics"][0]["ci95"] = bootstrap_interval(errors)
    content["artefacts"][0].update(sha256=file_sha256(file), bytes=file.stat().st_size)
    record.write_text(json.dumps(content))
    assert {c.state for c in verify_record(record)} == {"ok"}
    return record


def test_a_run_keeps_which_items_are_of_one_person(record: Path) -> None:
    kept, value = load_arrays(record.with_suffix(".errors.npz")), read_record(record).headline
    groups = kept["groups.nme_iod"]
    assert groups.shape == kept["nme_iod"].shape == (16,)
    assert (value.groups, read_record(record).drawn_by) == (groups.max() + 1, "identities")
    assert value.ci95 == pytest.approx(bootstrap_interval(kept["nme_iod"], groups=groups))
    assert value.ci95 != pytest.approx(bootstrap_interval(kept["nme_iod"]))


def test_old_records_get_groups_and_keep_their_values(record: Path, old: Path) -> None:
    before = read_record(old)
    changed = add_groups(old, author="someone")
    assert changed == read_record(old)
    assert changed.headline.value == before.headline.value
    assert (changed.run_id, changed.fit_id, changed.drawn_by) == (
        before.run_id,
        before.fit_id,
        "identities",
    )
    groups = load_arrays(old.with_suffix(".errors.npz"))["groups.nme_iod"]
    assert changed.headline.groups == groups.max() + 1 < 16
    assert [e.action for e in changed.edits] == ["annotated"]
    assert {c.state for c in verify_record(old, data=True)} == {"ok"}
    assert add_groups(old, author="someone") is None


def test_other_labels_give_no_groups(old: Path) -> None:
    content = json.loads(old.read_text())
    content["data"]["test"]["labels"] = "0" * 64
    old.write_text(json.dumps(content))
    before = old.read_bytes()
    with pytest.raises(DataMissing, match="other files"):
        add_groups(old, author="someone")
    assert old.read_bytes() == before


def test_the_command_says_how_many(old: Path, bench: Call) -> None:
    said = bench("record", "groups", "--all", "--author", "someone")
    assert (said.code, said.out.strip()) == (0, "groups added to 1 of 1 records")
    assert bench("record", "groups").code == 2


@pytest.mark.parametrize("names", [["", "", ""], ["a", "a", "a"], ["a", "b", "c"], [], ["a"]])
def test_names_that_tell_nothing_apart_are_no_groups(names: list[str]) -> None:
    assert group_numbers(names) is None


def test_who_has_no_name_is_alone() -> None:
    numbers = group_numbers(["b", "", "a", "b", ""])
    assert numbers is not None
    assert numbers.tolist() == [0, 1, 2, 0, 3]
