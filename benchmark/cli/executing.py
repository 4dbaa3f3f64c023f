"""What `bench run` does with a run that is not known to be done: plan it, ask back, execute it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from benchmark.contracts.method import Progress
from benchmark.contracts.spec import MethodSpec
from benchmark.datasets.prepared import NotPrepared, nothing_prepared
from benchmark.interface.progress import duration
from benchmark.interface.running import complete
from benchmark.registry.plugins import plugins
from benchmark.runner.checkpoints import checkpoint_files
from benchmark.runner.curve import require_possible
from benchmark.runner.discard import discard
from benchmark.runner.done import Done, asking
from benchmark.runner.meant import begun, can_take_days, shorter
from benchmark.runner.plan import Plan, make_plan, resolve
from benchmark.runner.request import Request
from benchmark.runner.run import run
from benchmark.settings import SettingsInvalid, settings_words


def execute(
    request: Request,
    progress: Progress,
    *,
    curve: bool = False,
    anew: bool = False,
    quiet: bool = False,
) -> Done:
    """Do what is left of a run, and leave what belongs beside its record; `quiet` says less."""
    from benchmark.cli.running import warn

    asked = asking(request)
    plan = make_plan(request, progress)
    if curve:
        require_possible(plan)
    if anew:
        discard(plan, progress)
    if (since := checkpoint_time(plan)) and not quiet:
        click.echo(f"the fit goes on from its checkpoint of {since}", err=True)
    if not quiet and (whole := whole_words(plan)):
        click.echo(whole, err=True)
    outcome = run(plan, progress)
    outcome, page = complete(plan, outcome, progress, warn=warn, curve=curve, asked=asked)
    return Done(outcome, page, plan.stands)


def whole_words(plan: Plan) -> str:
    """How long the whole run may take, by records of runs like it; "" where these say nothing, or the
    fit is there already."""
    if plan.device != "cpu" or plan.spec.role != "method":
        return ""
    if (plan.fit_folder / "done.json").exists():
        return ""
    from benchmark.boards.times import cpu_seconds

    seconds = cpu_seconds(plan.spec.id, plan.protocol).get(plan.preset)
    return (
        f"about {duration(seconds)} in all, by records of runs like it on CPUs" if seconds else ""
    )


def require_meant(request: Request, progress: Any) -> None:
    """Ask, or where nobody can answer refuse, before what takes days begins by mistake; nothing is
    prepared before the answer.

    Raises `SettingsInvalid`, or where the answer is no ends the command with 1.
    """
    found = resolve(request, progress)
    if not can_take_days(found):
        return
    plan = _read_only(request, progress)
    if plan and begun(plan):
        return
    from benchmark.boards.times import cpu_seconds

    taken = {p: s for p, s in cpu_seconds(found.spec.id, found.protocol).items() if p}
    took = ", ".join(f"{preset} {duration(seconds)}" for preset, seconds in taken.items())
    text = (
        f"the preset {found.preset} of {found.spec.id} is meant for a GPU; on a CPU it can take days"
        + (f" (on record here, per run on a CPU: {took})" if took else "")
    )
    if sys.stdin is not None and sys.stdin.isatty():
        progress.close()
        if not click.confirm(f"{text}. Start it?", err=True):
            click.echo("not started", err=True)
            raise click.exceptions.Exit(1)
        return
    others = shorter_words(found.spec)
    raise SettingsInvalid(
        text,
        cure=f"{others}{', ' if others else ''}--device cuda, or --yes to start it all the same",
    )


def shorter_words(spec: MethodSpec) -> str:
    """ "--preset small or --preset demo"; "" where a method has neither."""
    return " or ".join(f"--preset {preset}" for preset in shorter(spec))


def _read_only(request: Request, progress: Progress) -> Plan | None:
    """The plan of a request, where nothing has to be prepared for it; else None."""
    try:
        with nothing_prepared():
            return make_plan(request, progress)
    except NotPrepared:
        return None


def planned(request: Request, progress: Progress) -> dict[str, Any]:
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
    about["can_take_days"] = can_take_days(found) and not (plan and begun(plan))
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


def say_plan(about: Mapping[str, Any]) -> None:
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
    if about["can_take_days"]:
        others = shorter_words(plugins().method(about["method"]))
        lines["note"] = f"meant for a GPU; on a CPU it can take days{': ' * bool(others)}{others}"
    for name, value in lines.items():
        click.echo(f"  {name:<9} {value}")


def checkpoint_time(plan: Plan) -> str:
    """When a fit that was not finished last saved its state ("2026-01-31 12:00 UTC"); empty for none."""
    saved = [path.stat().st_mtime for path in checkpoint_files(plan.fit_folder)]
    if (plan.fit_folder / "done.json").exists() or not saved:
        return ""
    return datetime.fromtimestamp(max(saved), UTC).strftime("%Y-%m-%d %H:%M UTC")
