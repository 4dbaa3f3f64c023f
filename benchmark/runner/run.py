"""fit → predict → score → record: three stages, each written whole, each found again."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import filelock

from benchmark.contracts.arithmetic import arithmetic
from benchmark.contracts.errors import DataAltered, RunLocked
from benchmark.contracts.method import Method, Progress
from benchmark.contracts.spec import Kind
from benchmark.files import (
    file_sha256,
    held,
    naming_a_full_disk,
    one_writer,
    read_json,
    require_place,
    sweep,
    whole_file,
    whole_folder,
    write_json,
    write_text,
)
from benchmark.home import leaderboards
from benchmark.records.code import made_by_other_code
from benchmark.records.machine import forget_peak_memory
from benchmark.records.model import DRAFT, Record
from benchmark.records.reading import read_record, record_text
from benchmark.records.values import same_run
from benchmark.registry.protocols import is_draft
from benchmark.runner.fitted import load_method
from benchmark.runner.fitting import fit, read_done, workplace
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import Plan
from benchmark.runner.processes import fit_together
from benchmark.runner.recording import record_of
from benchmark.tasks.base import Scores

PARTS = ("fit", "predict", "score")
"""What a run consists of, in order; each may have stages of its own."""


@runtime_checkable
class InParts(Protocol):
    """A display of progress that shows where in the whole of a run its stages are."""

    def part(self, name: str, number: int, of: int) -> None:
        """The part `name` begins, the first being number 1."""


@arithmetic()
def run(plan: Plan, progress: Progress) -> Outcome:
    """Do what is left of a run; a run that is done, here or on the board, is only read.

    What is refused is refused before anything is written.
    """
    plugin = plan.code.plugin  # now, not at the end: what is edited meanwhile is not what runs
    now = plugin.digest if plugin else None
    target = record_path(plan)
    if not (plan.folder / "record.json").exists():
        if target.exists():
            record = read_record(target)
            return Outcome(record, target, True, made_by_other_code(record, now))
        require_place(target.parent)
        for split in plan.splits.values():
            split.check()
        plan.require(progress)
    with run_lock(plan.folder):
        sweep(plan.folder)
        if (plan.folder / "record.json").exists():
            shutil.rmtree(plan.folder / "predictions", ignore_errors=True)
            record = read_record(plan.folder / "record.json")
            return Outcome(publish(plan, record), target, True, made_by_other_code(record, now))
        forget_peak_memory(plan.device)
        started = _started(plan)
        _begin("fit", progress)
        fitted = _fit(plan, progress)
        _begin("predict", progress)
        _predict(plan, progress)
        _begin("score", progress)
        scores, seconds = _score(plan, progress)
        record = record_of(plan, scores, fitted, seconds, started)
        write_text(plan.folder / "record.json", record_text(record))
        shutil.rmtree(plan.folder / "predictions", ignore_errors=True)
        record = publish(plan, read_record(plan.folder / "record.json"))
    return Outcome(record, target, False, made_by_other_code(record, now))


def record_path(plan: Plan) -> Path:
    """Where the record goes: the board's folder, or where it stands on none only the run's own."""
    if not plan.stands:
        return plan.folder / "record.json"
    board = ("twins", plan.protocol.id) if plan.request.twin else (plan.protocol.id,)
    folder = leaderboards().joinpath(*board, str(plan.protocol.version), plan.spec.id)
    return folder / f"{plan.run_id}.json"


def publish(plan: Plan, record: Record) -> Record:
    """Bring the board's copy of a record and its small artefacts up to date; return that copy.

    Remarks made on the board's copy (a withdrawal, say) stay with it. Where the board holds another
    record of the same run, one from another machine, that one stands and nothing is written.
    """
    target = record_path(plan)
    if not plan.stands:
        return record
    # what was a draft when it was run is installed by now
    record = record.model_copy(
        update={"notes": [n for n in record.notes if not n.startswith(DRAFT)]}
    )
    with one_writer(target):
        if target.exists():
            there = read_record(target)
            if not same_run(there, record):
                return there
            record = record.model_copy(
                update={"edits": there.edits, "curve": record.curve or there.curve}
            )
        for artefact in record.artefacts:
            copy = target.parent / artefact.path
            if not artefact.committed or (copy.exists() and file_sha256(copy) == artefact.sha256):
                continue
            own = plan.folder / artefact.path
            if not own.exists() or file_sha256(own) != artefact.sha256:
                raise DataAltered(
                    f"{own} is missing or not what the record of run {plan.run_id} says",
                    cure=f"delete {plan.folder} and {target}, and run the same command again",
                )
            with whole_file(copy) as temporary:
                shutil.copyfile(own, temporary)
        if not target.exists() or read_record(target) != record:
            write_text(target, record_text(record))
    return record


@contextmanager
def run_lock(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Refuse a second process on the run of that folder, or `wait` until the first has ended."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    holder = Path(f"{folder}.pid")
    try:
        lock = held(Path(f"{folder}.lock"), wait=wait)
    except filelock.Timeout:
        pid = holder.read_text().strip() if holder.exists() else "unknown"
        raise RunLocked(
            f"run {folder.name} is being worked on by another process (pid {pid})",
            cure="wait for it, or end it: this command then goes on where it stopped",
        ) from None
    with lock:
        try:
            with naming_a_full_disk(holder):
                holder.write_text(str(os.getpid()))
            yield
        finally:
            holder.unlink(missing_ok=True)


def _begin(part: str, progress: Progress) -> None:
    if isinstance(progress, InParts):
        progress.part(part, PARTS.index(part) + 1, len(PARTS))


def _started(plan: Plan) -> str:
    """When the run was first begun; kept, so that a resumed run says the same."""
    path = plan.folder / "run.json"
    if not path.exists():
        about = {
            "run_id": plan.run_id,
            "fit_id": plan.fit_id,
            "method": plan.spec.id,
            "preset": plan.preset,
            "given": dict(plan.request.given),
            "settings": plan.settings.model_dump(mode="json"),
            "protocol": plan.protocol.name,
            "twin": plan.request.twin,
            "on": plan.request.on,
            **({"draft": True} if is_draft(plan.protocol) else {}),
            "seed": plan.request.seed,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_json(path, about)
    started: str = read_json(path, f"delete {path}; the run then begins anew", "started")["started"]
    return started


def _fit(plan: Plan, progress: Progress) -> dict[str, Any] | None:
    """What the fit says of itself; None where predictions were made elsewhere."""
    if plan.external is not None:
        return None
    place = workplace(plan, progress)
    if plan.request.devices > 1:
        fit_together(plan, progress)
    else:
        fit(plan.cls(plan.fit_settings), place)
    about = read_done(place.folder)
    return {**about, "reused": about["run"] != plan.run_id}


def loaded_method(plan: Plan, folder: Path | None = None, kind: Kind | None = None) -> Method:
    """The fitted method, ready to predict what the plan asks for, or that `kind`, on its device; or
    what stands in for it."""
    if (other := plan.stand_in()) is not None:
        other.device = plan.device
        return other
    return load_method(
        plan.cls,
        plan.settings,
        folder or plan.fit_folder / "model",
        plan.device,
        kind=kind or plan.predicted_kind,
        weights=plan.weights,
    )


def _predict(plan: Plan, progress: Progress) -> None:
    """Predict, where that was not done yet, or by other code than the record is going to name."""
    store = plan.folder / "predictions"
    code = plan.code.model_dump(mode="json")
    if (about := store / "made.json").exists():
        if read_json(about, f"delete {store}; the run predicts again", "code")["code"] == code:
            return
        progress("predict again, for the code has changed", 0, 1)
    began = time.monotonic()
    with whole_folder(store) as folder:
        method = loaded_method(plan)
        plan.task.predict(method, plan.kind, plan.splits, plan.scored, folder, progress)
        write_json(folder / "made.json", {"seconds": time.monotonic() - began, "code": code})


def _score(plan: Plan, progress: Progress) -> tuple[Scores, float]:
    began = time.monotonic()
    scores = plan.task.score(plan.folder / "predictions", plan.splits, plan.scoring(progress))
    return scores, time.monotonic() - began
