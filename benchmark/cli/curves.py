"""`bench curves`: what runs logged while they trained, in one plot."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import click


@click.command()
@click.argument("runs", nargs=-1, required=True)
@click.option("--value", default="", help="Which of the logged values (loss, or the only one).")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the plot (SVG) here."
)
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def command(runs: tuple[str, ...], value: str, out: Path | None, json_: bool) -> None:
    """Overlay the training curves of RUNS (ids, prefixes of ids, or paths of records)."""
    from benchmark.cli.output import as_json, table
    from benchmark.contracts.errors import InvalidInput
    from benchmark.files import write_text
    from benchmark.interface.runs import find_run
    from benchmark.pages.training_curves import default_value, logged, one_value, training_svg
    from benchmark.records.reading import read_record
    from benchmark.settings import settings_words

    records = [read_record(find_run(name)) for name in runs]
    found = {}
    for record in records:
        given = ", ".join(settings_words(record.method.settings_given))
        name = f"{record.method.id} {record.method.preset} {given} seed {record.seed}"
        found[f"{' '.join(name.split())} ({record.run_id[:8]})"] = logged(record)
    value = value or default_value(found)
    if not value:
        if out is not None:
            raise InvalidInput("several values are logged", cure=f"name one: {_logged(found)}")
        if json_:
            as_json({"value": None, "logged": {run: sorted(one) for run, one in found.items()}})
        else:
            click.echo(f"name one with --value; {_logged(found)}")
        return
    chosen = one_value(found, value)
    if out is not None:
        write_text(out, training_svg(chosen, value))
    if json_:
        along = next(iter(chosen.values())).along
        curves = {run: curve.points for run, curve in chosen.items()}
        as_json({"value": value, "along": along, "curves": curves})
        return
    rows = [
        [run, len(values), *(f"{v:.4g}" for v in (values[0], min(values), values[-1]))]
        for run, values in ((run, [v for _, v in c.points]) for run, c in chosen.items())
    ]
    table(["run", "rows", "first", "lowest", "last"], rows)
    click.echo(_logged(found))
    if out is not None:
        click.echo(f"plot   {out}")


def _logged(found: Mapping[str, Collection[str]]) -> str:
    """What all runs log, or what each does where that is nothing."""
    if common := set.intersection(*(set(one) for one in found.values())):
        return f"logged: {', '.join(sorted(common))}"
    each = (f"{run}: {', '.join(sorted(one)) or 'nothing'}" for run, one in found.items())
    return "\n".join(["logged", *each])
