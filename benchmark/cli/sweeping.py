"""What `bench sweep` and its commands do once their options are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from benchmark.cli.output import as_json, paragraph, size, table
from benchmark.cli.sweep_display import make_display
from benchmark.contracts.errors import DataAltered, DataMissing, listed
from benchmark.contracts.method import Progress
from benchmark.contracts.names import LONGEST_TEXT, shown
from benchmark.datasets.prepared import nothing_prepared
from benchmark.files import write_text
from benchmark.interface.progress import duration, make_progress
from benchmark.launch import make_launcher
from benchmark.registry.plugins import plugins
from benchmark.runner.meant import PAPER, SHORTER, shorter
from benchmark.runner.request import Request
from benchmark.settings import SettingsInvalid
from benchmark.studies.cost import Costs, estimate
from benchmark.studies.planning import Cell, plan_cells
from benchmark.studies.state import Asked, Status, SweepFolder, find_sweep, sweep_name
from benchmark.studies.study import read_study
from benchmark.studies.sweeping import OVER, Sweep, counts
from benchmark.studies.table import page


def begin(
    stem: str,
    requests: Sequence[Request],
    *,
    launcher: str,
    options: Mapping[str, str],
    plan_only: bool = False,
    json_: bool = False,
) -> None:
    """Plan what is asked for and work through it, or only say what that would be."""
    asked = Asked(sweep_name(stem, requests), tuple(requests), launcher, dict(options))
    with closing(make_progress(json_)) as progress:
        if plan_only:
            with nothing_prepared():
                cells = plan_cells(requests, progress)
            _say_plan(asked, cells, json_=json_)
            return
        _require_meant(asked, progress)
        folder = SweepFolder(asked.name)
        with folder.driven():
            cells = plan_cells(requests, progress)
            progress.close()
            folder.write_asked(asked)
            _work(folder, asked, cells, json_=json_)


def retry(name: str, *, launcher: str, options: Mapping[str, str], json_: bool) -> None:
    """Queue the failed runs of a sweep again, and go on with it."""
    folder = find_sweep(name)
    before = folder.asked()
    same = not launcher or launcher == before.launcher
    asked = Asked(
        before.name,
        before.requests,
        launcher or before.launcher,
        {**(before.options if same else {}), **options},
    )
    with folder.driven(), closing(make_progress(json_)) as progress:
        _require_meant(asked, progress)
        cells = plan_cells(asked.requests, progress)
        progress.close()
        folder.write_statuses([s for s in folder.statuses() if s.state != "failed"])
        folder.write_asked(asked)
        _work(folder, asked, cells, json_=json_)


def status(name: str, *, json_: bool) -> None:
    """Print how far a sweep is."""
    folder = find_sweep(name)
    statuses, driven = folder.statuses(), folder.is_driven
    if not driven:
        for one in statuses:
            if one.state == "running":
                one.state = "queued"
    if json_:
        as_json({"name": folder.name, "driven": driven, "runs": [asdict(s) for s in statuses]})
        return
    idle = not driven and any(s.state not in OVER for s in statuses)
    stopped = "; no process works on it: the same command goes on" if idle else ""
    click.secho(f"{folder.name}: {counts(statuses)}{stopped}", bold=True)
    _table(statuses)


def cancel(name: str) -> None:
    """Ask the process that works on a sweep to end it, or where there is none say that it is over."""
    folder = find_sweep(name)
    if folder.is_driven:
        folder.ask_to_end()
        click.echo(f"{folder.name} is being cancelled")
        return
    with folder.driven():
        statuses = folder.statuses()
        left = [one for one in statuses if one.state not in OVER]
        for one in left:
            one.state = "cancelled"
        folder.write_statuses(statuses)
    click.echo(f"{folder.name}: {len(left)} runs cancelled; no process works on it")
    if jobs := [one.where for one in left if one.where.startswith("job ")]:
        click.echo(f"a queue may still hold {', '.join(jobs)}: scancel takes them out")


def table_of(study: Path, out: Path | None, *, check: bool) -> None:
    """Print a study's like-for-like table, write it, or require that it is what the records say."""
    to = f" --out {out}" if out else ""
    command = f"bench sweep table {study}{to}"
    text = page(read_study(study), command)
    if out is None:
        click.echo(text, nl=False)
    elif out.is_file() and out.read_bytes() == text.encode():
        click.echo(f"{out} is what the records say")
    elif check and not out.exists():
        raise DataMissing(f"there is no {out} to check", cure=f"{command} makes it")
    elif check:
        raise DataAltered(f"{out} is not what the records say", cure=f"{command}, and commit it")
    else:
        write_text(out, text)
        click.echo(f"wrote {out}")


def _require_meant(asked: Asked, progress: Progress) -> None:
    """Refuse, before anything is prepared, what `bench run` would refuse in each process.

    Raises `SettingsInvalid`.
    """
    candidates = [r for r in asked.requests if r.preset in ("", PAPER)]
    with nothing_prepared():
        cells = plan_cells(candidates, progress) if candidates else []
    if days := _days(asked, cells):
        raise SettingsInvalid(days, cure=_shorter_cure(cells))


