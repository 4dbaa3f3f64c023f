"""Run a method as `bench run` does, and get the fitted method back."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from benchmark.contracts.errors import BenchError
from benchmark.contracts.method import Method, Progress
from benchmark.interface.progress import make_progress
from benchmark.pages.run_page import write_page
from benchmark.pages.tables import update_boards
from benchmark.pictures.drawing import draw_pictures
from benchmark.registry.protocols import all_protocols
from benchmark.runner.curve import add_curve
from benchmark.runner.done import Asked, asking, find_done, remember
from benchmark.runner.fitted import find_fitted
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import Plan, choose_device, make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run as execute


def run(
    method: str,
    protocol: str,
    *,
    preset: str = "",
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    twin: bool = False,
    on: Literal["test", "validation"] = "test",
    device: str = "auto",
    quiet: bool = False,
) -> Outcome:
    """Fit, predict, score and record; what was done before is found, what was killed goes on.

    The same as `bench run`: the same ids, the same record in the same place, tables and page written.
    `settings` come on top of the preset, `{"reduction": "pca", "stage": {"steps": 3}}`; `on` validation
    people is for choosing settings, and leaves a record on no board. Progress goes to standard error
    unless `quiet`. Raises `BenchError`, which says what to do.

    Returns the outcome: `record` (`record.headline.value` is the first metric's), `path` of the record,
    `found` (nothing was left to do), `other_code` (the plugin's code has changed since).

    Example: `run("mean-shape", "ytf5", twin=True).record.headline.unit` is "%".
    """
    request = Request(
        method=method,
        protocol=protocol,
        preset=preset,
        given=dict(settings or {}),
        seed=seed,
        twin=twin,
        on=on,
        device=device,
    )
    if (done := find_done(request)) is not None:
        return done.outcome
    asked = asking(request)
    with closing(make_progress(quiet)) as progress:
        plan = make_plan(request, progress)
        outcome = execute(plan, progress)
        return complete(plan, outcome, progress, warn=warnings.warn, asked=asked)[0]


def complete(
    plan: Plan,
    outcome: Outcome,
    progress: Progress,
    *,
    warn: Callable[[str], object],
    curve: bool = False,
    asked: Asked | None = None,
) -> tuple[Outcome, Path]:
    """Leave what a run leaves beside its record: tables of the boards, pictures and its page.

    With `curve` also the error against the images seen. The record is written by now, so what is wrong
    with the tables of others is no error of the run: `warn` is told. Given again, the request that was
    `asked` finds the run at once. Returns the outcome and the page.
    """
    whole = _write_tables(plan, warn) if plan.stands else True
    if curve:
        outcome = add_curve(plan, outcome, progress)
    draw_pictures(plan, outcome)
    page = write_page(outcome.record, plan.folder)
    if whole and asked is not None:
        remember(asked, plan, outcome, page)
    return outcome, page


def _write_tables(plan: Plan, warn: Callable[[str], object]) -> bool:
    """Whether the tables of the boards could be written."""
    try:
        update_boards(all_protocols())
    except (BenchError, OSError) as error:
        warn(
            f"run {plan.run_id} is done and its record stands, but the tables of the boards "
            f"were not written: {error}; bench board build writes them"
        )
        return False
    return True


def load(run: str | Outcome, *, device: str = "auto") -> Method:
    """The fitted method of a run, ready to predict; no data is opened.

    `run` is what `run` returned, the id of a run or of a fit, or the beginning of one. `predict` takes
    images (B, 3, S, S), float32 in [-1, 1] on the method's `device`, in batches of 64 or fewer under
    `torch.inference_mode()`; a generator has `generator()`.

    Raises `UnknownName` for another run, `DataMissing` where its fit is not on this machine, and
    `Incompatible` where the installed method has another version or none of bench's was fitted.

    Example: `load(run("lead", "ytf5", twin=True)).predict(images).maps` has 64 channels.
    """
    name = run if isinstance(run, str) else run.record.run_id
    return find_fitted(name).method(choose_device(device))
