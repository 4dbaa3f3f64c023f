"""`bench predict`: a fitted method on pictures of one's own."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from benchmark.runner.views import FitRule


@click.command()
@click.argument("run")
@click.option("--images", "folder", required=True, type=click.Path(path_type=Path),
              help="Folder of pictures, with those in folders below.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path),
              help="Where predictions go (default: predictions-RUN here).")  # fmt: skip
@click.option("--fit", "rule", default="centre", show_default=True,
              type=click.Choice(["centre", "pad", "stretch"]),
              help="Show the middle square, all on black, or all squeezed.")  # fmt: skip
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N.")
@click.option("--skip-broken", is_flag=True, help="Leave out pictures that can't be read.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def command(
    run: str,
    folder: Path,
    out: Path | None,
    rule: str,
    device: str,
    skip_broken: bool,
    json_: bool,
) -> None:
    """Predict every picture of a folder with the method that RUN fitted here (a run's id, or a fit's).

    Coordinates are pixels of each picture, upright as a viewer shows it; the centre of the top-left one
    is (0, 0). Give pictures framed as those that the method was fitted on: nothing is detected in them.
    """
    from benchmark.cli.output import as_json
    from benchmark.files import listed, whole_folder
    from benchmark.interface.progress import make_progress
    from benchmark.pictures.predicted import predicted_sheet
    from benchmark.runner.fitted import find_fitted
    from benchmark.runner.plan import choose_device
    from benchmark.runner.predict_images import SHEET_FILE, predict_images, require_free

    fitted, device = find_fitted(run), choose_device(device)
    fitted.require_pictures()
    out = out or Path(f"predictions-{fitted.run_id}")
    require_free(out, folder, fitted, cast("FitRule", rule))
    with closing(make_progress(json_)) as progress, whole_folder(out) as temporary:
        found = predict_images(
            fitted, folder, temporary, progress,
            rule=cast("FitRule", rule), device=device, skip_broken=skip_broken,
        )  # fmt: skip
        predicted_sheet(found).save(temporary / SHEET_FILE)
    files = [path.relative_to(out).as_posix() for path in listed(out, "*")]
    if json_:
        as_json({"run": fitted.run_id, "fit": fitted.fit_id, "method": fitted.name,
                 "protocol": fitted.protocol.name, "kind": fitted.kind, "meaning": found.meaning,
                 "pictures": len(found.names), "left_out": found.broken,
                 "folder": str(out.resolve()), "files": files})  # fmt: skip
        return
    click.secho(f"{fitted.name} on {len(found.names):,} pictures: {fitted.kind}", bold=True)
    click.echo(f"  {found.meaning}")
    for reason in found.broken.values():
        click.secho(f"left out: {reason}", fg="yellow")
    click.echo(f"folder    {out}")
    click.echo(f"files     {', '.join(files)}")
