"""Verifying records: a true one passes, and each lie in a record is found by the check it belongs to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests_fixtures import Call

from benchmark.contracts.errors import RecordTooNew
from benchmark.contracts.record import RecordInvalid, read_record
from benchmark.files import file_sha256, load_arrays
from benchmark.home import leaderboards
from benchmark.runner.verify import verify_record


@pytest.fixture
def record(run: Call) -> Path:
    return Path(run("grid", "--json").json["record"])


def altered(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def wrong(path: Path) -> set[str]:
    return {c.name for c in verify_record(path, data=True) if c.state == "wrong"}


def test_a_fresh_record_passes_every_check(record: Path) -> None:
    checks = {c.name: c.state for c in verify_record(record, data=True)}
    assert set(checks.values()) == {"ok"}
    assert {"place", "identity", "protocol", "value nme_iod", "score nme_iod"} <= checks.keys()


def test_a_prettier_value_is_found(record: Path) -> None:
    altered(record, lambda c: c["metrics"][0].update(value=1.0))
    assert wrong(record) == {"value nme_iod"}


def test_a_narrower_interval_is_found(record: Path) -> None:
    altered(record, lambda c: c["metrics"][0].update(ci95=[1.0, 1.1]))
    assert wrong(record) == {"value nme_iod"}


def test_other_settings_or_another_seed_are_found(record: Path) -> None:
    altered(record, lambda c: c.update(seed=5))
    assert "identity" in wrong(record)


def test_prettier_errors_are_found_by_their_digest(record: Path) -> None:
    file = record.parent / f"{record.stem}.errors.npz"
    errors = load_arrays(file)
    np.savez_compressed(file, nme_iod=errors["nme_iod"] / 2)
    assert {"file errors.npz", "value nme_iod", "score nme_iod"} <= wrong(record)


def test_a_consistent_forgery_is_found_by_scoring_again(record: Path) -> None:
    """Errors, digest, value and interval all agree; only the predictions do not give them."""
    from benchmark.metrics.intervals import bootstrap_interval

    file = record.parent / f"{record.stem}.errors.npz"
    kept = load_arrays(file)
    better, groups = kept["nme_iod"] / 2, kept["groups.nme_iod"]
    np.savez_compressed(file, nme_iod=better, **{"groups.nme_iod": groups})

    def forge(content: dict[str, Any]) -> None:
        value = content["metrics"][0]
        value.update(
            value=float(better.mean()), ci95=list(bootstrap_interval(better, groups=groups))
        )
        artefact = next(a for a in content["artefacts"] if a["path"] == file.name)
        artefact.update(sha256=file_sha256(file), bytes=file.stat().st_size)

    altered(record, forge)
    assert wrong(record) == {"score nme_iod"}


@pytest.mark.parametrize(
    "groups",
    [
        np.zeros(16, int),
        np.arange(16) % 5,
        np.arange(16) % 4 + 1,
        (np.arange(16) % 4).astype(float),
        np.zeros((16, 1), int),
        None,
    ],
)
def test_groups_that_are_not_those_that_the_record_counts_are_found(
    record: Path, groups: np.ndarray | None
) -> None:
    file = record.parent / f"{record.stem}.errors.npz"
    kept = {"nme_iod": load_arrays(file)["nme_iod"]}
    kept |= {} if groups is None else {"groups.nme_iod": groups}
    np.savez_compressed(file, **kept)

    def follow(content: dict[str, Any]) -> None:
        artefact = next(a for a in content["artefacts"] if a["path"] == file.name)
        artefact.update(sha256=file_sha256(file), bytes=file.stat().st_size)

    altered(record, follow)
    assert "value nme_iod" in wrong(record)


def test_a_record_on_another_board_is_found(record: Path) -> None:
    target = leaderboards() / "ytf5" / "1" / "grid" / record.name
    target.parent.mkdir(parents=True)
    for file in record.parent.glob(f"{record.stem}*"):
        shutil.copy(file, target.parent)
    assert "place" in wrong(target)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["artefacts"][0].update(path="../../etc/passwd"), "path"),
        (lambda c: c["metrics"][0].update(per_item="/etc/passwd"), "per_item"),
        (lambda c: c["metrics"][0].update(value=float("nan")), "finite"),
        (lambda c: c["metrics"][0].update(value=float("inf")), "finite"),
        (lambda c: c.update(surprise=1), "surprise"),
        (lambda c: c.update(notes=["\x1b[2J all is well"]), "control characters"),
        (lambda c: c["method"].update(preset="\x9b31m"), "control characters"),
        (lambda c: c.update(notes=["\u202eelbaliava"]), "control characters"),
        (lambda c: c.update(notes=["a\rb"]), "control characters"),
        (lambda c: c.update(started={"when": {}}), "started"),
        (lambda c: c.update(seed=10**30), "seed"),
        (lambda c: c.update(notes=["x" * (5 << 20)]), "larger than a record may be"),
    ],
)
def test_what_no_record_may_hold_is_refused(record: Path, change: Any, said: str) -> None:
    altered(record, change)
    with pytest.raises(RecordInvalid, match=said):
        read_record(record)


@pytest.mark.parametrize("digits", ["1e999", "-1e999"])
def test_a_number_beyond_all_numbers_is_refused(record: Path, digits: str) -> None:
    content = json.loads(record.read_text())
    record.write_text(record.read_text().replace(str(content["metrics"][0]["value"]), digits))
    with pytest.raises(RecordInvalid, match="finite"):
        read_record(record)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"record_schema": ' + "9" * 5000 + "}", "null", ""]
)
def test_what_is_no_record_is_one_error(record: Path, text: str) -> None:
    record.write_text(text)
    with pytest.raises((RecordInvalid, RecordTooNew)):
        read_record(record)


def test_backslashes_and_accents_are_no_control_characters(record: Path) -> None:
    notes = [r"C:\\u001b\backup", "naïve — ½ 中 \n two lines\t"]
    altered(record, lambda c: c.update(notes=notes))
    assert read_record(record).notes == notes


def test_arrays_that_would_fill_the_memory_are_refused(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.files.UNFOLDED", 100)
    assert "value nme_iod" in wrong(record)


def test_the_command_says_what_is_wrong_and_fails(record: Path, bench: Call) -> None:
    fine = bench("verify", str(record))
    assert fine.code == 0
    assert "1 of 1 records are what they say" in fine.out
    altered(record, lambda c: c["metrics"][0].update(value=1.0))
    said = bench("verify", "--all")
    assert said.code == 5
    assert "it says 1" in said.out
    assert "restore" in said.err
    states = bench("verify", "--all", "--json").out
    assert '"wrong"' in states


def test_neither_records_nor_all_is_a_usage_error(bench: Call) -> None:
    assert bench("verify").code == 2
