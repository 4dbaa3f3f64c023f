"""What may be done to records after a run: a remark on one, and taking in those of others.

Numbers in a record never change; a remark says who, when and why. A record from elsewhere is taken in
only when everything in it that can be recomputed here comes out as it says.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from benchmark.contracts.errors import BenchError, DataAltered, InvalidInput
from benchmark.files import file_sha256, held, listed, one_writer, sweep, whole_file, write_text
from benchmark.home import home, leaderboards
from benchmark.records.claims import borrowed
from benchmark.records.model import Edit, Record
from benchmark.records.reading import LARGEST, read_record, record_text
from benchmark.records.values import COMMITTED_BYTES, same_run
from benchmark.registry.plugins import plugins
from benchmark.verification.kept import OpenSplits
from benchmark.verification.verify import Check, verify_record


class RecordRefused(BenchError):
    """A record from elsewhere does not give what it claims."""

    exit_code = 13


def remark(
    path: Path, action: Literal["withdrawn", "annotated"], *, reason: str, author: str
) -> Record:
    """Add a remark to the record at `path`, and return it; nothing else of it changes."""
    if not reason.strip() or not author.strip():
        raise InvalidInput("a remark needs a reason and an author")
    with one_writer(path):
        record = read_record(path)
        if action == "withdrawn" and any(e.action == "withdrawn" for e in record.edits):
            raise InvalidInput(f"run {record.run_id} is withdrawn already")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        edit = Edit(when=now, author=author.strip(), reason=reason.strip(), action=action)
        changed = record.model_copy(update={"edits": [*record.edits, edit]})
        write_text(path, record_text(changed))
    return changed


@dataclass(frozen=True)
class ImportedRecord:
    """What became of a record: where it lies now, whether it was there before, and its checks."""

    record: Record
    path: Path
    found: bool
    checks: list[Check]


def oldest_first(paths: list[Path]) -> list[Path]:
    """Records in the order in which they were made, so that what was scored again comes after what it
    was made from; what can't be read comes first."""

    def made(path: Path) -> tuple[str, bool]:
        try:
            record = read_record(path)
        except BenchError:
            return "", False
        return record.finished, bool(record.parent)

    return sorted(paths, key=made)


