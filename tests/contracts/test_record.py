"""Records: read what was written, refuse what is newer, altered or no record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.contracts.errors import RecordTooNew
from benchmark.contracts.record import SCHEMA, RecordInvalid, read_record


def content() -> dict:
    value = {"metric": "nme_iod", "value": 5.0, "unit": "%", "better": "lower", "n": 2,
             "ci95": [4.0, 6.0], "per_item": "x.npz"}  # fmt: skip
    method = {"id": "m", "version": 1, "plugin": "p", "role": "method", "origin": "reimplemented",
              "preset": "", "settings_given": {}, "settings": {}, "gives": ["landmarks"],
              "used": "landmarks", "supervision": "none", "pretrained": []}  # fmt: skip
    part = {"split": "s", "images": 2, "pixels": "a", "labels": "b"}
    return {
        "record_schema": SCHEMA, "identity_version": 1, "run_id": "r", "fit_id": "f",
        "method": method, "protocol": {"id": "p", "version": 1, "digest": "d", "twin": False},
        "data": {"fit": part, "train": part, "test": part}, "seed": 0, "evaluation_seed": 0,
        "metrics": [value], "deterministic": True,
        "code": {"bench": "0", "commit": "", "dirty": None}, "packages": {}, "hardware": {},
        "stages": {"fit": {"seconds": 1.0}}, "peak_memory_bytes": 1, "artefacts": [],
        "started": "2026-01-01T00:00:00+00:00", "finished": "2026-01-01T00:00:01+00:00",
    }  # fmt: skip


def written(folder: Path, **changes) -> Path:  # type: ignore[no-untyped-def]
    path = folder / "r.json"
    path.write_text(json.dumps({**content(), **changes}))
    return path


def test_there_and_back(tmp_path: Path) -> None:
    record = read_record(written(tmp_path))
    path = tmp_path / "again.json"
    path.write_text(json.dumps(record.model_dump(mode="json")))
    assert read_record(path) == record


def test_a_newer_schema_is_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(RecordTooNew) as caught:
        read_record(written(tmp_path, record_schema=SCHEMA + 1))
    assert "update bench" in caught.value.cure


@pytest.mark.parametrize("changes", [{"seed": "zero"}, {"extra": 1}, {"metrics": None}])
def test_a_record_with_wrong_fields_is_refused(tmp_path: Path, changes: dict) -> None:
    with pytest.raises(RecordInvalid, match=next(iter(changes))):
        read_record(written(tmp_path, **changes))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', "\x00"])
def test_what_is_no_record_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(RecordInvalid):
        read_record(path)
    with pytest.raises(RecordInvalid, match="no record at"):
        read_record(tmp_path / "absent.json")
