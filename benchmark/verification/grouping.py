"""The groups of test items, added to a record from before they were kept."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from benchmark.contracts.errors import DataMissing
from benchmark.files import load_arrays, one_writer, whole_file, write_text
from benchmark.home import home
from benchmark.records.model import GROUPS, Edit, Record
from benchmark.records.reading import read_record, record_text
from benchmark.records.values import value_of, write_artefact
from benchmark.registry.protocols import find_protocol
from benchmark.tasks.base import find_task, groups_of
from benchmark.verification.kept import find_artefact, scored_split


def add_groups(path: Path, *, author: str) -> Record | None:
    """Give the record at `path`, of schema 3 or before, the groups of its test items; None if it has
    them.

    Its values stay; its intervals are drawn anew, by group, and a remark says so. Raises `DataMissing`
    where its errors, or the labels that it was scored on, are not here.
    """
    with one_writer(path):
        record = read_record(path)
        if record.drawn_by:
            return None
        protocol = find_protocol(f"{record.protocol.id}@{record.protocol.version}")
        scored = protocol.scored(twin=record.protocol.twin)
        before = find_artefact(path, record, "errors")
        if before is None:
            raise DataMissing(
                f"the per-item errors of run {record.run_id} are not here",
                cure="they lie where it was run, in BENCH_HOME",
            )
        errors = load_arrays(before)
        items = {value.metric: value.n for value in record.metrics}
        groups = groups_of(find_task(protocol.task), scored_split(protocol, record), scored, items)
        own = home() / "runs" / record.run_id / before.name
        artefact = write_artefact(
            own, errors | {GROUPS + name: array for name, array in groups.items()}
        )
        if artefact.committed:
            with whole_file(path.with_name(before.name)) as copy:
                shutil.copyfile(own, copy)
        values = [
            value_of(
                metric,
                errors[metric.id],
                before.name,
                items=old.n if metric.aggregate == "single" else None,
                groups=groups.get(metric.id),
            ).model_copy(update={"version": old.version, "value": old.value})
            for metric, old in zip(scored.metrics, record.metrics, strict=True)
        ]
        edit = Edit(
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            author=author,
            reason="items' groups added from the labels; intervals are drawn by group, values stand",
            action="annotated",
        )
        changed = record.model_copy(
            update={
                "metrics": values,
                "drawn_by": protocol.drawn_by,
                "artefacts": [artefact if a.path == before.name else a for a in record.artefacts],
                "edits": [*record.edits, edit],
            }
        )
        write_text(path, record_text(changed))
    return changed
