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
    failed: int = 0
    launched = place.launch(jobs)
    with ExitStack() as stack:
        if isinstance(launched, Generator):
            stack.enter_context(closing(launched))  # Ctrl-C may come here too: it ends what runs
        for ended in launched:
            summary = _summary(ended)
            results.append(_result(ended, summary))
            failed = failed or (ended.code or (ended.code == 0 and summary is None))
            if not json_:
                _say(ended, summary)
    if json_:
        as_json(results)
    if failed:
        raise click.exceptions.Exit(failed if 0 < failed < 256 else 1)


def _result(ended: Ended, summary: dict[str, Any] | None) -> dict[str, Any]:
    about: dict[str, Any] = {"job": ended.job.name, "code": ended.code, "log": str(ended.log)}
    if summary is not None:
        return about | summary
    return about | ({"submitted": ended.output} if ended.code is None else {"error": _error(ended)})


def _summary(ended: Ended) -> dict[str, Any] | None:
    """What a run that ended well says of itself: the last thing that it printed, after whatever its
    method's own processes did. None for a run that did not end well, or says nothing."""
    start = ("\n" + ended.output).rfind("\n{")
    if ended.code != 0 or start < 0:
        return None
    try:
        summary: dict[str, Any] = json.loads(ended.output[start:])
    except ValueError:
        return None
    return summary


def _error(ended: Ended) -> str:
    """The error that the run ended with, from its log."""
    if ended.code == 0:
        return "it ended well and printed no JSON"
    text = ended.log.read_text("utf-8", "replace")[-LAST:] if ended.log.exists() else ""
    at = max(text.rfind("error: "), 0)
    return text[at:].strip() or f"exit code {ended.code}"


def _say(ended: Ended, summary: dict[str, Any] | None) -> None:
    from benchmark.cli.running import say

    if summary is not None:
        path = Path(summary["record"])
        outcome = Outcome(read_record(path), path, summary["found"], summary["other_code"])
        say(outcome, Path(summary["page"]), place=True)
    elif ended.code is None:
        click.echo(f"{ended.job.name}: {ended.output}; its log will be {ended.log}")
    else:
        click.secho(f"{ended.job.name}: ", fg="red", nl=False)
        click.echo(f"{_error(ended)}\n  log: {ended.log}")
