"""`bench data`: get, prepare and verify data sets."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from benchmark.cli.names import complete_datasets, complete_protocols
from benchmark.cli.output import as_json
from benchmark.home import use_data_root
from benchmark.interface.progress import make_progress

root = click.option(
    "--data-root",
    type=click.Path(exists=True, file_okay=False),
    help="Folder that holds the data sets' folders (as $BENCH_DATA).",
)


@click.group()
def command() -> None:
    """Get, prepare, verify and export data sets, or begin one of your own."""


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
    """Download a data set, checking every file; files that are already correct are kept."""
    from benchmark.datasets.download import get as download

    with closing(make_progress()) as progress:
        folder = download(
            dataset, url=source, progress=lambda n, total: progress(f"get {dataset}", n, total)
        )
    click.echo(f"{dataset} is at {folder}")


@command.command()
@click.argument("protocol", shell_complete=complete_protocols)
@click.option("--twin", is_flag=True, help="Render its twin.")
@click.option("--anew", is_flag=True, help="Prepare again what is prepared already.")
@root
def prepare(protocol: str, twin: bool, anew: bool, data_root: str | None) -> None:
    """Decode, crop and resize all images of a protocol (or of all protocols of a data set) once.

    Splits that are prepared already are checked against their digests, and prepared again where the data
    set's files or its reader have changed.
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
    with closing(make_progress()) as progress:
        for found in chosen:
            roles = ("fit", *found.data.domain_roles, "train", "test")
            for role in filter(found.data.split, roles):
                split = open_split(found, role, twin=twin, progress=progress, anew=anew)
                split.verify()
                click.echo(
                    f"{found.name} {role:5} {split_name(found, role, twin=twin):24} "
                    f"{len(split):>8,} images  pixels {split.pixels_digest[:12]}  "
                    f"labels {split.labels_digest[:12]}"
                )


@command.command()
@click.argument("name")
@click.option("--out", "parent", type=click.Path(file_okay=False, path_type=Path), default=".",
              help="Where its folder is made.")  # fmt: skip
def new(name: str, parent: Path) -> None:
    """Make the folder of a plugin with a data set: a reader, a protocol that uses it, and tests."""
    from benchmark.testing.scaffold import new_dataset

    folder = new_dataset(name, parent)
    click.echo(f"made {folder}; now:")
    click.echo(f"  pip install --no-deps -e {folder}")
    click.echo(f"  pytest {folder}")
    click.echo(f"  bench data verify {name} --data-root FOLDER_THAT_HOLDS_{name}")


@command.command()
@click.argument("meshes", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder.")
@click.option("--name", default="models", show_default=True,
              help="Of all models together, in the place of a synset.")  # fmt: skip
@click.option("--views", default=5, show_default=True, help="Pictures of each model.")
@click.option("--size", default=224, show_default=True, help="Their side in pixels.")
@click.option("--focal", default=1.875, show_default=True, help="In widths of the picture.")
@click.option("--distance", default=2.0, show_default=True,
              help="Of the camera, in diagonals of the model.")  # fmt: skip
@click.option("--azimuth", type=(int, int), default=(-180, 180), show_default=True,
              help="Whole degrees are drawn from there, the upper end left out.")  # fmt: skip
@click.option("--elevation", type=(int, int), default=(-20, 40), show_default=True,
              help="The same, above the horizon.")  # fmt: skip
@click.option("--most-faces", default=1_000_000, show_default=True,
              help="Larger meshes are left out.")  # fmt: skip
@click.option("--most-non-manifold", default=0.1, show_default=True,
              help="The largest share of edges with more than two faces.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Of cameras and split.")
def render(meshes: Path, out: Path, name: str, **given: object) -> None:
    """Draw the meshes (.obj, .glb) in a folder, in the layout of differentiable point clouds.

    Each is centred and scaled to diagonal 1, then seen from all sides, with alpha, depth, cameras and
    a true cloud; lists split the models into train, validation and test, 70 : 10 : 20. Meshes that can't
    be drawn are left out, and listed in left_out.csv with the reason. The reader
    benchmark.datasets.readers.model_views:ModelViews reads what is made.
    """
    from benchmark.datasets.meshes.reading import meshes_in
    from benchmark.datasets.meshes.rendering import Rendering, render_meshes

    how = Rendering(**given)  # type: ignore[arg-type]
    with closing(make_progress()) as progress:
        found = render_meshes(
            meshes_in(meshes), out, how, name=name,
            progress=lambda n, total: progress("render", n, total),
        )  # fmt: skip
    for model, why in found.left_out.items():
        click.secho(f"left out: {model} ({why})", fg="yellow", err=True)
    counts = ", ".join(f"{len(models):,} {part}" for part, models in found.splits.items())
    drawn = sum(map(len, found.splits.values()))
    click.echo(f"{drawn:,} models, {how.views} views of each, are in {out}: {counts}")


@command.command()
@click.argument("photographs", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path),
              help="Where masks go; what is there already is kept.")  # fmt: skip
