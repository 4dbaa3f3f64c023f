"""What `bench run` does once its options are read."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from benchmark.cli.output import as_json, paragraph
from benchmark.contracts.errors import BenchError
from benchmark.contracts.method import Progress
from benchmark.datasets.prepared import NotPrepared, nothing_prepared
from benchmark.interface.progress import Lines, duration, make_progress
from benchmark.interface.running import complete
from benchmark.records.model import DRAFT
from benchmark.runner.checkpoints import checkpoint_files
from benchmark.runner.curve import require_possible
from benchmark.runner.discard import discard
from benchmark.runner.plan import Plan, Request, make_plan, resolve
from benchmark.runner.run import Outcome, run
from benchmark.settings import SettingsInvalid, settings_words

PAPER = "paper"
"""The preset that is what a paper trained, for a GPU."""


def run_command(
    request: Request,
    seeds: Sequence[int] = (0,),
    *,
    with_floors: bool = False,
    curve: bool = False,
    anew: bool = False,
    yes: bool = False,
    plan_only: bool = False,
    json_: bool = False,
    quiet: bool = False,
    lines: bool = False,
) -> None:
    """Run what is asked for with each seed in turn, and say what came out.

    With floors, these come first, so that the end of the run can tell what its number is worth.
    """
    results = []
    for one, beside in _requests(request, seeds, with_floors):
        if beside and not json_:
            click.secho(one.method, bold=True)
        try:
            if not (yes or plan_only):
                with closing(make_progress(quiet or json_)) as progress:
                    require_meant(one, progress)
            with closing(Lines() if lines else make_progress(quiet or json_)) as progress:
                if plan_only:
                    results.append(_planned(one, progress))
                    if not json_:
                        _say_plan(results[-1])
                    continue
                plan = make_plan(one, progress)
                if curve and not beside:
                    require_possible(plan)
                if anew:
                    discard(plan, progress)
                if (since := checkpoint_time(plan)) and not (quiet or json_):
                    click.echo(f"the fit goes on from its checkpoint of {since}", err=True)
                outcome = run(plan, progress)
                outcome, page = complete(
                    plan, outcome, progress, warn=warn, curve=curve and not beside
                )
        except BenchError as error:
            if not beside:
                raise
            # a floor that can't be had here is no fault of the run that is asked for
            warn(f"without {one.method}: {error.message}")
            continue
        results.append(summary(outcome, page))
        if not json_:
            say(outcome, page, place=plan.stands and not beside)
    if json_:
        as_json(results if len(results) > 1 else results[0])


def _requests(
    request: Request, seeds: Sequence[int], with_floors: bool
) -> list[tuple[Request, bool]]:
    """What is to be run in turn, and whether it is a floor beside what was asked for. Floors need no
    more than one seed; the untrained network takes those of the method, to be paired with it."""
    asked = [(replace(request, seed=seed), False) for seed in seeds]
    if not with_floors:
        return asked
    from benchmark.runner.beside import floors, untrained

    plain = [(replace(floor, seed=seeds[0]), True) for floor in floors(request)]
    same = [(replace(untrained(request), seed=seed), True) for seed in seeds]
    return [*plain, *same, *asked]


def require_meant(request: Request, progress: Any) -> None:
    """Ask, or where nobody can answer refuse, before what takes days begins by mistake; nothing is
    prepared before the answer.

    Raises `SettingsInvalid`, or where the answer is no ends the command with 1.
    """
    found = resolve(request, progress)
    if found.preset != PAPER or found.device != "cpu" or found.spec.role != "method":
        return
    plan = _read_only(request, progress)
    if plan and (checkpoint_time(plan) or (plan.fit_folder / "done.json").exists()):
        return
    from benchmark.boards.times import cpu_seconds

    taken = {p: s for p, s in cpu_seconds(found.spec.id, found.protocol).items() if p}
    took = ", ".join(f"{preset} {duration(seconds)}" for preset, seconds in taken.items())
    text = (
        f"the preset {PAPER} of {found.spec.id} is meant for a GPU; on a CPU it can take days"
        + (f" (on record here, per run on a CPU: {took})" if took else "")
    )
    if sys.stdin is not None and sys.stdin.isatty():
        progress.close()
        if not click.confirm(f"{text}. Start it?", err=True):
            click.echo("not started", err=True)
            raise click.exceptions.Exit(1)
        return
    others = " or ".join(f"--preset {p}" for p in found.spec.presets if p in ("small", "demo"))
    raise SettingsInvalid(
        text,
        cure=f"{others}{', ' if others else ''}--device cuda, or --yes to start it all the same",
    )


def warn(text: str) -> None:
    """A warning on standard error."""
    click.secho(f"warning: {text}", fg="yellow", err=True)


def _read_only(request: Request, progress: Progress) -> Plan | None:
    """The plan of a request, where nothing has to be prepared for it; else None."""
    try:
        with nothing_prepared():
            return make_plan(request, progress)
    except NotPrepared:
        return None


def _planned(request: Request, progress: Progress) -> dict[str, Any]:
    """What would be done. Which run it is follows from the pixels, so where these are not prepared there
    is no id yet, and nothing of it can have been done."""
    from benchmark.boards.times import cpu_seconds

    found = resolve(request, progress)
    about: dict[str, Any] = {
        "method": found.spec.id,
        "preset": found.preset,
        "seed": found.request.seed,
        "settings": found.settings.model_dump(mode="json"),
        "protocol": found.protocol.name,
        "kind": found.kind,
        "device": found.device,
        "devices": found.request.devices,
        "splits": found.sources,
        "cpu_seconds": cpu_seconds(found.spec.id, found.protocol).get(found.preset)
        if found.device == "cpu"
        else None,
    }
    plan = _read_only(request, progress)
    if plan is None:
        found.require_there()
        unknown: dict[str, Any] = {"run_id": None, "fit_id": None, "images": None, "folder": None}
        return {**about, **unknown, "done": False, "fitted": False, "checkpoint": ""}
    if not (plan.folder / "record.json").exists():
        plan.require(progress)
    return {
        **about,
        "run_id": plan.run_id,
        "fit_id": plan.fit_id,
        "images": {name: len(split) for name, split in plan.splits.items()},
        "folder": str(plan.folder),
        "done": (plan.folder / "record.json").exists(),
        "fitted": (plan.fit_folder / "done.json").exists(),
        "checkpoint": checkpoint_time(plan),
    }


def _say_plan(about: Mapping[str, Any]) -> None:
    """For people: what would be done, with what, and where it would lie."""
    todo = (
        "done before; nothing to do"
        if about["done"]
        else "fitted before; predict and score"
        if about["fitted"]
        else f"the fit goes on from its checkpoint of {about['checkpoint']}"
        if about["checkpoint"]
        else "fit, predict and score"
        if about["images"]
        else "prepare images, fit, predict and score"
    )
    name = " ".join(w for w in (about["method"], about["preset"]) if w)
    click.secho(f"{name} on {about['protocol']}, seed {about['seed']}: {todo}", bold=True)
    count = f" in {about['devices']} processes" if about["devices"] > 1 else ""
    lines = {
        "settings": ", ".join(settings_words(about["settings"])) or "none",
        "images": ", ".join(
            f"{name} {number:,} ({about['splits'][name]})"
            for name, number in about["images"].items()
        )
        if about["images"]
        else ", ".join(f"{name} ({split})" for name, split in about["splits"].items())
        + ", to be prepared",
        "scored": f"{about['kind']}, on {about['device']}{count}",
        "folder": about["folder"]
        or "known once images are prepared: the run's id follows from their pixels",
    }
    if about["cpu_seconds"] is not None and not about["done"]:
        lines["took"] = f"{duration(about['cpu_seconds'])} for runs like it, on CPUs, by records"
    for name, value in lines.items():
        click.echo(f"  {name:<9} {value}")


def checkpoint_time(plan: Plan) -> str:
    """When a fit that was not finished last saved its state ("2026-01-31 12:00 UTC"); empty for none."""
    saved = [path.stat().st_mtime for path in checkpoint_files(plan.fit_folder)]
    if (plan.fit_folder / "done.json").exists() or not saved:
        return ""
    return datetime.fromtimestamp(max(saved), UTC).strftime("%Y-%m-%d %H:%M UTC")


def summary(outcome: Outcome, page: Path) -> dict[str, Any]:
    record = outcome.record
    return {
        "run_id": record.run_id,
        "found": outcome.found,
        "other_code": outcome.other_code,
        "metrics": {v.metric: v.value for v in record.metrics},
        "ci95": {v.metric: v.ci95 and list(v.ci95) for v in record.metrics},
        "record": str(outcome.path),
        "page": str(page),
    }


def say(outcome: Outcome, page: Path, *, place: bool = False) -> None:
    """For people: what a run gave, with its `place` on the board what that is worth, and where it
    lies."""
    record = outcome.record
    if outcome.found:
        click.echo(f"done before, on {record.finished[:16].replace('T', ' ')} UTC; nothing to do")
    for value in record.metrics:
        click.secho(f"{value.metric} {value.value:.2f} {value.unit}", bold=True, nl=False)
        click.echo(
            f"   {value.interval()}"
            + ("   (twin: rendered data)" if record.protocol.twin else "")
            + ("   (validation images)" if record.protocol.on == "validation" else "")
            + ("   (draft: on no board)" if any(n.startswith(DRAFT) for n in record.notes) else "")
        )
    if record.protocol.on == "validation":
        fitted = record.data["fit"]
        click.echo(f"fitted on the {fitted.images:,} images of {fitted.split}")
    lines: list[str] = []
    more: list[str] = []
    if place:
        from benchmark.cli.verdict import verdict

        lines, more = verdict(record)
    for line in lines:
        paragraph(line)
    spent = ", ".join(
        f"{name} {duration(stage.seconds)}{' (found)' if stage.reused else ''}"
        for name, stage in record.stages.items()
    )
    click.echo(f"{record.method.id} · seed {record.seed} · {spent}")
    if outcome.other_code:
        click.secho(
            f"note: the code of {record.method.id} is no longer what "
            f"{'this run' if outcome.found else 'its fit'} was made by; if that moves numbers, raise "
            "`version` in its registration (or, while you write it, --anew makes the run again)",
            fg="yellow",
        )
    click.echo(f"record    {outcome.path}")
    click.echo(f"page      {page}")
    if (page.parent / "pictures").exists():
        click.echo(f"pictures  {page.parent / 'pictures'}")
    for line in more:
        click.secho(f"next      {line}", dim=True)
