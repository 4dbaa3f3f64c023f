"""The records in git: each one's identity, digests and values follow from its own content."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmark.records.reading import read_record
from benchmark.verification.verify import verify_record

BOARDS = Path(__file__).resolve().parents[2] / "leaderboards"
RECORDS = sorted(p for p in BOARDS.rglob("*.json"))


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: f"{p.parts[-4]}-{p.stem[:8]}")
def test_a_committed_record_is_what_it_says(path: Path) -> None:
    wrong = [check for check in verify_record(path) if check.state == "wrong"]
    assert not wrong
    assert read_record(path).code.dirty is False


def test_every_file_beside_a_record_belongs_to_one() -> None:
    owned = {path.parent / a.path for path in RECORDS for a in read_record(path).artefacts}
    assert not [p for p in BOARDS.rglob("*.npz") if p not in owned]


@pytest.mark.skipif(not os.environ.get("BENCH_DATA"), reason="BENCH_DATA leads to no data sets")
def test_kept_predictions_give_the_errors_of_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_HOME", str(tmp_path))
    chosen = sorted((BOARDS / "ytf5" / "1").glob("*/*.json"))[::7]
    for path in chosen:
        checks = {c.name: c.state for c in verify_record(path, data=True)}
        assert checks["score nme_iod"] == "ok", path
