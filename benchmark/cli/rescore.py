"""`bench rescore`: a corrected metric, applied to the predictions that runs kept."""

from __future__ import annotations

from typing import Any

import click

from benchmark.cli.names import complete_protocols


@click.command()
@click.argument("runs", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every record of the leaderboards that counts.")
@click.option("--protocol", "-p", help="With --all: of this protocol alone.",
              shell_complete=complete_protocols)  # fmt: skip
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def command(runs: tuple[str, ...], every: bool, protocol: str | None, json_: bool) -> None:
    """Score the stored predictions of runs (ids or paths) again, where a metric has a newer version.

    No method runs and no accelerator is needed. A new record is written that names the old one as its
    parent; the old one stays. Where no metric changed nothing is written. Exits with 4 if a record that
    should be scored again can't be.
    """
    from benchmark.cli.output import as_json
    from benchmark.contracts.errors import BenchError, DataMissing
    from benchmark.interface.runs import find_on_board
    from benchmark.pages.tables import update_boards
    from benchmark.registry.protocols import all_protocols
    from benchmark.verification.kept import OpenSplits
    from benchmark.verification.rescore import newest_records, rescore

    if every == bool(runs) or (protocol and not every):
        raise click.UsageError("name runs, or say --all (which --protocol narrows)")
    paths = newest_records(protocol or "") if every else [find_on_board(run)[0] for run in runs]
    results: list[dict[str, Any]] = []
    refused: list[BenchError] = []
    splits = OpenSplits()
    for path in paths:
        try:
            found = rescore(path, splits)
        except BenchError as error:
            if not every:
                raise
            refused.append(error)
            results.append({"run": path.stem, "state": "refused", "reason": error.message})
            continue
        new = found.record
        state = "unchanged" if new is None else "known" if found.found else "scored"
        changed = [
            {"metric": a.metric, "versions": [a.version, b.version], "values": [a.value, b.value]}
            for a, b in found.changed()
        ]
        about = {"run": found.parent.run_id, "state": state, "record": new and new.run_id}
        results.append({**about, "changed": changed})
    if results:  # also when nothing was scored: a kill may have come before the tables
        update_boards(all_protocols())
    if json_:
        as_json(results)
    else:
        _print(results)
    if refused:
        raise DataMissing(
            f"{len(refused)} of {len(paths)} records can't be scored again", cure=refused[0].cure
        )


def _print(results: list[dict[str, Any]]) -> None:
    words = {"scored": "scored again as", "known": "was scored again before, as"}
    for one in results:
        if one["state"] == "refused":
            click.secho(f"{one['run']}  refused: {one['reason']}", fg="red", err=True)
        elif one["state"] in words:
            click.echo(f"{one['run']}  {words[one['state']]} {one['record']}")
            for c in one["changed"]:
                (then, now), (old, new) = c["versions"], c["values"]
                click.echo(f"  {c['metric']}  {old:.4f} → {new:.4f}  (version {then} → {now})")
    same = sum(one["state"] == "unchanged" for one in results)
    if same:
        click.echo(f"{same} of {len(results)} unchanged: their metrics are of today's versions")
    if not results:
        click.echo("no records")
