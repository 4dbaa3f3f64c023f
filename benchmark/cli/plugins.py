"""`bench plugins`: one row for each installed plugin, broken ones with their reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from benchmark.cli.output import as_json, table

if TYPE_CHECKING:
    from benchmark.protocols import Broken
    from benchmark.registry.brought import Plugin

BRINGS = ("methods", "datasets", "protocols", "twins", "launchers", "commands")


@click.command()
@click.option("--check", is_flag=True,
              help="Import all that each names, try its presets; 8 if one is broken.")  # fmt: skip
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def command(check: bool, json_: bool) -> None:
    """List the installed plugins: where each is from, what it brings, whether it is in order."""
    from benchmark.contracts.errors import PluginBroken
    from benchmark.protocols import broken_files
    from benchmark.registry.plugins import plugins

    found = plugins()
    rows = found.rows
    if check:
        from benchmark.testing.plugin_check import check_plugin

        rows = [check_plugin(row, found) for row in rows]
    broken = {row.name: broken_files(row.folders) for row in rows}
    if json_:
        as_json([_as_json(row, broken[row.name]) for row in rows])
    else:
        _print(rows, broken)
    names = [row.name for row in rows if row.error or broken[row.name]]
    if check and names:
        raise PluginBroken(
            f"broken: {', '.join(names)}", cure="mend or uninstall them; the reasons stand above"
        )


def _status(row: Plugin, broken: Sequence[Broken]) -> str:
    return "broken" if row.error else "broken in part" if broken else "ok"


def _as_json(row: Plugin, broken: Sequence[Broken]) -> dict[str, Any]:
    return {
        "plugin": row.name,
        "version": row.version,
        "distribution": row.distribution,
        **{what: list(getattr(row, what)) for what in BRINGS},
        "status": _status(row, broken),
        "error": row.error,
        "broken": {one.name: one.reason for one in broken},
        "note": row.note,
    }


def _print(rows: list[Plugin], broken: Mapping[str, Sequence[Broken]]) -> None:
    if not rows:
        click.echo("no plugins are installed; `bench method new` begins one")
        return
    table(
        ["plugin", "version", "distribution", "status", "brings"],
        [
            [r.name, r.version, r.distribution, _status(r, broken[r.name]), r.brings_what()]
            for r in rows
        ],
    )
    for row in rows:
        if row.error:
            click.secho(f"broken  {row.name}: {row.error}", fg="red")
        for one in broken[row.name]:
            click.secho(f"broken  {row.name}: {one.reason}", fg="red")
        if row.note:
            click.secho(f"note  {row.name}: {row.note}", fg="yellow")
