"""Run a method as `bench run` does, and get the fitted method back."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from benchmark.contracts.errors import BenchError, DataMissing, Incompatible
from benchmark.contracts.method import Method, Progress, load_from
from benchmark.home import home
from benchmark.interface.progress import make_progress
from benchmark.interface.runs import find_run
from benchmark.method_errors import errors_of
from benchmark.pages.page import write_page
from benchmark.pages.tables import update_boards
from benchmark.pictures.drawing import draw_pictures
from benchmark.records.code import code_state, made_by_other_code
from benchmark.records.reading import read_record
from benchmark.registry.implementations import implementation
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import all_protocols
from benchmark.runner.curve import add_curve
from benchmark.runner.plan import Plan, Request, choose_device, make_plan
from benchmark.runner.run import Outcome
from benchmark.runner.run import run as do
from benchmark.settings import validated


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
    progress = make_progress(quiet)
    try:
        plan = make_plan(request, progress)
        return complete(plan, progress, warn=warnings.warn)[0]
    finally:
        progress.close()


def complete(
    plan: Plan, progress: Progress, *, warn: Callable[[str], object], curve: bool = False
) -> tuple[Outcome, Path]:
    """Do a run and leave all that one leaves: record, tables of the boards, pictures and its page.

    With `curve` also the error against the images seen. Once the record is written, what is wrong with
    the tables of others is no error of the run: `warn` is told. Returns the outcome and the page.
    """
    outcome = do(plan, progress)
    if plan.request.on == "test":
        _write_tables(plan, warn)
    if curve:
        outcome = add_curve(plan, outcome, progress)
    draw_pictures(plan, outcome)
    return outcome, write_page(outcome.record, plan.folder)


def _write_tables(plan: Plan, warn: Callable[[str], object]) -> None:
    try:
        update_boards(all_protocols())
    except (BenchError, OSError) as error:
        warn(
            f"run {plan.run_id} is done and its record stands, but the tables of the boards "
            f"were not written: {error}; bench board build writes them"
        )


def load(run: str | Outcome, *, device: str = "auto") -> Method:
    """The fitted method of a run, ready to predict.

    `run` is an id, its beginning, a record's path, or what `run` returned. `predict` takes images
    (B, 3, S, S), float32 in [-1, 1] on the method's `device`, in batches of 64 or fewer under
    `torch.inference_mode()`; a generator has `generator()`. No data is opened.

    Raises `UnknownName` for another run, `DataMissing` where its fit is not on this machine,
    `Incompatible` where the installed method has another version. Warns where the method's code is no
    longer what the fit was made by.

    Example: `load(run("lead", "ytf5", twin=True)).predict(images).maps` has 64 channels.
    """
    record = run.record if isinstance(run, Outcome) else read_record(find_run(run))
    about = record.method
    if about.origin == "external":
        raise Incompatible(f"run {record.run_id} was scored from a file; no method was fitted here")
    found = plugins()
    spec = found.method(about.id)
    if spec.version != about.version:
        raise Incompatible(
            f"run {record.run_id} is of version {about.version} of {about.id}, version {spec.version} "
            "is installed",
            cure=f"install the plugin in its version {about.version}, or run the method anew",
        )
    folder = home() / "fits" / record.fit_id
    if not (folder / "done.json").exists():
        raise DataMissing(
            f"the fit of run {record.run_id} is not on this machine: there is no {folder}",
            cure="run the method again with the same settings and seed; it is then fitted here",
        )
    cls = implementation(spec)
    method = cls(validated(spec.id, cls.Settings, about.settings))
    runs = found.method(cls.info(method.settings).runs or spec.id)
    if made_by_other_code(record, code_state(runs.implementation, found.distribution[spec.id])):
        warnings.warn(f"the code of {spec.id} is no longer what its fit was made by", stacklevel=2)
    with errors_of(method, "load"):
        load_from(method, folder / "model", choose_device(device))
    return method
