"""`bench verify`: is a record what it says?"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from benchmark.verification.verify import Check

COLOURS = {"ok": "green", "wrong": "red", "not here": "yellow", "altered": "red"}


@click.command()
@click.argument("records", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every record of the leaderboards.")
@click.option("--data", is_flag=True, help="Also score kept predictions again, where labels are; "
              "test splits that are not prepared are prepared, twins rendered.")  # fmt: skip
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def command(records: tuple[str, ...], every: bool, data: bool, json_: bool) -> None:
    """Recompute identity, digests and numbers of records (paths, or run ids) on a CPU.

    Exits with 5 if anything is wrong. Checks that need files missing from this machine are
    reported as "not here"; data or a protocol changed on this machine as "altered", which makes no
    record wrong.
    """
    from benchmark.cli.output import as_json
    from benchmark.contracts.errors import DataAltered
    from benchmark.files import listed
    from benchmark.home import leaderboards
    from benchmark.interface.runs import find_on_board

    if every == bool(records):
        raise click.UsageError("name records, or say --all")
    paths = (
        listed(leaderboards(), "**/*.json")
        if every
        else [Path(name) if name.endswith(".json") else find_on_board(name)[0] for name in records]
    )
    found = _verified(paths, data, quiet=json_)
    by = {
        state: [path for path, checks in found.items() if any(c.state == state for c in checks)]
        for state in COLOURS
    }
    wrong, altered = by["wrong"], by["altered"]
    if json_:
        as_json({str(p): [c.__dict__ for c in checks] for p, checks in found.items()})
    else:
        for path in found:
            if not every:
                _say_all(path, found[path])
            elif path in wrong or path in altered:
                _say_faults(path, found[path])
        click.echo(f"{len(found) - len(wrong)} of {len(found)} records verified")
        if partly := len(set(by["not here"] + altered) - set(wrong)):
            click.echo(f"{partly} of these have checks that need what is not here")
    if wrong:
        raise DataAltered(
            f"{len(wrong)} records do not verify, first {_short(wrong[0])}",
            cure="restore them from git, or run their commands again; `bench record drop` forgets a "
            "run of your own",
        )
    if altered:
        check = next(c for c in found[altered[0]] if c.state == "altered")
        raise DataAltered(
            f"{len(altered)} records could not be checked in full: {check.detail}",
            cure="put back what was altered, or delete it if it can be made again",
        )


def _verified(paths: list[Path], data: bool, *, quiet: bool) -> dict[Path, list[Check]]:
    """The checks of each record; one that can't be read is wrong, and the others are still checked."""
    from benchmark.contracts.errors import BenchError
    from benchmark.interface.progress import make_progress
    from benchmark.verification.kept import OpenSplits
    from benchmark.verification.verify import Check, borrowed_predictions, verify_record

    found: dict[Path, list[Check]] = {}
    with closing(make_progress(quiet or not data)) as progress:
        splits = OpenSplits(progress) if data else None
        for done, path in enumerate(paths, start=1):
            try:
                found[path] = verify_record(path, data=data, splits=splits)
            except BenchError as error:
                found[path] = [Check("record", "wrong", error.message)]
            progress("verify", done, len(paths))
    for path, check in borrowed_predictions(paths).items():
        found[path].append(check)
    return found


def _say_all(path: Path, checks: list[Check]) -> None:
    click.secho(_short(path), bold=True)
    for check in checks:
        click.secho(f"  {check.state:8}", fg=COLOURS[check.state], nl=False)
        click.echo(f" {check.name}{': ' if check.detail else ''}{check.detail}")


def _say_faults(path: Path, checks: list[Check]) -> None:
    """A line for each check that does not hold, whatever words the record brought."""
    from benchmark.contracts.names import shown

    for check in checks:
        if check.state in ("wrong", "altered"):
            click.secho(f"{check.state:8}", fg=COLOURS[check.state], nl=False)
            text = shown(f"{check.name}: {check.detail}", quote=False, most=400)
            click.echo(f" {_short(path)}  {text}")


def _short(path: Path) -> str:
    from benchmark.home import leaderboards

    root = leaderboards()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
