"""`bench sweep`: a study's runs, each in a process of its own, and how far they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from benchmark.cli.names import complete_methods, complete_presets, complete_protocols
from benchmark.cli.words import options_of


class Sweeps(click.Group):
    """`bench sweep STUDY.toml` is `bench sweep begin STUDY.toml`: what is no command is asked for."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return super().get_command(ctx, name) or self.commands["begin"]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args[:1] not in [[name] for name in self.commands] and not {"-h", "--help"} & {
            *args[:1]
        }:
            args = ["begin", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Sweeps)
def command() -> None:
    """Run a study: many methods, settings, protocols and seeds, each run in a process of its own.

    \b
    bench sweep STUDY.toml
    bench sweep --method lead --method imm --protocol ytf5 --preset small --seed 0-2 --floors
    bench sweep status
    """


WHERE = click.option(
    "--launcher",
    default="local",
    show_default=True,
    help="Where runs execute: local (this machine), slurm, ray, or a plugin's.",
)
OPTIONS = click.option(
    "--launcher-option",
    "launcher_options",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the launcher (repeatable): processes=2, partition=gpu, …",
)
JSON = click.option("--json", "json_", is_flag=True, help="What became of each run as JSON.")


@command.command()
@click.argument(
    "study", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--method", "-m", "methods", multiple=True, shell_complete=complete_methods,
              help="A method (repeatable), where there is no file.")  # fmt: skip
@click.option("--protocol", "-p", "protocols", multiple=True, shell_complete=complete_protocols,
              help="A protocol (repeatable).")  # fmt: skip
@click.option("--preset", "presets", multiple=True, shell_complete=complete_presets,
              help="A preset of the methods (repeatable; default: each method's own).")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
              help="A setting on top of the presets; may be repeated, tables with dots.")  # fmt: skip
@click.option("--seed", default="0", show_default=True, help="Seeds of the fits, as 0,1,2 or 0-2.")
@click.option("--floors", is_flag=True,
              help="Also floors, references, ceilings, the methods' networks untrained.")  # fmt: skip
@click.option("--twin", is_flag=True, help="Run on the protocols' synthetic twins.")
@click.option("--on", type=click.Choice(["test", "validation"]), default="test", show_default=True,
              help="Score on test images, or (for choosing settings) on validation images.")  # fmt: skip
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@WHERE
@OPTIONS
@click.option("--plan", "plan_only", is_flag=True,
              help="Say which runs there are, which are done, and what they will cost.")  # fmt: skip
@JSON
def begin(
    study: Path | None,
    methods: tuple[str, ...],
    protocols: tuple[str, ...],
    presets: tuple[str, ...],
    settings: tuple[str, ...],
    seed: str,
    floors: bool,
    twin: bool,
    on: Literal["test", "validation"],
    device: str,
    launcher: str,
    launcher_options: tuple[str, ...],
    plan_only: bool,
    json_: bool,
) -> None:
    """Run what a study's file (or options in its place) asks for and what is not done yet.

    Given again, the command goes on with what is left. Runs that failed are left alone: `bench sweep
    retry` tries them again.
    """
    from benchmark.cli import sweeping
    from benchmark.settings import from_words
    from benchmark.studies.study import read_study, study_from

    if bool(study) == bool(methods):
        raise click.UsageError("name a study's file, or --method and --protocol")
    given = click.get_current_context().get_parameter_source
    in_file = ("protocols", "presets", "settings", "seed", "floors", "twin", "on", "device")
    if study and (
        said := [name for name in in_file if given(name) == click.core.ParameterSource.COMMANDLINE]
    ):
        raise click.UsageError(f"what {study} says is not said again: {', '.join(said)}")
    if study:
        asked, stem = read_study(study), study.stem
    else:
        rows: list[dict[str, Any]] = [
            {"method": name, "presets": presets or [""], "settings": [from_words(settings)]}
            for name in methods
        ]
        content = {"protocols": protocols, "seeds": seed, "methods": rows, "floors": floors}
        content |= {"twin": twin, "on": on, "device": device}
        asked, stem = study_from(content, "these options"), "-".join([*methods, *protocols])
    sweeping.begin(
        stem,
        asked.requests(),
        launcher=launcher,
        options=options_of(launcher_options),
        plan_only=plan_only,
        json_=json_,
    )


NAME = click.argument("name", required=False, default="")


@command.command()
@NAME
@JSON
def status(name: str, json_: bool) -> None:
    """Say how far a sweep is: the one that was last worked on, or that of a NAME (or a prefix of it)."""
    from benchmark.cli import sweeping

    sweeping.status(name, json_=json_)


@command.command()
@NAME
def cancel(name: str) -> None:
    """End a sweep: what runs is ended, what is queued is not begun. The same command goes on."""
    from benchmark.cli import sweeping

    sweeping.cancel(name)


@command.command()
@NAME
@click.option("--launcher", default="", help="Where runs execute (default: where they did).")
@OPTIONS
@JSON
def retry(name: str, launcher: str, launcher_options: tuple[str, ...], json_: bool) -> None:
    """Go on with a sweep, its failed runs too."""
    from benchmark.cli import sweeping

    sweeping.retry(name, launcher=launcher, options=options_of(launcher_options), json_=json_)


@command.command()
@click.argument("study", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path),
              help="Write it there; without it the page is printed.")  # fmt: skip
@click.option("--check", is_flag=True,
              help="Only fail if the page at --out is not what the records say.")  # fmt: skip
def table(study: Path, out: Path | None, check: bool) -> None:
    """Hold the methods of a study side by side: values, ranks, what each saw, and what is still to run.

    It is made from the records on the boards alone, and runs nothing.
    """
    from benchmark.cli import sweeping

    if check and out is None:
        raise click.UsageError("--check compares a page: name it by --out")
    sweeping.table_of(study, out, check=check)
