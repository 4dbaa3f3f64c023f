"""`bench run`: one method under one protocol with one seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from benchmark.cli.names import complete_methods, complete_presets, complete_protocols
from benchmark.cli.words import options_of
from benchmark.home import use_data_root

if TYPE_CHECKING:
    from benchmark.runner.request import Request


@click.command()
@click.option("--method", "-m", required=True, shell_complete=complete_methods,
              help="Which method; `bench ls methods` lists them.")  # fmt: skip
@click.option("--protocol", "-p", required=True, shell_complete=complete_protocols,
              help="Which protocol, with @version or its newest; or the file of a draft.")  # fmt: skip
@click.option("--preset", default="", shell_complete=complete_presets,
              help="A named set of the method's settings (default: the method's own).")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
              help="A setting on top of the preset; may be repeated, tables with dots.")  # fmt: skip
@click.option("--seed", default="0", show_default=True,
              help="Seed of the fit; several as 0,1,2 or 0-2.")  # fmt: skip
@click.option("--twin", is_flag=True, help="Run on the protocol's synthetic twin.")
@click.option("--on", type=click.Choice(["test", "validation"]), default="test", show_default=True,
              help="Score on test images, or (for choosing settings) on validation images.")  # fmt: skip
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--devices",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    envvar="BENCH_DEVICES",
    help="Fit in that many processes, one per GPU (or on the CPU).",
)
@click.option("--data-root", type=click.Path(exists=True, file_okay=False),
              help="Folder that holds the data sets' folders (as $BENCH_DATA).")  # fmt: skip
@click.option("--launcher", default="",
              help="Where runs execute, a process each: local (this machine), slurm, ray, or a plugin's "
              "(default: in this process, one after the other).")  # fmt: skip
@click.option("--launcher-option", "launcher_options", multiple=True, metavar="KEY=VALUE",
              help="An option of the launcher (repeatable): processes=2, partition=gpu, …")  # fmt: skip
@click.option("--curve", is_flag=True,
              help="Also measure the error against the images seen, on validation images.")  # fmt: skip
@click.option("--anew", is_flag=True,
              help="Discard the run and its fit first, while writing a method.")  # fmt: skip
@click.option("--untrained", is_flag=True,
              help="Run the method's network as it is before training, a floor.")  # fmt: skip
@click.option("--with-floors", is_flag=True,
              help="Also run the untrained network, with the same seeds, and the floors.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Start the preset paper on a CPU without being asked.")
@click.option("--plan", "plan_only", is_flag=True, help="Print what would be done, and stop.")
@click.option("--json", "json_", is_flag=True, help="Print the record's main fields as JSON.")
@click.option("--quiet", "-q", is_flag=True, help="No progress display.")
@click.option("--lines", is_flag=True, help="Progress as plain lines, with --json too.")
def command(
    method: str,
    protocol: str,
    preset: str,
    settings: tuple[str, ...],
    seed: str,
    twin: bool,
    on: Literal["test", "validation"],
    device: str,
    devices: int,
    data_root: str | None,
    launcher: str,
    launcher_options: tuple[str, ...],
    curve: bool,
    anew: bool,
    untrained: bool,
    with_floors: bool,
    yes: bool,
    plan_only: bool,
    json_: bool,
    quiet: bool,
    lines: bool,
) -> None:
    """Run a method under a protocol: fit, predict, score, record.

    Given again, the command reports that the run is done; after a kill at any moment it resumes from the
    last checkpoint.
    """
    if data_root:
        use_data_root(data_root)
    from benchmark.runner.request import Request
    from benchmark.settings import from_words
    from benchmark.studies.seeds import seeds_from

    request = Request(
        method=method,
        protocol=protocol,
        preset=preset,
        given=from_words(settings),
        twin=twin,
        on=on,
        device=device,
        devices=devices,
    )
    if launcher:
        if with_floors:
            raise click.BadParameter(
                "launch --untrained and the floors alone", param_hint="--with-floors"
            )
        from benchmark.cli.launching import launch

        launch(
            _untrained(request) if untrained else request,
            seeds_from(seed),
            launcher=launcher,
            options=options_of(launcher_options),
            more=("--curve",) * curve + ("--anew",) * anew + ("--yes",) * yes,
            plan_only=plan_only,
            json_=json_,
        )
        return
    if launcher_options:
        raise click.BadParameter("there is no --launcher", param_hint="--launcher-option")
    from benchmark.cli import running

    running.run_command(
        _untrained(request) if untrained else request,
        seeds_from(seed),
        with_floors=with_floors,
        curve=curve,
        anew=anew,
        yes=yes,
        plan_only=plan_only,
        json_=json_,
        quiet=quiet,
        lines=lines,
    )


def _untrained(request: Request) -> Request:
    from benchmark.runner.beside import untrained

    return untrained(request)
