"""What a run came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmark.records.model import Record


@dataclass(frozen=True)
class Outcome:
    """A finished run: its record, where it lies, and whether it had been done before.

    `other_code` says that the method's package is no longer what the record, or its fit, was made by.
    """

    record: Record
    path: Path
    found: bool
    other_code: bool = False

    def __repr__(self) -> str:
        record, value = self.record, self.record.headline
        protocol = f"{record.protocol.id}@{record.protocol.version}"
        return (
            f"<run {record.run_id}: {record.method.id} on {protocol}, seed {record.seed}: "
            f"{value.metric} {value.value:.2f} {value.unit}".rstrip()
            + ">"
        )
