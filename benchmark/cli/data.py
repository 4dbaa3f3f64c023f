"""`bench data`: get, prepare and verify data sets."""

from __future__ import annotations

import os

import click

from benchmark.cli.names import complete_datasets, complete_protocols
from benchmark.cli.output import as_json
from benchmark.interface.progress import make_progress

root = click.option(
    "--data-root",
    type=click.Path(exists=True, file_okay=False),
    help="Folder that holds the data sets' folders (as $BENCH_DATA).",
)


@click.group()
def command() -> None:
    """Get, prepare and verify data sets."""


@command.command()
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def ls(json_: bool) -> None:
    """List data sets and where they lie."""
    from benchmark.cli.ls import _datasets

    _datasets(json_)


@command.command()
@click.argument("dataset", shell_complete=complete_datasets)
@click.option("--from", "source", default="", metavar="URL", help="A mirror's address.")
def get(dataset: str, source: str) -> None:
    """Download a data set, checking every file; what is there and right is kept."""
    from benchmark.datasets.download import get as download

    progress = make_progress()
    try:
        folder = download(
            dataset, url=source, progress=lambda n, total: progress(f"get {dataset}", n, total)
        )
    finally:
        progress.close()
    click.echo(f"{dataset} is at {folder}")


@command.command()
@click.argument("protocol", shell_complete=complete_protocols)
@click.option("--twin", is_flag=True, help="Render its twin.")
@click.option("--anew", is_flag=True, help="Also what is prepared already.")
@root
def prepare(protocol: str, twin: bool, anew: bool, data_root: str | None) -> None:
    """Decode, crop and resize all images of a protocol (or of all protocols of a data set) once.

    What is prepared already is checked against its digests, and prepared anew where the data set's files
    or its reader have changed.
    """
    _use(data_root)
    from benchmark.contracts.errors import UnknownName
    from benchmark.datasets.opening import open_split, split_name
    from benchmark.registry.protocols import all_protocols, find_protocol

    of_dataset = [p for p in all_protocols() if set(p.data.datasets()) == {protocol}]
    try:
        chosen = [find_protocol(protocol)]
    except UnknownName:
        if not of_dataset:
            raise
        chosen = of_dataset
    progress = make_progress()
    try:
        for found in chosen:
            for role in (r for r in ("fit", "train", "test") if getattr(found.data, r)):
                split = open_split(found, role, twin=twin, progress=progress, anew=anew)
                split.verify()
                click.echo(
                    f"{found.name} {role:5} {split_name(found, role, twin=twin):24} "
                    f"{len(split):>8,} images  pixels {split.pixels_digest[:12]}  "
                    f"labels {split.labels_digest[:12]}"
                )
    finally:
        progress.close()


@command.command()
@click.argument("dataset", shell_complete=complete_datasets)
@root
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def verify(dataset: str, data_root: str | None, json_: bool) -> None:
    """Check counts and digests of a data set on disk, and say which prepared splits are out of date."""
    _use(data_root)
    from dataclasses import asdict

    from benchmark.datasets.verify import verify as check

    report = check(dataset)
    if json_:
        as_json(asdict(report))
    else:
        click.echo(f"{report.dataset} at {report.root}")
        for split, count in report.counts.items():
            click.echo(f"  {split:24} {count:>8,} images")
        click.echo(f"  tree of files: {report.tree or 'not one that bench knows by its digest'}")
        for folder, why in report.stale.items():
            click.echo(f"  will be prepared anew: {folder} ({why})")
    report.require()


def _use(data_root: str | None) -> None:
    if data_root:
        os.environ["BENCH_DATA"] = data_root
