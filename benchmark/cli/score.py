"""`bench score`: predictions that were made elsewhere, scored as those of any method."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import click

from benchmark.cli.names import complete_protocols

if TYPE_CHECKING:
    from benchmark.contracts.method import Progress
    from benchmark.runner.external import Submission


@click.command()
@click.option("--protocol", "-p", required=True, shell_complete=complete_protocols,
              help="Which protocol, with @version or its newest; or the file of a draft.")  # fmt: skip
@click.option("--predictions", type=click.Path(exists=True, path_type=Path), metavar="FILE",
              help="An .npz, or a folder of .npy files, or of generated pictures.")  # fmt: skip
@click.option("--name", help="The row's name on the board.")
@click.option("--made-by", help="What made the file: a program with its version, an address.")
@click.option("--supervision", type=click.Choice(["none", "labels"]),
              help="Whether labels were seen in making it.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Seed of the training, where one row has several files.")  # fmt: skip
@click.option("--twin", is_flag=True, help="Predictions of the protocol's synthetic twin.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--print", "only_print", is_flag=True, help="Only print the numbers; leave no record."
)
@click.option("--template", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write an .npz with the keys, list the arrays to add, and stop.")  # fmt: skip
@click.option("--json", "json_", is_flag=True, help="Print the main fields as JSON.")
@click.option("--quiet", "-q", is_flag=True, help="No progress display.")
def command(
    protocol: str,
    predictions: Path | None,
    name: str | None,
    made_by: str | None,
    supervision: str | None,
    seed: int,
    twin: bool,
    device: str,
    only_print: bool,
    template: Path | None,
    json_: bool,
    quiet: bool,
) -> None:
    """Score a file of predictions under a protocol, by the same probe and metrics as methods.

    The record states that bench did not run the method, and the row on the board is marked.

    \b
    bench score -p ytf5 --template ytf5.npz
    bench score -p ytf5 --predictions mine.npz --print
    bench score -p ytf5 --predictions mine.npz --name mine --made-by "mine 1.2" --supervision none
    """
    if (predictions is None) == (template is None):
        raise click.UsageError("say --predictions FILE, or --template FILE to begin one")
    words = {"--name": name, "--made-by": made_by, "--supervision": supervision}
    lacking = [word for word, value in words.items() if value is None]
    if predictions and lacking and not only_print:
        raise click.UsageError(f"say {', '.join(lacking)}, or --print to leave no record")
    from benchmark.interface.progress import make_progress
    from benchmark.runner.external import Submission, write_template

    with closing(make_progress(quiet or json_)) as progress:
        if template is not None:
            _say_template(template, write_template(template, protocol, twin, progress))
            return
        assert predictions is not None
        given = Submission(
            protocol=protocol,
            predictions=predictions,
            name=name or "unnamed",
            made_by=made_by or "",
            supervision=cast(Literal["none", "labels"], supervision or "none"),
            seed=seed,
            twin=twin,
            device=device,
        )
        (_print if only_print else _leave)(given, progress, json_)


def _print(given: Submission, progress: Progress, json_: bool) -> None:
    """The numbers alone."""
    from benchmark.cli.output import as_json
    from benchmark.runner.external import score_and_forget

    values = score_and_forget(given, progress).metrics
    if json_:
        as_json(
            {
                "metrics": {v.metric: v.value for v in values},
                "ci95": {v.metric: v.ci95 and list(v.ci95) for v in values},
            }
        )
        return
    for value in values:
        click.secho(f"{value.metric} {value.value:.2f} {value.unit}", bold=True, nl=False)
        click.echo(f"   {value.interval()}")


def _leave(given: Submission, progress: Progress, json_: bool) -> None:
    """A record on the board, tables, pictures and a page, as `bench run` leaves them."""
    from benchmark.cli.output import as_json
    from benchmark.cli.running import say, summary, warn
    from benchmark.interface.running import complete
    from benchmark.runner.external import score_file

    plan, outcome = score_file(given, progress)
    outcome, page = complete(plan, outcome, progress, warn=warn)
    if json_:
        as_json(summary(outcome, page))
    else:
        say(outcome, page)


def _say_template(path: Path, wanted: list[tuple[str, str]]) -> None:
    click.echo(f"wrote {path}; a file of predictions holds")
    for name, words in wanted:
        click.echo(f"  {name}: {words}")
