"""What `bench run` does once its options are read."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from benchmark.cli.output import as_json, paragraph
from benchmark.contracts.errors import BenchError
from benchmark.interface.progress import Lines, duration, make_progress
from benchmark.records.model import DRAFT
from benchmark.runner.done import find_done
from benchmark.runner.outcome import Outcome
from benchmark.runner.request import Request


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
        drawn = curve and not beside
        done = None if plan_only or anew or drawn else find_done(one)
        if done is None:
            # torch comes with it
            from benchmark.cli.executing import execute, planned, require_meant, say_plan

            try:
                if not (yes or plan_only):
                    with closing(make_progress(quiet or json_)) as progress:
                        require_meant(one, progress)
                with closing(Lines() if lines else make_progress(quiet or json_)) as progress:
                    if plan_only:
                        results.append(planned(one, progress))
                        if not json_:
                            say_plan(results[-1])
                        continue
                    done = execute(one, progress, curve=drawn, anew=anew, quiet=quiet or json_)
            except BenchError as error:
                if not beside:
                    raise
                # a floor that can't be had here is no fault of the run that is asked for
                warn(f"without {one.method}: {error.message}")
                continue
        results.append(summary(done.outcome, done.page))
        if not json_:
            say(done.outcome, done.page, place=done.stands and not beside)
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


def warn(text: str) -> None:
    """A warning on standard error."""
    click.secho(f"warning: {text}", fg="yellow", err=True)


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
    lies.

    A number has one interval: the board's, where the run has a place there; that over the run's own
    items is on its page.
    """
    from benchmark.cli.verdict import verdict

    record = outcome.record
    found = verdict(record) if place else None
    if outcome.found:
        click.echo(f"done before, on {record.finished[:16].replace('T', ' ')} UTC; nothing to do")
    for value in record.metrics:
        click.secho(f"{value.metric} {value.value:.2f} {value.unit}", bold=True, nl=False)
        about = found.interval if found and value.metric == found.metric else value.interval()
        click.echo(
            (f"   {about}" if about else "")
            + ("   (twin: rendered data)" if record.protocol.twin else "")
            + ("   (validation images)" if record.protocol.on == "validation" else "")
            + ("   (draft: on no board)" if any(n.startswith(DRAFT) for n in record.notes) else "")
        )
    if record.protocol.on == "validation":
        fitted = record.data["fit"]
        click.echo(f"fitted on the {fitted.images:,} images of {fitted.split}")
    for line in found.lines if found else ():
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
    for line in found.commands if found else ():
        click.secho(f"next      {line}", dim=True)