def _days(asked: Asked, cells: Sequence[Cell]) -> str:
    """Which runs are meant for a GPU and would begin on this machine's CPU; "" for none, or where a
    launcher takes them to other machines."""
    long = [cell for cell in cells if cell.can_take_days]
    if not long or asked.launcher != "local":
        return ""
    runs = "1 run is" if len(long) == 1 else f"{len(long)} runs are"
    methods = listed({cell.request.method for cell in long})
    return f"{runs} of the preset {PAPER} ({methods}), meant for a GPU; on a CPU each can take days"


def _shorter_cure(cells: Sequence[Cell]) -> str:
    """A preset that all of those have, and that ends on a CPU."""
    specs = [plugins().method(cell.request.method) for cell in cells if cell.can_take_days]
    presets = [p for p in SHORTER if all(p in shorter(spec) for spec in specs)]
    preset = (
        f'--preset {presets[0]} (in a file: presets = ["{presets[0]}"]), or ' if presets else ""
    )
    return f"{preset}a machine with a GPU; `bench run … --yes` starts one all the same"


def _work(folder: SweepFolder, asked: Asked, cells: Sequence[Cell], *, json_: bool) -> None:
    if cells and all(cell.state == "left out" for cell in cells):
        raise click.UsageError(f"nothing of it can be run: {cells[0].why}")
    costs = Costs(cell.request.method for cell in cells if cell.state == "queued")
    launcher = make_launcher(asked.launcher, asked.options)

    def memory(cell: Cell) -> int:
        cost = costs.of(cell)
        return cost.memory if cost else 0

    with closing(make_display(folder.name, quiet=json_)) as display:
        launcher.say = display.say
        statuses = Sweep(folder, cells, launcher, memory).work(display.show)
    if json_:
        as_json({"name": folder.name, "runs": [asdict(one) for one in statuses]})
    else:
        _table(statuses)
        click.secho(f"{folder.name}: {counts(statuses)}", bold=True)
    if any(one.state == "failed" for one in statuses):
        click.echo(f"bench sweep retry {folder.name}  tries the failed ones again", err=True)
        raise click.exceptions.Exit(1)


def _table(statuses: Sequence[Status]) -> None:
    rows = [
        [
            one.name,
            one.state,
            "" if one.value is None else f"{one.metric} {one.value:.2f} {one.unit}".rstrip(),
            duration(one.seconds) if one.seconds else "",
            "" if one.why else one.progress,
        ]
        for one in statuses
    ]
    table(["run", "state", "value", "time", ""], rows)
    _reasons([(one.name, one.why) for one in statuses])


def _reasons(named: Sequence[tuple[str, str]]) -> None:
    """Why runs are not done, each reason once: several may lack the same data."""
    reasons: dict[str, list[str]] = {}
    for name, why in named:
        if why:
            reasons.setdefault(why.removeprefix("error: "), []).append(name)
    for why, names in reasons.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        paragraph(f"{names[0]}{more}: {shown(why, quote=False, most=LONGEST_TEXT)}")


def _say_plan(asked: Asked, cells: Sequence[Cell], *, json_: bool) -> None:
    costs = Costs(cell.request.method for cell in cells if cell.state == "queued")
    found = estimate(cells, costs)
    if json_:
        as_json({"name": asked.name, "runs": [_plan_row(c) for c in cells], **asdict(found)})
        return
    table(["run", "state"], [[cell.name, cell.state] for cell in cells], cut=["run"])
    _reasons([(cell.name, cell.why) for cell in cells])
    left = sum(cell.state == "queued" for cell in cells)
    done = sum(cell.state == "done" for cell in cells)
    click.secho(f"{asked.name}: {len(cells)} runs, {done} done, {left} to do", bold=True)
    if left > found.unknown:
        click.echo(
            f"  time    {duration(found.seconds)} of fitting, predicting and scoring, one run after "
            "the other;\n          starting each process and preparing data take more\n"
            f"  memory  {size(found.memory)} for the largest run\n"
            f"  disk    {size(found.disk)} more, {size(found.free_disk)} are free"
        )
    if found.unknown:
        click.echo(f"  unknown is what {found.unknown} of them will take: no record is like them")
    if found.disk > found.free_disk:
        click.secho("  they don't fit on the disk", fg="yellow")
    if days := _days(asked, cells):
        click.secho(f"  {days}: {_shorter_cure(cells)}", fg="yellow")


def _plan_row(cell: Cell) -> dict[str, Any]:
    return {
        "name": cell.name,
        "state": cell.state,
        "why": cell.why,
        "run_id": cell.run_id,
        "fit_id": cell.fit_id,
        "fitted": cell.fitted,
        "can_take_days": cell.can_take_days,
        "command": ["bench", *cell.request.words()],
    }
