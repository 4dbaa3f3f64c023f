"""Verifying records: a true one passes, and each lie in a record is found by the check it belongs to."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests_fixtures import ROOT, Call
from tests_records import altered, forged, with_errors

from benchmark.contracts.errors import RecordTooNew
from benchmark.files import file_sha256, load_arrays
from benchmark.home import home, leaderboards
from benchmark.metrics.catalogue import CATALOGUE
from benchmark.records.reading import RecordInvalid, read_record
from benchmark.verification.kept import OpenSplits
from benchmark.verification.verify import verify_record

BOARDS = ROOT / "leaderboards"
SCORED = {
    "taichi": {"score keypoint_l1_sum", "score keypoint_l2_sum"},
    "mafl_scale": {"score nme_iod_seen", "score nme_iod_unseen"},
    "shapenet_cars": {
        f"score pose_{name}{suffix}"
        for name in ("accuracy", "median")
        for suffix in ("", "_unaligned")
    },
}
"""By twin what kept predictions suffice to score again."""


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
    errors = load_arrays(record.with_suffix(".errors.npz"))["nme_iod"]
    for better in (errors / 2, errors - 1e-3, np.where(np.arange(len(errors)), errors, 0.0)):
        assert wrong(with_errors(record, nme_iod=better)) == {"score nme_iod"}
    assert wrong(with_errors(record, nme_iod=errors)) == set()


def other_metrics(content: dict[str, Any], *names: str) -> None:
    content["metrics"] = [{**content["metrics"][0], "metric": name} for name in names]


CLAIMS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another metric": lambda c: other_metrics(c, "nme_iod_true"),
    "one more metric": lambda c: other_metrics(c, "nme_iod", "nme_iod_true"),
    "the wrong unit": lambda c: c["metrics"][0].update(unit="px"),
    "the wrong direction": lambda c: c["metrics"][0].update(better="higher"),
    "another aggregate": lambda c: c["metrics"][0].update(aggregate="median"),
    "fewer items": lambda c: c["metrics"][0].update(n=3),
    "more images": lambda c: c["data"]["test"].update(images=17),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_is_not_the_protocols_is_found(record: Path, claim: str) -> None:
    assert "metrics" in wrong(forged(record, CLAIMS[claim]))


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["data"]["test"].update(split="twin:train"),
        lambda c: c["data"].update(datasets=c["data"]["fit"]),
        lambda c: c.update(evaluation_seed=7),
    ],
)
def test_other_splits_and_seeds_are_found(
    record: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    assert wrong(forged(record, change)) == {"data"}


FIELDS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no time": lambda c: c.update(finished="banana"),
    "a time to come": lambda c: c.update(started="2999-01-01T00:00:00+00:00"),
    "negative seconds": lambda c: c["stages"]["fit"].update(seconds=-1),
    "no attempt": lambda c: c["stages"]["fit"].update(attempts=0),
    "negative memory": lambda c: c.update(peak_memory_bytes=-1),
    "negative throughput": lambda c: c.update(throughput={"grid": -1.0}),
    "negative images": lambda c: c["data"]["fit"].update(images=-3),
    "another rule of ids": lambda c: c.update(identity_version=42),
    "a digest that is none": lambda c: c["data"]["test"].update(labels="true"),
    "more shared than scored": lambda c: c["data"]["fit"].update(shared=17),
}


@pytest.mark.parametrize("field", FIELDS)
def test_what_no_run_leaves_behind_is_found(record: Path, field: str) -> None:
    assert "fields" in wrong(forged(record, FIELDS[field]))


METHODS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another role": lambda c: c["method"].update(role="ceiling"),
    "other labels seen": lambda c: c["method"].update(supervision="labels"),
    "another origin": lambda c: c["method"].update(origin="official"),
    "a preset that is none": lambda c: c["method"].update(preset="paper"),
    "a preset that was not taken": lambda c: c["method"].update(preset="nine"),
    "settings that were not given": lambda c: c["method"].update(settings_given={"points": 9}),
    "settings that it has not": lambda c: c["method"]["settings"].update(steps=3),
    "values that it does not take": lambda c: c["method"]["settings"].update(points="many"),
    "kinds that it does not give": lambda c: c["method"].update(gives=["parts"]),
    "weights that it does not take": lambda c: c["method"].update(
        pretrained=[{"name": "vgg", "source": "a lab", "sha256": 64 * "0"}]
    ),
}


@pytest.mark.parametrize("claim", METHODS)
def test_what_the_methods_registration_does_not_say_is_found(record: Path, claim: str) -> None:
    assert "method" in wrong(forged(record, METHODS[claim]))


@pytest.mark.parametrize("change", [{"id": "miracle"}, {"version": 99}])
def test_a_method_that_is_not_here_is_not_called_wrong(record: Path, change: dict) -> None:
    forgery = forged(record, lambda c: c["method"].update(change))
    (check,) = (c for c in verify_record(forgery) if c.name == "method")
    assert check.state == "not here"


def test_predictions_that_were_left_out_are_found(record: Path) -> None:
    def without(content: dict[str, Any]) -> None:
        content["artefacts"] = content["artefacts"][:1]

    altered(record, without)
    assert wrong(record) == {"predictions"}


def test_a_fit_on_the_scored_images_is_found(record: Path) -> None:
    def same(content: dict[str, Any]) -> None:
        content["data"]["fit"]["pixels"] = content["data"]["test"]["pixels"]

    assert wrong(forged(record, same)) == {"data"}


def test_predictions_under_another_name_are_found(record: Path, run: Call, bench: Call) -> None:
    other = Path(run("halves", "--json").json["record"])
    predictions = record.with_suffix(".predictions.npz")
    shutil.copy(predictions, other.with_suffix(".predictions.npz"))
    errors = load_arrays(record.with_suffix(".errors.npz"))

    def follow(content: dict[str, Any]) -> None:
        artefact = next(a for a in content["artefacts"] if a["path"].endswith("predictions.npz"))
        artefact.update(sha256=file_sha256(predictions), bytes=predictions.stat().st_size)

    altered(with_errors(other, nme_iod=errors["nme_iod"]), follow)
    assert wrong(other) == set()
    said = bench("verify", "--all")
    assert said.code == 5
    assert f"its predictions are those of run {record.stem} of grid" in said.out
    assert "1 of 2 records verified" in said.out


def test_values_of_one_image_are_found(record: Path) -> None:
    with_errors(record, nme_iod=np.zeros(1))
    assert {"metrics", "score nme_iod"} <= wrong(record)


def test_errors_below_zero_are_found(record: Path) -> None:
    errors = load_arrays(record.with_suffix(".errors.npz"))["nme_iod"]
    assert "value nme_iod" in wrong(
        with_errors(record, nme_iod=np.where(np.arange(16), errors, -1))
    )
    assert "value nme_iod" in wrong(with_errors(record, nme_iod=-errors))


def test_values_above_the_greatest_are_found(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = with_errors(record, nme_iod=np.full(16, 101.0))
    assert not any("which no nme_iod can be" in c.detail for c in verify_record(path))
    monkeypatch.setitem(CATALOGUE, "nme_iod", CATALOGUE["nme_iod"]._replace(most=100.0))
    assert any("which no nme_iod can be" in c.detail for c in verify_record(path))


def npz(member: bytes, name: str = "nme_iod.npy") -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, member)

    return write


def header(dtype: str, shape: str) -> bytes:
    text = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


HOSTILE: dict[str, Callable[[Path], object]] = {
    "endless": npz(header("'<f8'", "(10000000000000,)")),
    "endless and empty": npz(header("'|V0'", "(1000000000000000000,)")),
    "bytes": npz(b"no array"),
    "another name": npz(b"no array", "nme_iod"),
    "text": lambda path: np.savez(path, nme_iod=np.array(["a", "b"])),
    "a record array": lambda path: np.savez(path, nme_iod=np.zeros(2, "f4,i4")),
    "complex": lambda path: np.savez(path, nme_iod=np.zeros(16, complex)),
    "no dimension": lambda path: np.savez(path, nme_iod=np.float64(3)),
    "no items": lambda path: np.savez(path, nme_iod=np.zeros(0)),
    "other arrays": lambda path: np.savez(path, nme=np.zeros(16)),
    "no archive": lambda path: path.write_bytes(b"PK\x03\x04 broken"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_wrong_and_end_nothing(
    record: Path, bench: Call, run: Call, kind: str
) -> None:
    """Their digests are those the record says, so that they are read."""
    file = record.with_suffix(".errors.npz")
    HOSTILE[kind](file)

    def follow(content: dict[str, Any]) -> None:
        artefact = next(a for a in content["artefacts"] if a["path"] == file.name)
        artefact.update(sha256=file_sha256(file), bytes=file.stat().st_size)

    altered(record, follow)
    assert "value nme_iod" in wrong(record)
    other = run("halves")
    assert other.code == 0, other.err
    said = bench("verify", "--all")
    assert said.code == 5
    assert "1 of 2 records" in said.out
    shown = bench("board", "small_faces", "--twin").out
    assert "halves" in shown
    assert f"left out: {record.name}" in shown


@pytest.mark.skipif(not BOARDS.is_dir(), reason="no committed records")
@pytest.mark.parametrize("board", ["taichi", "shapenet_cars", "mafl_scale"])
def test_honest_records_pass_when_they_are_scored_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, board: str
) -> None:
    """Hidden joints have no error; points and quaternions were rounded when they were kept."""
    monkeypatch.setenv("BENCH_HOME", str(tmp_path))
    splits, scored = OpenSplits(), set()
    for path in sorted((BOARDS / "twins" / board / "1").glob("*/*.json")):
        checks = verify_record(path, data=True, splits=splits)
        assert [c for c in checks if c.state == "wrong"] == []
        scored |= {c.name for c in checks if c.name.startswith("score ") and c.state == "ok"}
    assert scored == SCORED[board]


def test_altered_labels_are_not_a_wrong_record(
    record: Path, bench: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prepared split on this machine was touched: that is said, and nothing of the record."""
    prepared = home() / "prepared"
    shutil.copytree(prepared.resolve(), copy := tmp_path / "copy")
    prepared.unlink()
    prepared.symlink_to(copy)
    for points in copy.glob("*/test/points.npy"):
        np.save(points, np.load(points) * 0.5)
    said = bench("verify", "--all", "--data")
    assert said.code == 5
    assert "1 of 1 records verified" in said.out
    assert "is not as it was written" in said.err
    assert "restore" not in said.err
    assert wrong(record) == set()


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


def test_groups_other_than_the_labels_say_are_found(record: Path) -> None:
    """As many as the record says, and whole: only the labels know that they are others."""
    kept = load_arrays(record.with_suffix(".errors.npz"))
    mixed = kept["groups.nme_iod"][::-1] if len(set(kept["groups.nme_iod"])) > 1 else None
    assert mixed is not None
    with_errors(record, **{"groups.nme_iod": np.roll(mixed, 1)})
    assert wrong(record) == {"groups"}


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
    assert "1 of 1 records verified" in fine.out
    altered(record, lambda c: c["metrics"][0].update(value=1.0))
    said = bench("verify", "--all")
    assert said.code == 5
    assert "it says 1" in said.out
    assert "restore" in said.err
    states = bench("verify", "--all", "--json").out
    assert '"wrong"' in states


def test_neither_records_nor_all_is_a_usage_error(bench: Call) -> None:
    assert bench("verify").code == 2


def test_a_run_named_by_its_id_is_asked_where_it_stands(record: Path, bench: Call) -> None:
    """Its copy in the run's own folder is not where records belong."""
    assert (home() / "runs" / record.stem / "record.json").exists()
    said = bench("verify", record.stem)
    assert said.code == 0, said.out
    assert bench("verify", str(record)).code == 0
