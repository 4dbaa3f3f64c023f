"""Throw a run away with all that it was made from, so that the same command makes it anew."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from benchmark.contracts.errors import BenchError
from benchmark.contracts.method import Progress
from benchmark.contracts.record import read_record
from benchmark.files import one_writer, read_json
from benchmark.home import home
from benchmark.runner.fitting import waiting_lock
from benchmark.runner.plan import Plan
from benchmark.runner.run import record_path, run_lock


def discard(plan: Plan, progress: Progress) -> None:
    """Remove a run, its fit, the parts that it shares with others, and its record on the board.

    For a method whose code is being written. A record that is committed stands: it is refused, with
    nothing removed.
    """
    target = record_path(plan)
    if target.exists() and _committed(target):
        raise BenchError(
            f"the record of run {plan.run_id} is committed ({target.name}) and stands",
            cure="raise `version` in the method's registration: other code makes another run",
        )
    with run_lock(plan), waiting_lock(plan.fit_folder, progress):
        for folder in (*_parts(plan), plan.fit_folder, plan.folder):
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


def _committed(path: Path) -> bool:
    try:
        done = subprocess.run(
            ["git", "-C", str(path.parent), "ls-files", "--error-unmatch", path.name],
            capture_output=True,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
