"""`bench verify`: is a record what it says?"""

from __future__ import annotations

from pathlib import Path

import click

COLOURS = {"ok": "green", "wrong": "red", "not here": "yellow"}


@click.command()
@click.argument("records", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every record of the leaderboards.")
@click.option("--data", is_flag=True, help="Also score kept predictions again, where labels are.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def command(records: tuple[str, ...], every: bool, data: bool, json_: bool) -> None:
    """Recompute identity, digests and numbers of records (paths, or run ids) on a CPU.

    Exits with 5 if anything is wrong. What can't be checked here is said to be "not here".
    """
    from benchmark.cli.output import as_json
    from benchmark.cli.show import find_run
    from benchmark.contracts.errors import BenchError, DataAltered
    from benchmark.home import leaderboards
    from benchmark.runner.verify import Check, verify_record

    if every == bool(records):
        raise click.UsageError("name records, or say --all")
    paths = sorted(leaderboards().rglob("*.json")) if every else [find_run(r) for r in records]
    found: dict[Path, list[Check]] = {}
    for path in paths:
        try:
            found[path] = verify_record(path, data=data)
        except BenchError as error:
            found[path] = [Check("record", "wrong", error.message)]
    wrong = [path for path, checks in found.items() if any(c.state == "wrong" for c in checks)]
    if json_:
        as_json({str(p): [c.__dict__ for c in checks] for p, checks in found.items()})
    else:
        for path, checks in found.items():
            if every and path not in wrong:
                continue
            click.secho(_short(path), bold=True)
            for check in checks:
                click.secho(f"  {check.state:8}", fg=COLOURS[check.state], nl=False)
                click.echo(f" {check.name}{': ' if check.detail else ''}{check.detail}")
        click.echo(f"{len(found) - len(wrong)} of {len(found)} records are what they say")
    if wrong:
        raise DataAltered(
            f"{len(wrong)} records are not what they say, first {_short(wrong[0])}",
            cure="restore them from git, or run their commands again",
        )


def _short(path: Path) -> str:
    from benchmark.home import leaderboards

    root = leaderboards()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
