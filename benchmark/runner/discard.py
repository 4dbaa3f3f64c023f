"""Throw a run away with all that it was made from, so that the same command makes it anew."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

from benchmark.contracts.errors import BenchError
from benchmark.contracts.method import Progress
from benchmark.contracts.record import read_record
from benchmark.files import one_writer, read_json
from benchmark.home import home
from benchmark.runner.code import tracked
from benchmark.runner.fitting import waiting_lock
from benchmark.runner.plan import Plan
from benchmark.runner.run import record_path, run_lock


def discard(plan: Plan, progress: Progress) -> None:
    """Remove a run, its fit, the parts that it shares with others, and its record on the board.

    For a method whose code is being written. A record that is committed stands: it is refused, with
    nothing removed.
    """
    target = record_path(plan)
    if target.exists() and tracked(target):
        raise BenchError(
            f"the record of run {plan.run_id} is committed ({target.name}) and stands",
            cure="raise `version` in the method's registration: other code makes another run",
        )
    with ExitStack() as held:
        held.enter_context(run_lock(plan))
        held.enter_context(waiting_lock(plan.fit_folder, progress))
        parts = _parts(plan)
        for part in parts:  # another fit may be using it
            held.enter_context(waiting_lock(part, progress))
        for folder in (*parts, plan.fit_folder, plan.folder):
            shutil.rmtree(folder, ignore_errors=True)
        if plan.request.on == "test" and target.exists():
            with one_writer(target):
                kept = [a.path for a in read_record(target).artefacts if a.committed]
                for name in (target.name, *kept):
                    target.with_name(name).unlink(missing_ok=True)


def _parts(plan: Plan) -> list[Path]:
    path = next(
        (p for n in ("done", "time") if (p := plan.fit_folder / f"{n}.json").exists()), None
    )
    if path is None:
        return []
    about = read_json(path, f"delete {plan.fit_folder}")
    return [home() / "fits" / "parts" / part["folder"] for part in about["parts"].values()]
