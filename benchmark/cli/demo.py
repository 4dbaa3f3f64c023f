"""`bench demo`: a method that learns beside its floors, on real faces where they are available."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import click

from benchmark.interface.progress import duration

FETCH_SECONDS = 60.0


@dataclass(frozen=True)
class Demo:
    """A method with these settings, its own network untrained, and a floor and a ceiling."""

    protocol: str
    method: str
    preset: str
    given: dict[str, object]
    floor: str = "mean-shape"

    @property
    def runs(self) -> tuple[tuple[str, str, dict[str, object]], ...]:
        """Method, preset and what is set on top of it."""
        untrained: dict[str, object] = {"settings": self.given} if self.given else {}
        return (
            (self.floor, "", {}),
            ("random-features", f"{self.method}-{self.preset}", untrained),
            (self.method, self.preset, self.given),
            ("oracle", "", {}),
        )


# What is clearly ahead of its own untrained network after two minutes, whichever the seed. On real
# frames LEAD is not: BYOL needs ten minutes. IMM is, from two frames of a clip; of warps of one image,
# or with the bilinear renderer, some fits fail. On rendered faces neither is with every seed; a
# generator is by far.
FRAMES = Demo(
    "ytf5_clips", "imm", "small", {"steps": 900, "pairs": "views", "renderer": "transposed"}
)
RENDERED = Demo("ytf68_images_32", "stylegan2", "demo", {}, floor="noise-images")


@click.command()
@click.option("--twin", is_flag=True, help="Use rendered faces even if real ones are available.")
@click.option("--fetch/--no-fetch", default=True, help="Try to download the faces if absent.")
def command(twin: bool, fetch: bool) -> None:
    """Run a method that learns beside its floors, print the board, and say where the pictures are.

    On real video frames (protocol ytf5_clips) IMM, where they are on disk or can be fetched and the
    weights that its loss looks through are on disk; else StyleGAN2 on rendered faces of 32 pixels, the
    twin of ytf68_images_32. Says which. Its records go to a board of their own.
    """
    from benchmark.datasets.places import locate
    from benchmark.home import home

    began = time.monotonic()
    twin = twin or not (
        _weights_found() and (locate("ytf68") is not None or (fetch and _fetched()))
    )
    shown = RENDERED if twin else FRAMES
    if twin:
        click.secho(
            f"demo on the twin of {shown.protocol}: {shown.method} on rendered faces", bold=True
        )
    else:
        where = locate("ytf68")
        click.secho(
            f"demo on {shown.protocol}: {shown.method} on real frames from {where}", bold=True
        )
    os.environ["BENCH_LEADERBOARDS"] = str(home() / "demo")

    from benchmark.cli import running
    from benchmark.runner.request import Request

    for method, preset, given in shown.runs:
        click.secho(f"\n{method}", bold=True)
        running.run_command(Request(method, shown.protocol, preset=preset, given=given, twin=twin))
    from benchmark.boards.standings import standings
    from benchmark.cli.board import print_boards
    from benchmark.registry.protocols import find_protocol

    boards = standings([find_protocol(shown.protocol)], requested=True)
    print_boards([board for board in boards if board.twin == twin])
    click.echo(
        f"\n{duration(time.monotonic() - began)}; what next: bench run --help, docs/tutorial.md"
    )


def _weights_found() -> bool:
    """Whether the network is on disk that IMM's loss looks through."""
    from benchmark.contracts.errors import DataMissing
    from benchmark.networks.weights import SQUEEZENET, find

    try:
        find(SQUEEZENET)
    except DataMissing as error:
        click.echo(f"real frames are not used: {error.message}")
        return False
    return True


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
