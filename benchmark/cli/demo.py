"""`bench demo`: LEAD and its floors, on real faces where they are available, in a few minutes."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import click

from benchmark.cli.output import duration


@dataclass(frozen=True)
class Demo:
    """What is run: LEAD with these settings, its own network untrained, and floor and ceiling."""

    protocol: str
    preset: str
    reduction: str

    @property
    def runs(self) -> tuple[tuple[str, str, dict[str, object]], ...]:
        """Method, preset and what is set on top."""
        given: dict[str, object] = {"reduction": self.reduction}
        return (
            ("mean-shape", "", {}),
            ("random-features", f"lead-{self.preset}", {"settings": given}),
            ("lead", self.preset, given),
            ("oracle", "", {}),
        )


# Chosen so that learning shows in minutes. In tight crops of real faces an untrained network is hard to
# beat: the place in the image alone tells where the eyes are. Rendered faces are fewer: more epochs.
FRAMES = Demo("ytf5_loose", "demo", "pca")
RENDERED = Demo("ytf5", "small", "none")
FETCH_SECONDS = 60.0


@click.command()
@click.option("--twin", is_flag=True, help="Use rendered faces even if real ones are available.")
@click.option("--fetch/--no-fetch", default=True, help="Try to download the faces if absent.")
def command(twin: bool, fetch: bool) -> None:
    """Run LEAD's first stage and its floors, print the board, and say where the pictures are.

    Takes real video frames (protocol ytf5_loose) where they are on disk or can be fetched, else rendered
    faces (the twin of ytf5), and says which. Its records go to a board of their own.
    """
    from benchmark.datasets.places import locate
    from benchmark.home import home

    began = time.monotonic()
    if not twin and locate("ytf68") is None:
        twin = not (fetch and _fetched())
    if twin:
        shown, what = RENDERED, f"the twin of {RENDERED.protocol}: rendered faces"
    else:
        shown, what = FRAMES, f"{FRAMES.protocol}: real video frames from {locate('ytf68')}"
    click.secho(f"demo on {what}", bold=True)
    os.environ["BENCH_LEADERBOARDS"] = str(home() / "demo")

    from benchmark.cli import running
    from benchmark.runner.plan import Request

    for method, preset, given in shown.runs:
        click.secho(f"\n{method}", bold=True)
        running.run_command(Request(method, shown.protocol, preset=preset, given=given, twin=twin))
    from benchmark.cli.board import print_board
    from benchmark.registry.protocols import find_protocol

    print_board(find_protocol(shown.protocol), twin)
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
