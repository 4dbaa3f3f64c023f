"""`bench run --launcher NAME`: the runs of all seeds elsewhere, and what became of each."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from benchmark.cli.output import as_json
from benchmark.contracts.launch import Begun, Ended, Job
from benchmark.launch import execute, make_launcher
from benchmark.launch.said import error, summary
from benchmark.pages.tables import update_boards
from benchmark.records.reading import read_record
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import all_protocols, find_protocol
from benchmark.runner.outcome import Outcome
from benchmark.runner.request import Request
from benchmark.tasks.faults import require_sound


def launch(
    request: Request,
    seeds: Sequence[int],
    *,
    launcher: str,
    options: Mapping[str, str],
    more: Sequence[str] = (),
    plan_only: bool,
    json_: bool,
) -> None:
    """Launch what is asked for, a run for each seed; exits with the code of the first that fails.

    `more` are words of `bench run` beside those of the request.
    """
    plugins().method(request.method)
    found = find_protocol(request.protocol)
    require_sound(found)
    asked = [replace(request, seed=seed) for seed in seeds]
    jobs = [
        Job(f"{r.method} on {found.name}, seed {r.seed}", (*r.words(), *more, "--json"))
        for r in asked
    ]
    if plan_only:
        if json_:
            as_json([{"job": job.name, "command": job.command()} for job in jobs])
        for job in jobs if not json_ else ():
            click.echo(f"{job.name}\n  {shlex.join(job.command())}")
        return
    place = make_launcher(launcher, options)
    if not json_:
        place.say = lambda line: click.echo(line, err=True)
    results: list[dict[str, Any]] = []
    failed: int = 0
    brought = False
    with closing(execute(place, jobs)) as events:  # Ctrl-C may come here too: it ends what runs
        for event in events:
            if isinstance(event, Begun):
                place.say(f"begun: {event.job.name} ({event.where})")
                continue
            about = summary(event)
            results.append(_result(event, about))
            brought |= event.brought
            failed = failed or (event.code or (event.code == 0 and about is None))
            if event.code is not None:
                how = "done" if event.code == 0 else f"ended with exit code {event.code}"
                place.say(f"{how}: {event.job.name} ({len(results)} of {len(jobs)})")
            if not json_:
                _say(event, about)
    if brought:
        update_boards(all_protocols())
    if json_:
        as_json(results)
    if failed:
        raise click.exceptions.Exit(failed if 0 < failed < 256 else 1)


def _result(ended: Ended, said: dict[str, Any] | None) -> dict[str, Any]:
    about: dict[str, Any] = {"job": ended.job.name, "code": ended.code, "log": str(ended.log)}
    if said is not None:
        return about | said
    return about | ({"submitted": ended.output} if ended.code is None else {"error": error(ended)})


def _say(ended: Ended, about: dict[str, Any] | None) -> None:
    from benchmark.cli.running import say

    if about is not None:
        path = Path(about["record"])
        outcome = Outcome(read_record(path), path, about["found"], about["other_code"])
        say(outcome, Path(about["page"]), place=True)
    elif ended.code is None:
        click.echo(f"{ended.job.name}: {ended.output}; its log will be {ended.log}")
    else:
        click.secho(f"{ended.job.name}: ", fg="red", nl=False)
        click.echo(f"{error(ended)}\n  log: {ended.log}")
