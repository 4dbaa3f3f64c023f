"""`bench demo`: LEAD and its floors, on real faces where they are at hand, in a few minutes."""

from __future__ import annotations

import os
import time

import click

from benchmark.interface.progress import duration

PROTOCOL = "ytf5"
RUNS = (("mean-shape", ""), ("random-features", "lead-demo"), ("lead", "demo"), ("oracle", ""))
"""Methods and their presets."""
FETCH_SECONDS = 60.0


@click.command()
@click.option("--twin", is_flag=True, help="Use rendered faces even if real ones are there.")
@click.option("--fetch/--no-fetch", default=True, help="Try to download the faces if absent.")
def command(twin: bool, fetch: bool) -> None:
    """Run LEAD's demo preset and its floors, print the board, and say where the pictures are.

    Takes real video frames (protocol ytf5) where they are on disk or can be fetched, else their
    synthetic twin, and says which. Its records go to a board of their own.
    """
    from benchmark.datasets.places import locate
    from benchmark.home import home

    began = time.monotonic()
    if not twin and locate("ytf68") is None:
        twin = not (fetch and _fetched())
    if twin:
        click.secho("demo on the twin of ytf5: rendered faces", bold=True)
    else:
        click.secho(f"demo on ytf5: real video frames from {locate('ytf68')}", bold=True)
    os.environ["BENCH_LEADERBOARDS"] = str(home() / "demo")

    from benchmark.cli import running
    from benchmark.runner.plan import Request

    for method, preset in RUNS:
        click.secho(f"\n{method}", bold=True)
        running.run_command(Request(method, PROTOCOL, preset=preset, twin=twin))
    from benchmark.cli.board import print_board
    from benchmark.registry.protocols import find_protocol

    print_board(find_protocol(PROTOCOL), twin)
    click.echo(
        f"\n{duration(time.monotonic() - began)}; what next: bench run --help, docs/tutorial.md"
    )


def _fetched() -> bool:
    """Try to download the faces, for a minute at most."""
    from benchmark.contracts.errors import BenchError
    from benchmark.datasets.download import get

    click.echo("the data set ytf68 is not there; trying to fetch it (52 MB) …")
    try:
        get("ytf68", timeout=FETCH_SECONDS)
    except BenchError as error:
        click.echo(f"could not: {error.message.splitlines()[0]}")
        return False
    return True
