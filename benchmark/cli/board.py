"""`bench board`: print the tables, write them, or check them."""

from __future__ import annotations

import click

from benchmark.cli.names import complete_protocols


@click.command()
@click.argument("protocol", required=False, shell_complete=complete_protocols)
@click.option("--twin", is_flag=True, help="The twin's board.")
@click.option("--write", is_flag=True, help="Write all tables anew from the records.")
@click.option("--check", is_flag=True, help="Fail if a table is not what the records say.")
@click.option("--json", "json_", is_flag=True, help="Rows as JSON.")
def command(protocol: str | None, twin: bool, write: bool, check: bool, json_: bool) -> None:
    """Print the leaderboards.

    Without a protocol, all boards that have records.
    """
    from dataclasses import asdict

    from benchmark.boards.rows import board_folder, make_rows, read_entries
    from benchmark.boards.tables import board_files, stale_files, update_board
    from benchmark.cli.output import as_json
    from benchmark.contracts.errors import DataAltered
    from benchmark.protocols import all_protocols, find_protocol

    if check:
        stale = stale_files()
        if stale:
            raise DataAltered(
                "these tables are not what the records say: " + ", ".join(map(str, stale)),
                cure="bench board --write, and commit what it wrote",
            )
        click.echo("all tables are what the records say")
        return
    chosen = [find_protocol(protocol)] if protocol else all_protocols()
    boards = [
        (p, t)
        for p in chosen
        for t in ([True] if twin else [False, True])
        if board_folder(p, twin=t).exists()
    ]
    if write:
        for found, is_twin in boards:
            update_board(found, twin=is_twin)
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
    if write:
        click.echo(f"wrote {sum(len(board_files(p, twin=t)) for p, t in boards)} files")


def print_board(protocol, twin: bool) -> None:  # type: ignore[no-untyped-def]
    from benchmark.boards.rows import make_rows, read_entries
    from benchmark.boards.tables import ROLES
    from benchmark.cli.output import table

    entries, left_out = read_entries(protocol, twin=twin)
    scored = protocol.scored(twin=twin)
    metric = scored.metrics[0]
    click.secho(f"\n{protocol.name}{' (twin)' if twin else ''}", bold=True, nl=False)
    click.echo(f"  {protocol.title}; {metric.id} {metric.unit}, {metric.better} is better")
    rows = make_rows(scored, entries)
    table(
        ["method", "settings", "", "value", "95 % interval", "vs untrained", "seeds", "reported"],
        [
            [
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
    if any(r.ci_over == "items" for r in rows):
        click.secho("* one seed: bootstrap over test items; others over seeds", dim=True)
    for line in left_out:
        click.secho(f"left out: {line}", dim=True)
