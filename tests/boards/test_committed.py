"""The records in git: each one's identity, digests and values follow from its own content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.boards.rows import Entry
from benchmark.contracts.record import read_record
from benchmark.files import file_sha256
from benchmark.metrics.intervals import bootstrap_interval
from benchmark.protocols import find_protocol
from benchmark.runner.identity import ids_from_record

BOARDS = Path(__file__).resolve().parents[2] / "leaderboards"
RECORDS = sorted(p for p in BOARDS.rglob("*.json"))


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: f"{p.parts[-4]}-{p.stem[:8]}")
def test_a_committed_record_is_what_it_says(path: Path) -> None:
    record = read_record(path)
    assert ids_from_record(record) == (record.fit_id, record.run_id)
    assert path.stem == record.run_id
    protocol = find_protocol(f"{record.protocol.id}@{record.protocol.version}")
    assert record.protocol.digest == protocol.digest()
    assert record.code.dirty is False
    assert record.protocol.on == "test"
    for value in record.metrics:
        errors = Entry(record, path).errors(value.metric)
        assert len(errors) == value.n
        assert np.mean(errors, dtype=np.float64) == pytest.approx(value.value, rel=1e-12)
        assert bootstrap_interval(errors) == pytest.approx(value.ci95, rel=1e-9)
    for artefact in record.artefacts:
        if artefact.committed:
            assert file_sha256(path.parent / artefact.path) == artefact.sha256


def test_every_file_beside_a_record_belongs_to_one() -> None:
    owned = {path.parent / a.path for path in RECORDS for a in read_record(path).artefacts}
    assert not [p for p in BOARDS.rglob("*.npz") if p not in owned]
