"""Pictures of twin runs drawn anew from what lies beside their records, on any machine."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark.boards.entries import Entry
from benchmark.boards.pictures import pictures_of, run_folder
from benchmark.boards.standings import with_entries
from benchmark.contracts.errors import BenchError
from benchmark.contracts.method import Progress
from benchmark.pictures.drawing import draw_pictures
from benchmark.protocols import Protocol
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request


def draw_twins(progress: Progress, protocols: Iterable[Protocol]) -> tuple[int, list[str]]:
    """Draw what is missing of every twin run on the boards of `protocols`.

    Returns how many runs got pictures, and for which a plan can't be made, with the reason. Twins are
    rendered where they are not prepared. What needs the fit (parts, generated images) is drawn only
    where the fit is.
    """
    drawn, failed = 0, []
    entries = [e for board, found in with_entries(protocols) if board.twin for e in found]
    for done, entry in enumerate(entries, start=1):
        record = entry.record
        if not pictures_of(record, run_folder(record)):
            try:
                drawn += _draw(entry, progress)
            except BenchError as error:
                failed.append(f"{record.run_id} ({record.method.id}): {error.message}")
        progress("pictures", done, len(entries))
    return drawn, failed


def _draw(entry: Entry, progress: Progress) -> bool:
    record = entry.record
    request = Request(
        method=record.method.id,
        protocol=f"{record.protocol.id}@{record.protocol.version}",
        preset=record.method.preset,
        given=record.method.settings_given,
        seed=record.seed,
        twin=True,
        device="cpu",
    )
    plan = make_plan(request, progress)
    if plan.run_id != record.run_id:
        raise BenchError(f"the same words make run {plan.run_id} today")
    return draw_pictures(plan, Outcome(record, entry.path, found=True)) is not None