@click.option("--weights", type=click.Path(path_type=Path), default=None,
              help="torchvision's maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth (default: in "
              "$BENCH_HOME/weights).")  # fmt: skip
@click.option("--least", default=0.5, show_default=True, help="Confidence that is kept.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
def segment(photographs: Path, out: Path, weights: Path | None, least: float, device: str) -> None:
    """Find cars, trucks and buses in photographs with torchvision's Mask R-CNN.

    Writes a mask for each, NAME_0.png, …, and NAME.json with labels, confidences and boxes. The network
    was trained with COCO's labels: what is made with these masks is not without supervision, and says
    so. Killed, the same command goes on. `bench data cutouts` takes the folder.
    """
    import torch

    from benchmark.datasets.cutouts.segmentations import photographs_in
    from benchmark.home import home
    from benchmark.networks.mask_rcnn import FILE, load
    from benchmark.networks.mask_rcnn import segment as find
    from benchmark.runner.plan import choose_device

    pictures = photographs_in(photographs)
    where = torch.device(choose_device(device))
    network, digest = load(weights or home() / "weights" / FILE, where)
    with closing(make_progress()) as progress:
        count = find(
            pictures, out, network, where, weights=digest, least=least,
            progress=lambda n, total: progress("segment", n, total),
        )  # fmt: skip
    click.echo(f"{count:,} segmentations of {len(pictures):,} photographs are in {out}")


@command.command()
@click.argument("photographs", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--masks", required=True,
              type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="What `bench data segment` wrote; or NAME.png, NAME_0.png of your own.")  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder.")
@click.option("--like", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Renders (PNG with alpha, at any depth) whose ratio of object to frame is given "
              "to the cut-outs.")  # fmt: skip
@click.option("--label", "labels", multiple=True, default=("car", "truck"), show_default=True,
              help="A detector's label that passes (repeatable).")  # fmt: skip
@click.option("--confidence", default=0.7, show_default=True, help="A detector's, at least.")
@click.option("--side", default=128.0, show_default=True,
              help="Root of the area of the box, at least.")  # fmt: skip
@click.option("--fill", default=0.5, show_default=True, help="Share of the box, at least.")
@click.option("--grey/--no-grey", default=False, help="Whether grey photographs pass.")
@click.option("--connectivity", type=click.Choice(["4", "8"]), default="8", show_default=True,
              help="Of pieces: an object in several is occluded.")  # fmt: skip
@click.option("--specks", default=0.0, show_default=True,
              help="Share of an object in other pieces that passes.")  # fmt: skip
@click.option("--border", type=click.Choice(["photograph", "cutout"]), default="photograph",
              show_default=True, help="Along which an object is cropped.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Of ratios, odd pixels and split.")
def cutouts(
    photographs: Path, masks: Path, out: Path, like: Path | None, labels: tuple[str, ...],
    grey: bool, connectivity: str, seed: int, **given: object,
) -> None:  # fmt: skip
    """Cut cars (or other objects) out of photographs, as the thesis on style transfer does.

    Segmentations pass seven filters one after the other: label, confidence, size, fill, grey
    photographs, occlusion, cropping. What passes is cut out, made square, padded to a ratio of object
    to frame drawn from that of renders, and split 80 : 20 by photograph. The reader
    benchmark.datasets.readers.cut_outs:CutOuts reads the folder.
    """
    from benchmark.datasets.cutouts.filters import Filters
    from benchmark.datasets.cutouts.framing import fitted_ratios
    from benchmark.datasets.cutouts.making import cut_out
    from benchmark.files import listed

    want = Filters(
        labels=labels,
        grey=None if grey else 0,
        connectivity=8 if connectivity == "8" else 4,
        **given,  # type: ignore[arg-type]
    )
    ratio = fitted_ratios(listed(like, "**/render_*.png")) if like else None
    with closing(make_progress()) as progress:
        made = cut_out(
            photographs, masks, out, filters=want, ratio=ratio, seed=seed,
            progress=lambda n, total: progress("cut out", n, total),
        )  # fmt: skip
    for name, count in made.left_out.items():
        click.echo(f"  left out by {name:12} {count:>8,}")
    if ratio:
        click.echo(
            f"  ratio of object to frame {ratio[0]:.3f} ± {ratio[1]:.3f}; {made.too_large:,} are larger"
        )
    counts = ", ".join(f"{count:,} {split}" for split, count in made.splits.items())
    click.echo(f"{sum(made.splits.values()):,} cut-outs are in {out}: {counts}")


@command.command()
@click.argument("run")
@click.option("--renders", required=True,
              type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="What `bench data render` made, or a folder in that layout.")  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
def restyle(run: str, renders: Path, out: Path, device: str) -> None:
    """Translate renders with the method that RUN fitted here: a data set in another style.

    Cameras, clouds, alpha and lists stay those of the renders, so that what is trained on the new
    pictures is scored as what is trained on the old ones. restyled.json says which run made it; the
    reader benchmark.datasets.readers.model_views:ModelViews reads the folder.
    """
    from benchmark.runner.fitted import find_fitted
    from benchmark.runner.plan import choose_device
    from benchmark.runner.restyle import restyle as translate

    fitted, device = find_fitted(run), choose_device(device)
    with closing(make_progress()) as progress:
        made = translate(fitted, renders, out, progress, device=device)
    by = f"{fitted.name}, fit {made.fit_id}"
    click.echo(f"{made.views:,} views of {made.size} px, translated by {by}, are in {out}")


@command.command()
@click.argument("protocol", shell_complete=complete_protocols)
@click.option("--split", default="test", show_default=True,
              help="test, train, fit, …; or another set of images that the task looks at.")  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder.")
@click.option("--twin", is_flag=True, help="Of its twin.")
@click.option("--npz", "archive", is_flag=True, help="One images.npz instead of PNG files.")
@click.option("--margin", is_flag=True, help="With what was prepared around the middle square.")
@click.option(
    "--labels",
    is_flag=True,
    help="Also labels.npz, which no method may see: of the test split, what is scored.",
)
@root
def export(
    protocol: str,
    split: str,
    out: Path,
    twin: bool,
    archive: bool,
    margin: bool,
    labels: bool,
    data_root: str | None,
) -> None:
    """Write a protocol's images as a method sees them, to predict them elsewhere (`bench score`).

    items.csv names each image's key, file and original picture, and the way back to it:
    x_original = ax·x + bx, y_original = ay·y + by.
    """
    _use(data_root)
    from benchmark.registry.protocols import find_protocol
    from benchmark.runner.export import export as write

    found, more = find_protocol(protocol), {"archive": archive, "margin": margin, "labels": labels}
    with closing(make_progress()) as progress:
        count = write(found, split, out, twin=twin, progress=progress, **more)
    click.echo(f"{count:,} images of {found.name} {split} are in {out}")


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
        use_data_root(data_root)
