"""`bench plugins`: one row for each installed plugin, broken ones with their reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from benchmark.cli.output import as_json, table

if TYPE_CHECKING:
    from benchmark.contracts.plugin import Plugin

BRINGS = ("methods", "datasets", "protocols", "twins", "launchers", "commands")


@click.command()
@click.option("--check", is_flag=True,
              help="Import all that each names, try its presets; 8 if one is broken.")  # fmt: skip
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def command(check: bool, json_: bool) -> None:
    """List the installed plugins: where each is from, what it brings, whether it is in order."""
    from benchmark.contracts.errors import PluginBroken
    from benchmark.plugins import plugins

    found = plugins()
    rows = found.rows
    if check:
        from benchmark.testing.plugin_check import check_plugin

        rows = [check_plugin(row, found) for row in rows]
    if json_:
        as_json([_as_json(row) for row in rows])
    else:
        _print(rows)
    broken = [row.name for row in rows if row.error]
    if check and broken:
        raise PluginBroken(
            f"broken: {', '.join(broken)}",
            cure="mend or uninstall them; `bench doctor` shows where each broke",
        )


def _as_json(row: Plugin) -> dict[str, Any]:
    return {
        "plugin": row.name,
        "version": row.version,
        "distribution": row.distribution,
        **{what: list(getattr(row, what)) for what in BRINGS},
        "status": "broken" if row.error else "ok",
        "error": row.error,
        "note": row.note,
    }


def _print(rows: list[Plugin]) -> None:
    if not rows:
        click.echo("no plugins are installed; `bench method new` begins one")
        return
    table(
        ["plugin", "version", "distribution", "status", "brings"],
        [
            [r.name, r.version, r.distribution, "broken" if r.error else "ok", r.brings_what()]
            for r in rows
        ],
    )
    for row in rows:
        if row.error:
            click.secho(f"broken  {row.name}: {row.error}", fg="red")
        if row.note:
            click.secho(f"note  {row.name}: {row.note}", fg="yellow")
