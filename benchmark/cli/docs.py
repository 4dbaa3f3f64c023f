"""`bench docs`: the generated reference."""

from __future__ import annotations

import click


@click.command()
@click.option("--check", is_flag=True, help="Only fail if a page is not what the code says.")
def command(check: bool) -> None:
    """Write docs/reference/ anew from the code: commands, hooks, contracts, metrics, schemas."""
    from benchmark.cli import cli
    from benchmark.contracts.errors import DataAltered, DataMissing
    from benchmark.files import write_text
    from benchmark.pages.reference import folder, reference

    if not folder().parent.is_dir():
        raise DataMissing(
            f"there is no {folder().parent}: this bench is installed without its documentation",
            cure="run it in a checkout, installed with `make install`",
        )
    texts = reference(cli)
    stale = [p for p, t in texts.items() if not p.exists() or p.read_text("utf-8") != t]
    gone = [p for p in folder().glob("*") if p not in texts]
    if check and (stale or gone):
        raise DataAltered(
            "these pages are not what the code says: " + ", ".join(p.name for p in [*stale, *gone]),
            cure="run `bench docs` and commit what it writes",
        )
    for path in stale:
        write_text(path, texts[path])
    for path in gone:
        path.unlink()
    changed = len(stale) + len(gone)
    click.echo(f"{changed} pages written" if changed else "all pages are current")
