"""`bench record`: remarks on records, taking in those of others, and dropping one's own."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def command() -> None:
    """Withdraw, annotate or drop a record, or import records from elsewhere."""


def _author(given: str) -> str:
    from benchmark.records.code import git

    given = given or (git(Path(), "config", "user.name") or b"").decode().strip()
    if not given:
        raise click.UsageError("say who makes the remark: --author NAME")
    return given


def _remark(run: str, action: str, reason: str, author: str) -> None:
    from benchmark.interface.runs import find_on_board
    from benchmark.pages.tables import update_boards
    from benchmark.registry.protocols import all_protocols
    from benchmark.verification.edits import remark

    author = _author(author)
    path, found = find_on_board(run)
    record = remark(path, action, reason=reason, author=author)  # type: ignore[arg-type]
    if found:
        update_boards(all_protocols())
    board = f"{record.protocol.id}@{record.protocol.version}"
    click.echo(f"{action}: run {record.run_id} of {record.method.id} on {board}")


REASON = click.option("--reason", required=True, help="Why; it stands in the record and the board.")
AUTHOR = click.option("--author", default="", help="Who (default: git's user.name).")


@command.command()
@click.argument("run")
@REASON
@AUTHOR
def withdraw(run: str, reason: str, author: str) -> None:
    """Take a run out of its board's numbers; it stays there, struck through, with the reason."""
    _remark(run, "withdrawn", reason, author)


@command.command()
@click.argument("run")
@REASON
@AUTHOR
def annotate(run: str, reason: str, author: str) -> None:
    """Add a remark to a run's record; its numbers stay in the board."""
    _remark(run, "annotated", reason, author)


@command.command()
@click.argument("runs", nargs=-1)
@click.option(
    "--all", "every", is_flag=True, help="Every record of the leaderboards without groups."
)
@AUTHOR
def groups(runs: tuple[str, ...], every: bool, author: str) -> None:
    """Say of records from before groups were kept which test items belong together.

    The labels that they were scored on say it. Values stay; intervals are drawn by group from then on,
    and a remark says so. Exits with 4 if a record is without its errors or labels here.
    """
    from benchmark.contracts.errors import BenchError, DataMissing
    from benchmark.files import listed
    from benchmark.home import leaderboards
    from benchmark.interface.runs import find_on_board
    from benchmark.pages.tables import update_boards
    from benchmark.registry.protocols import all_protocols
    from benchmark.verification.grouping import add_groups

    if every == bool(runs):
        raise click.UsageError("name runs, or say --all")
    author = _author(author)
    paths = (
        listed(leaderboards(), "**/*.json") if every else [find_on_board(run)[0] for run in runs]
    )
    changed, refused = 0, 0
    for path in paths:
        try:
            changed += add_groups(path, author=author) is not None
        except BenchError as error:
            refused += 1
            click.echo(f"{path.stem}: {error.message}", err=True)
    if changed:
        update_boards(all_protocols())
    click.echo(f"groups added to {changed} of {len(paths)} records")
    if refused:
        raise DataMissing(f"{refused} records stay without groups", cure="see the lines above")


@command.command()
@click.argument("run")
def drop(run: str) -> None:
    """Forget a run of your own, done or not: its folder, and its record where it is not committed.

    For slips and drafts. Its fit stays, which other runs may share. A record in git stands: withdraw it.
    """
    from benchmark.pages.tables import update_boards
    from benchmark.registry.protocols import all_protocols
    from benchmark.runner.discard import drop as forget
    from benchmark.runner.discard import find_left

    found = find_left(run)
    gone = forget(found)
    if any(path.suffix == ".json" for path in gone):
        update_boards(all_protocols())
    click.echo(f"dropped: run {found}")
    for path in gone:
        click.echo(f"  {path}")


@command.command("import")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--data", is_flag=True, help="Also score kept predictions again, where labels are.")
def take(source: Path, data: bool) -> None:
    """Take in a record (.json, its files beside it) or all records below a folder.

    Schema, identity, protocol digest, digests of files, numbers and intervals are recomputed first. A
    record that is not what it says is refused, and nothing of it is copied; the others of a folder are
    still taken.
    """
    from benchmark.contracts.errors import BenchError
    from benchmark.files import listed
    from benchmark.pages.tables import update_boards
    from benchmark.registry.protocols import all_protocols
    from benchmark.verification.edits import RecordRefused, import_record, oldest_first
    from benchmark.verification.kept import OpenSplits

    paths = oldest_first(listed(source, "**/*.json")) if source.is_dir() else [source]
    refused, splits = [], OpenSplits()
    for path in paths:
        try:
            taken = import_record(path, data=data, splits=splits)
        except BenchError as error:
            refused.append(path)
            click.secho(f"refused  {path.name}: {error.message}", fg="red", err=True)
            continue
        skipped = sum(c.state == "not here" for c in taken.checks)
        word = "known   " if taken.found else "taken in"
        note = f" ({skipped} checks need what is not here)" if skipped else ""
        click.echo(
            f"{word} {taken.record.run_id} {taken.record.method.id} {taken.record.protocol.id}{note}"
        )
    if len(refused) < len(paths):
        update_boards(all_protocols())
    if refused or not paths:
        raise RecordRefused(
            f"{len(refused)} of {len(paths)} records refused"
            if paths
            else f"no record in {source}",
            cure="`bench verify PATH` shows every check",
        )