def import_record(
    source: Path, *, data: bool = False, splits: OpenSplits | None = None
) -> ImportedRecord:
    """Check the record at `source` (its small files beside it) and copy it onto its board.

    Every check of `benchmark.verification.verify` must hold; `data` also scores kept
    predictions again, for which whoever takes in many gives `splits`. Raises `RecordInvalid`,
    `RecordRefused` with the checks that failed, or for links, files beyond their size, and what
    would take the place of another file; `DataAltered` where the data here are not what the
    record could be held against.
    """
    _require_plain(source, LARGEST)
    record = read_record(source)
    if record.external and record.method.id in plugins().methods:
        raise RecordRefused(
            f"{source} was scored from a file, but {record.method.id!r} is an installed method",
            cure="ask for it under another name: `bench score --name`",
        )
    text = record_text(record)
    protocol = record.protocol
    parts = (*(("twins",) if protocol.twin else ()), protocol.id, str(protocol.version))
    target = leaderboards().joinpath(*parts, record.method.id, f"{record.run_id}.json")
    kept = [a for a in record.artefacts if a.committed]
    with _scratch() as scratch:
        staged = scratch.joinpath(*target.relative_to(leaderboards()).parts)
        staged.parent.mkdir(parents=True)
        shutil.copyfile(source, staged)
        for artefact in kept:
            file = source.parent / artefact.path
            if file.exists() or file.is_symlink():
                _require_plain(file, COMMITTED_BYTES[artefact.path.split(".")[1]])
                shutil.copyfile(file, staged.parent / artefact.path)
        if record.parent:  # it brings predictions under the name of another run
            parent = target.with_name(f"{record.parent}.json")
            if not parent.exists():
                raise RecordRefused(
                    f"{source} was scored again from run {record.parent}, which is not on the board",
                    cure=f"bring the record of run {record.parent} first, or both in one folder",
                )
            shutil.copyfile(parent, staged.with_name(parent.name))
        _require_runnable(source, record)
        checks = verify_record(staged, data=data, splits=splits)
        _require_right(source, checks)
        with one_writer(target):
            if target.exists():
                there = read_record(target)
                if not same_run(there, record):
                    raise RecordRefused(
                        f"{target} is a record of the same run and says something else",
                        cure="compare the two; withdraw the wrong one with `bench record withdraw`",
                    )
                return ImportedRecord(there, target, True, checks)
            _require_room(target, record)
            # the record last: what lies beside a record belongs to it, and a kill leaves none without
            for artefact in kept:
                with whole_file(target.parent / artefact.path) as temporary:
                    shutil.copyfile(staged.parent / artefact.path, temporary)
            write_text(target, text)
    return ImportedRecord(record, target, False, checks)


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder for what is not known to be right yet; imports take turns, and the next one removes what
    a killed one left."""
    place = home() / "scratch"
    place.mkdir(parents=True, exist_ok=True)
    with held(place / ".import.lock"):
        sweep(place, "import-")
        with TemporaryDirectory(prefix="import-", dir=place) as folder:
            yield Path(folder)


def _require_runnable(source: Path, record: Record) -> None:
    """Refuse numbers of a method that nobody here could run again."""
    if record.external is None and record.method.id not in plugins().methods:
        raise RecordRefused(
            f"{source} is of the method {record.method.id!r}, which is not installed",
            cure="install its plugin first: records of methods that can't be run are not taken",
        )


def _require_right(source: Path, checks: list[Check]) -> None:
    """Refuse a record of which a check does not hold, or whose protocol is not here to ask."""
    for check in checks:
        if check.state == "altered":
            raise DataAltered(f"{source} can't be checked here: {check.detail}")
    wrong = [c for c in checks if c.state == "wrong" or (c.name == "protocol" and c.state != "ok")]
    if wrong:
        raise RecordRefused(
            f"{source} is not what it says:\n"
            + "\n".join(f"    {check.name}: {check.detail}" for check in wrong),
            cure="bring the record with all files beside it, as the run left them",
        )


def _require_room(target: Path, record: Record) -> None:
    """Refuse what would take the place of a file of another content, or contradict what stands."""
    for artefact in record.artefacts:
        there = target.parent / artefact.path
        if artefact.committed and there.exists() and file_sha256(there) != artefact.sha256:
            raise RecordRefused(f"{there} is there, with another content")
    test = record.data["test"]
    for path in listed(target.parents[1], "*/*.json"):
        try:
            standing = read_record(path)
        except BenchError:  # boards leave it out
            continue
        runs = {record.run_id, record.parent}
        same_row = record.external and standing.method.id == record.method.id
        if same_row and labels_differ(standing, record.method.supervision):
            raise RecordRefused(
                f"run {path.stem} of {record.method.id} has supervision "
                f"{standing.method.supervision!r}, this record {record.method.supervision!r}",
                cure="hand the file in under another name: a row is of one method",
            )
        if record.external and same_place(standing, record.method.id, record.seed, runs):
            raise RecordRefused(
                f"run {path.stem} is seed {record.seed} of {record.method.id}, from another file",
                cure="withdraw one of the two, or hand the file in under another name or seed",
            )
        if borrowed(record, standing):
            raise RecordRefused(
                f"the predictions of run {record.run_id} ({record.method.id}) are those of run "
                f"{path.stem} ({standing.method.id}), to the last bit"
            )
        other = standing.data["test"]
        if other.pixels == test.pixels and other.images != test.images:
            raise RecordRefused(
                f"run {record.run_id} counts {test.images} test images where run {path.stem} counts "
                f"{other.images} of the same pixels"
            )


def same_place(there: Record, name: str, seed: int, runs: Collection[str]) -> bool:
    """Whether a record of a file stands where another file's would: as this seed of the row `name`.

    `runs` are ids of the other's own runs: those are of one file.
    """
    return (
        there.external is not None
        and (there.method.id, there.seed) == (name, seed)
        and not ({there.run_id, there.parent} - {""}) & set(runs)
        and not any(edit.action == "withdrawn" for edit in there.edits)
    )


def labels_differ(there: Record, supervision: str) -> bool:
    """Whether a record of a file, which stands, saw other labels than the row that it stands in says."""
    return (
        there.external is not None
        and there.method.supervision != supervision
        and not any(edit.action == "withdrawn" for edit in there.edits)
    )


def _require_plain(path: Path, largest: int) -> None:
    try:
        about = os.lstat(path)
    except OSError:
        raise DataAltered(f"there is no file {path}") from None
    if not stat.S_ISREG(about.st_mode):
        raise RecordRefused(f"{path} is not a plain file")
    if about.st_size > largest:
        raise RecordRefused(f"{path} has {about.st_size:,} bytes; {largest:,} are allowed")
