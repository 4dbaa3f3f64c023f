"""The cells of a study: which runs it asks for, which are done, which wait for the fit of another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from benchmark.contracts.errors import BenchError, Incompatible, PluginBroken, UnknownName
from benchmark.contracts.method import Progress
from benchmark.datasets.prepared import NotPrepared
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import find_protocol
from benchmark.runner.meant import begun, can_take_days
from benchmark.runner.plan import make_plan, resolve
from benchmark.runner.request import Request
from benchmark.runner.run import record_path
from benchmark.settings import SettingsInvalid, settings_words

State = Literal["queued", "running", "done", "failed", "cancelled", "left out"]


@dataclass(frozen=True)
class Cell:
    """One run of a study, as known before it is begun.

    `why` says what stands against it; `record` is where its record lies, or will lie;
    `can_take_days` that a fit meant for a GPU would begin on this machine's CPU.
    """

    request: Request
    name: str
    state: State = "queued"
    why: str = ""
    run_id: str = ""
    fit_id: str = ""
    preset: str = ""
    fitted: bool = False
    record: Path = Path()
    can_take_days: bool = False

    @property
    def key(self) -> str:
        """What it is known by: its identity, or where it has none its words."""
        return self.run_id or " ".join(self.request.words())


def plan_cells(requests: Iterable[Request], progress: Progress) -> list[Cell]:
    """The cells of these requests, each run once, in their order; data are prepared where need be, or
    within `benchmark.datasets.prepared.nothing_prepared` left alone: such a cell has no identity yet.

    What can't be is left out, what lacks something (data, weights) has failed, each with the reason.
    Raises `UnknownName` and `SettingsInvalid` for what is a slip of the pen.
    """
    asked = list(requests)
    for request in asked:
        plugins().method(request.method)
        find_protocol(request.protocol)
    cells: dict[str, Cell] = {}
    for number, request in enumerate(asked):
        progress("plan", number, len(asked))
        cell = _cell(request, progress)
        cells.setdefault(cell.key, cell)
    progress("plan", len(asked), len(asked))
    return list(cells.values())


def _cell(request: Request, progress: Progress) -> Cell:
    cell = Cell(request, name_of(request))
    try:
        plan = make_plan(request, progress)
        record = record_path(plan)
        done = record.exists()
        if not done:
            plan.require(progress)
    except Incompatible as error:
        return replace(cell, state="left out", why=error.message)
    except (UnknownName, SettingsInvalid, PluginBroken):
        raise
    except NotPrepared:
        return _unprepared(cell, progress)
    except BenchError as error:
        return replace(cell, state="failed", why=f"error: {error.sentence}")
    return replace(
        cell,
        state="done" if done else "queued",
        run_id=plan.run_id,
        fit_id=plan.fit_id,
        preset=plan.preset,
        fitted=(plan.fit_folder / "done.json").exists(),
        record=record,
        can_take_days=not done and can_take_days(plan) and not begun(plan),
    )


def _unprepared(cell: Cell, progress: Progress) -> Cell:
    """A cell whose images are not prepared: nothing of it can have been done."""
    found = resolve(cell.request, progress)
    try:
        found.require_there()
    except BenchError as error:
        return replace(cell, state="failed", why=f"error: {error.sentence}")
    return replace(
        cell,
        preset=found.preset,
        why="its images are to be prepared",
        can_take_days=can_take_days(found),
    )


def name_of(request: Request) -> str:
    """For people: "lead small dimension=64 on ytf5, seed 0"."""
    words = (request.method, request.preset, *settings_words(request.given))
    shown = " ".join(word for word in words if word)
    return f"{shown} on {request.protocol}{' (twin)' if request.twin else ''}, seed {request.seed}"


def leaders(cells: Iterable[Cell]) -> Iterator[Cell]:
    """Of each fit that is still to be made the first run that wants it, and all whose fit is made."""
    seen = set()
    for cell in cells:
        fit = cell.fit_id or cell.key
        if cell.fitted or fit not in seen:
            yield cell
        seen.add(fit)
