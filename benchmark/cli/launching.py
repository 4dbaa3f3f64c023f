"""`bench run --launcher NAME`: the runs of all seeds elsewhere, and what became of each."""

from __future__ import annotations

import json
import shlex
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from benchmark.cli.output import as_json
from benchmark.contracts.errors import BenchError
from benchmark.contracts.launch import Ended, Job
from benchmark.launch import make_launcher
from benchmark.records.reading import read_record
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import find_protocol
from benchmark.runner.plan import Request
from benchmark.runner.run import Outcome
from benchmark.tasks.faults import require_sound

LAST = 2000  # characters of a log that are looked at for its error


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
    failed = 0
    launched = place.launch(jobs)
    with ExitStack() as stack:
        if isinstance(launched, Generator):
            stack.enter_context(closing(launched))  # Ctrl-C may come here too: it ends what runs
        for ended in launched:
            results.append(_result(ended))
            failed = failed or (ended.code or 0)
            if not json_:
                _say(ended)
    if json_:
        as_json(results)
    if failed:
        raise click.exceptions.Exit(failed if 0 < failed < 256 else 1)


def _result(ended: Ended) -> dict[str, Any]:
    about: dict[str, Any] = {"job": ended.job.name, "code": ended.code, "log": str(ended.log)}
    if ended.code == 0:
        return about | _summary(ended)
    return about | ({"submitted": ended.output} if ended.code is None else {"error": _error(ended)})


def _summary(ended: Ended) -> dict[str, Any]:
    try:
        summary: dict[str, Any] = json.loads(ended.output)
    except ValueError:
        raise BenchError(
            f"{ended.job.name}: it ended well and printed no JSON; see {ended.log}"
        ) from None
    return summary


def _error(ended: Ended) -> str:
    """The error that the run ended with, from its log."""
    text = ended.log.read_text("utf-8", "replace")[-LAST:] if ended.log.exists() else ""
    at = max(text.rfind("error: "), 0)
    return text[at:].strip() or f"exit code {ended.code}"


def _say(ended: Ended) -> None:
    from benchmark.cli.running import say

    if ended.code == 0:
        summary = _summary(ended)
        path = Path(summary["record"])
        outcome = Outcome(read_record(path), path, summary["found"], summary["other_code"])
        say(outcome, Path(summary["page"]))
    elif ended.code is None:
        click.echo(f"{ended.job.name}: {ended.output}; its log will be {ended.log}")
    else:
        click.secho(f"{ended.job.name}: ", fg="red", nl=False)
        click.echo(f"{_error(ended)}\n  log: {ended.log}")
