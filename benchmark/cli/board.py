"""`bench board`: print the tables, write or check them, build the site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.cli.names import complete_protocols

if TYPE_CHECKING:
    from benchmark.protocols import Protocol


class Boards(click.Group):
    """`bench board ytf5` is `bench board show ytf5`: what is no command is a protocol."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return super().get_command(ctx, name) or self.commands["show"]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = next((a for a in args if not a.startswith("-")), None)
        if first not in self.commands and not {"-h", "--help"} & set(args):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Boards)
def command() -> None:
    """Print the leaderboards (`bench board ytf5`), write their tables, or build the site."""


@command.command()
@click.argument("protocol", required=False, shell_complete=complete_protocols)
@click.option("--twin", is_flag=True, help="The twin's board.")
@click.option("--json", "json_", is_flag=True, help="Rows as JSON.")
def show(protocol: str | None, twin: bool, json_: bool) -> None:
    """Print one board, or without a protocol all boards that have records."""
    from dataclasses import asdict

    from benchmark.boards.rows import make_rows, read_entries
    from benchmark.cli.output import as_json

    boards = _boards(protocol, twin)
    if json_:
        as_json(
            {
                f"{p.name}{' (twin)' if t else ''}": [
                    asdict(r) for r in make_rows(p.scored(twin=t), read_entries(p, twin=t)[0])
                ]
                for p, t in boards
            }
        )
        return
    if not boards:
        click.echo("no records yet: bench run --method lead --protocol ytf5")
    for found, is_twin in boards:
        print_board(found, is_twin)


@command.command()
@click.option("--check", is_flag=True, help="Only fail if a table is not what the records say.")
def build(check: bool) -> None:
    """Write all tables and the index anew from the records, or check them."""
    from benchmark.boards.tables import stale_files, update_boards
    from benchmark.contracts.errors import DataAltered

    if check:
        if old := stale_files():
            raise DataAltered(
                "these tables are not what the records say: " + ", ".join(map(str, old)),
                cure="bench board build, and commit what it wrote",
            )
        click.echo("all tables are what the records say")
        return
    count = update_boards()
    click.echo(f"wrote {count} files" if count else "all tables are what the records say")


@command.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True,
              help="Folder of the site.")  # fmt: skip
@click.option("--pictures", is_flag=True,
              help="Draw missing pictures of twin runs first, which renders the twins.")  # fmt: skip
def site(out: Path, pictures: bool) -> None:
    """Build the static site: overview, boards, methods and runs, readable without scripts.

    Pictures are those in the folders of runs on this machine, where the data's terms let them be
    shown: twins, as a rule.
    """
    from benchmark.pages.site import build_site

    if pictures:
        from benchmark.cli.progress import make_progress
        from benchmark.pages.run_pictures import draw_twins

        progress = make_progress(False)
        try:
            drawn, failed = draw_twins(progress)
        finally:
            progress.close()
        click.echo(f"drew pictures of {drawn} runs", err=True)
        for line in failed:
            click.echo(f"no pictures of {line}", err=True)
    count = build_site(out, lambda done, total: click.echo(f"{done}/{total} pages", err=True))
    click.echo(f"{count} files; open {out / 'index.html'}")


def _boards(protocol: str | None, twin: bool) -> list[tuple[Protocol, bool]]:
    """The boards that have records: of one protocol or of all, real and twin or twin alone."""
    from benchmark.boards.rows import board_folder
    from benchmark.protocols import all_protocols, find_protocol

    return [
        (p, t)
        for p in ([find_protocol(protocol)] if protocol else all_protocols())
        for t in ([True] if twin else [False, True])
        if board_folder(p, twin=t).exists()
    ]


def print_board(protocol: Protocol, twin: bool) -> None:
    """One board on the terminal."""
    from benchmark.boards.rows import make_rows, read_entries
    from benchmark.boards.tables import ROLES
    from benchmark.cli.output import table

    entries, left_out = read_entries(protocol, twin=twin)
    scored = protocol.scored(twin=twin)
    metric = scored.metrics[0]
    click.secho(f"\n{protocol.name}{' (twin)' if twin else ''}", bold=True, nl=False)
    unit = f" {metric.unit}" if metric.unit else ""
    click.echo(f"  {protocol.title}; {metric.id}{unit}, {metric.better} is better")
    rows = make_rows(scored, entries)
    table(
        [
            "rank",
            "method",
            "settings",
            "",
            "value",
            "95 % interval",
            "vs untrained",
            "seeds",
            "reported",
        ],
        [
            [
                "" if r.rank is None else r.rank,
                r.method,
                r.variant,
                "withdrawn" if r.withdrawn else ROLES[r.role],
                f"{r.value:.2f}",
                r.interval(),
                f"{r.floor[0]:+.2f} ({r.floor[1]:+.2f} to {r.floor[2]:+.2f})" if r.floor else "",
                len(r.seeds),
                f"{r.reported[0]:.2f}" if r.reported else "",
            ]
            for r in rows
        ],
    )
    if any(r.interval().endswith("*") for r in rows):
        click.secho("* one seed: over test items alone; others over seeds and items", dim=True)
    for line in left_out:
        click.secho(f"left out: {line}", dim=True)
