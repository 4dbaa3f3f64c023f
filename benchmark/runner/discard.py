"""Throw away what a run has left: with all that it was made from, or its folder and record alone."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

from benchmark.contracts.errors import BenchError, InvalidInput, by_beginning
from benchmark.contracts.method import Progress
from benchmark.files import listed, one_writer, read_json
from benchmark.home import home, leaderboards
from benchmark.records.code import tracked
from benchmark.records.reading import read_record
from benchmark.runner.fitting import waiting_lock
from benchmark.runner.plan import Plan
from benchmark.runner.run import record_path, run_lock

FILES = (".json", ".errors.npz", ".predictions.npz")
"""What lies on a board of one run: names that a record can't choose."""


def discard(plan: Plan, progress: Progress) -> None:
    """Remove a run, its fit, the parts that it shares with others, and its record on the board.

    For a method whose code is being written. A record that is committed, or was scored again, stands: it
    is refused, with nothing removed.
    """
    target = record_path(plan)
    on_board = plan.stands and target.exists()
    if on_board:
        _require_own(
            target, "raise `version` in the method's registration: other code makes another run"
        )
    with ExitStack() as held:
        held.enter_context(run_lock(plan.folder))
        held.enter_context(waiting_lock(plan.fit_folder, progress))
        parts = _parts(plan)
        for part in parts:  # another fit may be using it
            held.enter_context(waiting_lock(part, progress))
        for folder in (*parts, plan.fit_folder, plan.folder):
            shutil.rmtree(folder, ignore_errors=True)
        if on_board:
            _remove(target)


def find_left(name: str) -> str:
    """The id of the one run that begins so, among those in `$BENCH_HOME/runs`, done or not, and the
    records of the leaderboards, readable or not. Raises `UnknownName`."""
    here = {path.parent.name for path in listed(home() / "runs", "*/run.json")}
    known = here | {path.stem for path in listed(leaderboards(), "**/*.json")}
    return by_beginning("run", name, known)


def drop(run: str) -> list[Path]:
    """Forget a run: remove its folder and its record on the board with the files beside it; what was
    removed. Its fit stays, which other runs may share.

    Raises `BenchError` for a record that is committed, and `InvalidInput` for one that was scored again,
    as the newer one holds its predictions.
    """
    records = listed(leaderboards(), f"**/{run}.json")
    for path in records:
        _require_own(path, "`bench record withdraw` takes it out of the numbers")
    folder = home() / "runs" / run
    with run_lock(folder):
        for path in records:
            _remove(path)
        there = [folder] if folder.exists() else []
        shutil.rmtree(folder, ignore_errors=True)
    return [*records, *there]


def _require_own(path: Path, cure: str) -> None:
    """Refuse to remove a record that stands for others to build on."""
    if tracked(path):
        raise BenchError(
            f"the record of run {path.stem} is committed ({path.name}) and stands", cure=cure
        )
    for other in listed(path.parent, "*.json"):
        try:
            parent = read_record(other).parent
        except BenchError:
            continue
        if parent == path.stem:
            raise InvalidInput(
                f"run {path.stem} was scored again as {other.stem}, which holds its predictions",
                cure=f"bench record drop {other.stem}, and then this one",
            )


def _remove(path: Path) -> None:
    with one_writer(path):
        for ending in FILES:
            path.with_suffix(ending).unlink(missing_ok=True)


def _parts(plan: Plan) -> list[Path]:
    path = next(
        (p for n in ("done", "time") if (p := plan.fit_folder / f"{n}.json").exists()), None
    )
    if path is None:
        return []
    about = read_json(path, f"delete {plan.fit_folder}")
    return [home() / "fits" / "parts" / part["folder"] for part in about["parts"].values()]
