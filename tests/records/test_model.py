"""Records: read what was written, refuse what is newer, altered or no record."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from benchmark.contracts.errors import RecordTooNew
from benchmark.records.model import SCHEMA
from benchmark.records.reading import RecordInvalid, read_record, record_text, text_fault


def content() -> dict:
    value = {"metric": "nme_iod", "value": 5.0, "unit": "%", "better": "lower", "n": 2,
             "ci95": [4.0, 6.0], "per_item": "r.errors.npz"}  # fmt: skip
    method = {"id": "m", "version": 1, "plugin": "p", "role": "method", "origin": "reimplemented",
              "preset": "", "settings_given": {}, "settings": {}, "gives": ["landmarks"],
              "used": "landmarks", "supervision": "none", "pretrained": []}  # fmt: skip
    errors = {"path": "r.errors.npz", "sha256": "s", "bytes": 1, "committed": True}
    part = {"split": "s", "images": 2, "pixels": "a", "labels": "b"}
    return {
        "record_schema": SCHEMA, "identity_version": 1, "run_id": "r", "fit_id": "f",
        "method": method, "protocol": {"id": "p", "version": 1, "digest": "d", "twin": False},
        "data": {"fit": part, "train": part, "test": part}, "seed": 0, "evaluation_seed": 0,
        "metrics": [value], "deterministic": True,
        "code": {"bench": "0", "commit": "", "dirty": None}, "packages": {}, "hardware": {},
        "stages": {"fit": {"seconds": 1.0}}, "peak_memory_bytes": 1, "artefacts": [errors],
        "started": "2026-01-01T00:00:00+00:00", "finished": "2026-01-01T00:00:01+00:00",
    }  # fmt: skip


EXTERNAL = {"made_by": "a lab", "file": "points.npz", "sha256": 64 * "0", "bytes": 12}


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


def metrics(*names: str) -> list[dict]:
    return [{**content()["metrics"][0], "metric": name} for name in names]


def artefacts(*names: str) -> list[dict]:
    return [{**content()["artefacts"][0], "path": name} for name in names]


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"metrics": []}, "no metric"),
        ({"metrics": metrics("nme_iod", "nme_iod")}, "a metric twice"),
        ({"metrics": [{**metrics("nme_iod")[0], "per_item": "q.errors.npz"}]}, "r.errors.npz"),
        ({"data": {"train": content()["data"]["train"]}}, "fit and test"),
        ({"artefacts": []}, "r.errors.npz"),
        ({"artefacts": artefacts("r.errors.npz", "r.errors.npz")}, "each file once"),
        ({"artefacts": artefacts("r.errors.npz", "q.json")}, "path"),
        ({"artefacts": artefacts("r.errors.npz", "q.errors.npz")}, "another run"),
        ({"artefacts": artefacts("r.errors.npz", "q.predictions.npz")}, "another run"),
        ({"artefacts": artefacts("r.errors.npz", "xr.predictions.npz")}, "another run"),
        ({"artefacts": artefacts("r.errors.npz", "q.errors.npz"), "parent": "q"}, "another run"),
        ({"external": EXTERNAL}, "just where the method's origin is external"),
        ({"method": {**content()["method"], "origin": "external"}}, "come from a file just where"),
        ({"external": {**EXTERNAL, "sha256": "abc"}}, "external.sha256"),
        ({"method": {**content()["method"], "at_prediction": ["truncation"]}}, "lack truncation"),
        ({"fit_id": "../../x"}, "fit_id"),
        ({"run_id": "l\u0435ad"}, "run_id"),
        ({"method": {**content()["method"], "id": "l\u0435ad"}}, "method.id"),
        ({"method": {**content()["method"], "id": "a" * 200}}, "method.id"),
        ({"record_schema": 0}, "record_schema"),
        ({"record_schema": -1}, "record_schema"),
        ({"record_schema": True}, "record_schema"),
    ],
)  # fmt: skip
def test_what_every_reader_counts_on_is_asked_for(tmp_path: Path, changes: dict, said: str) -> None:
    with pytest.raises(RecordInvalid, match=said):
        read_record(written(tmp_path, **changes))


def test_predictions_made_elsewhere_say_from_which_file(tmp_path: Path) -> None:
    method = {**content()["method"], "origin": "external"}
    record = read_record(written(tmp_path, method=method, external=EXTERNAL))
    assert record.external is not None
    assert record.external.model_dump() == EXTERNAL


def test_schema_4_is_read_as_one_without_settings_of_prediction_or_files(tmp_path: Path) -> None:
    record = read_record(written(tmp_path, record_schema=4))
    assert record == read_record(written(tmp_path))
    assert (record.method.at_prediction, record.external) == ([], None)


@pytest.mark.parametrize(
    "schema, name, role, read",
    [
        (5, "training-images", "floor", "reference"),
        (1, "training-images", "floor", "reference"),
        (5, "noise-images", "floor", "floor"),
        (5, "training-images", "method", "method"),
        (SCHEMA, "training-images", "floor", "floor"),  # what is written today says what it means
    ],
)
def test_a_copy_of_the_training_set_was_a_floor_until_schema_6(
    tmp_path: Path, schema: int, name: str, role: str, read: str
) -> None:
    assert SCHEMA == 6
    method = {**content()["method"], "id": name, "role": role}
    record = read_record(written(tmp_path, record_schema=schema, method=method))
    assert record.method.role == read
    assert record.method.model_dump() == {**record.method.model_dump(), **method, "role": read}


def test_an_old_record_without_a_method_is_refused_as_such(tmp_path: Path) -> None:
    with pytest.raises(RecordInvalid, match="method"):
        read_record(written(tmp_path, record_schema=5, method="training-images"))


def test_what_was_scored_again_shares_predictions(tmp_path: Path) -> None:
    names = artefacts("r.errors.npz", "q.predictions.npz")
    assert read_record(written(tmp_path, artefacts=names, parent="q")).parent == "q"


def test_what_is_no_plain_file_is_no_record(tmp_path: Path) -> None:
    for name, make in {"folder": Path.mkdir, "pipe": os.mkfifo}.items():
        path = tmp_path / f"{name}.json"
        make(path)
        with pytest.raises(RecordInvalid, match="no plain file"):
            read_record(path)
    link = tmp_path / "endless.json"
    link.symlink_to("/dev/zero")
    with pytest.raises(RecordInvalid, match="no plain file"):
        read_record(link)


def deep(levels: int) -> dict:
    return {"x": deep(levels - 1)} if levels else {}


@pytest.mark.parametrize("notes", [["\x1b[31mred"], ["\ud800"], ["x" * (5 << 20)]])
def test_what_could_not_be_read_again_is_not_written(tmp_path: Path, notes: list) -> None:
    record = read_record(written(tmp_path))
    assert json.loads(record_text(record)) == record.model_dump(mode="json")
    with pytest.raises(RecordInvalid, match="record of run r"):
        record_text(record.model_copy(update={"notes": notes}))
    with pytest.raises(RecordInvalid, match="record of run r"):
        record_text(record.model_copy(update={"probe": deep(300)}))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', "\x00"])
def test_what_is_no_record_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(RecordInvalid):
        read_record(path)
    with pytest.raises(RecordInvalid, match="no record at"):
        read_record(tmp_path / "absent.json")


@pytest.mark.parametrize("seed", ["0", 0.0, False, True, None])
def test_a_seed_is_a_whole_number(tmp_path: Path, seed: object) -> None:
    with pytest.raises(RecordInvalid, match="seed"):
        read_record(written(tmp_path, seed=seed))


def test_a_key_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    """Of two, one program takes the first and another the last."""
    path = written(tmp_path)
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 0, "seed": 1'))
    with pytest.raises(RecordInvalid, match="'seed' stands there twice"):
        read_record(path)


@pytest.mark.parametrize(
    "content, said",
    [
        ({"tag": "a\x1b[31m"}, "control characters"),
        ("right \u202e left", "control characters"),
        ({"tag": "\ud800"}, "can't be written"),
        ({"rate": float("nan")}, "can't be written"),
        ({"tag": "x" * (3 << 20)}, "larger than"),
        ({"tag": "naïve \n"}, ""),
    ],
)
def test_what_no_record_can_hold_is_told_before_a_run(content: object, said: str) -> None:
    assert said in text_fault(content)
    assert bool(text_fault(content)) == bool(said)
