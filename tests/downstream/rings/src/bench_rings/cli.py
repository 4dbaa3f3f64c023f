"""`bench rings FOLDER`."""

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def command(folder):
    """Draw the data set rings into a new folder."""
    from bench_rings.dataset import draw

    draw(folder)
    click.echo(f"drawn into {folder}")
