"""`bench curves`: what runs logged while they trained, in one plot."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("runs", nargs=-1, required=True)
@click.option("--value", default="loss", show_default=True, help="Which of the logged values.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the plot (SVG) here."
)
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def command(runs: tuple[str, ...], value: str, out: Path | None, json_: bool) -> None:
    """Lay training curves of RUNS over one another (ids, their beginnings, or records' paths)."""
    from benchmark.boards.training_curves import logged, one_value, training_svg
    from benchmark.cli.output import as_json, table
    from benchmark.cli.show import find_run
    from benchmark.contracts.record import read_record
    from benchmark.files import write_text

    records = [read_record(find_run(name)) for name in runs]
    found = {}
    for record in records:
        given = ", ".join(f"{k}={v}" for k, v in record.method.settings_given.items())
        name = f"{record.method.id} {record.method.preset} {given} seed {record.seed}"
        found[f"{' '.join(name.split())} ({record.run_id[:8]})"] = logged(record)
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
    click.echo(f"logged: {', '.join(sorted(set.intersection(*(set(f) for f in found.values()))))}")
    if out is not None:
        click.echo(f"plot   {out}")
