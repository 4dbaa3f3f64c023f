"""The command `bench`: a group whose commands are imported when they are called.

Nothing here may import torch, NumPy, pandas or pydantic: `bench --help` must answer at once.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import warnings
from importlib import import_module
from typing import Any

import click

from benchmark.cli.commands import COMMANDS
from benchmark.contracts.errors import BenchError
from benchmark.contracts.machine_errors import machine_error
from benchmark.home import settle
from benchmark.lifeline import hold_given
from benchmark.version import __version__


class LazyGroup(click.Group):
    """Commands by name; a command's module is imported when it runs or shows its own help.

    A word that is no command of bench is looked up in the plugins, so only then are they loaded: the
    help does not list their commands, `bench plugins` does.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return _of_a_plugin(name)
        module = import_module(f"benchmark.cli.{name}")
        found: click.Command = module.command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from benchmark.registry.plugins import plugins

            plugins().command(args[0])  # an unknown name is an error that suggests close ones
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # the reader (head, less) went away: nothing is wrong
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        with formatter.section("Plugin commands"):
            formatter.write_text("`bench plugins` lists those that plugins bring.")


def _of_a_plugin(name: str) -> click.Command | None:
    """A plugin's command, if one brings it."""
    from benchmark.registry.implementations import command_of
    from benchmark.registry.plugins import plugins

    spec = plugins().commands.get(name)
    return None if spec is None else command_of(spec)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bench")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Evaluate methods that find structure in images without labels.

    \b
    bench run --method lead --protocol ytf5 --preset small --seed 0
    bench ls methods
    bench board ytf5
    """


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; errors a person can act on are printed without a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given or bool(os.environ.get("BENCH_DEBUG"))
    _remarked.clear()
    if "--debug" in given:
        given.remove("--debug")
    else:
        warnings.showwarning = _remark
    _settle_streams()
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    hold_given()
    try:
        settle()
        code = cli.main(
            given, prog_name="bench", standalone_mode=False, color=False if plain else None
        )
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()  # a group without a command shows its help
        code = error.exit_code
    except click.ClickException as error:
        _refuse(error)
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        if arguments is None:  # the whole process ends now: a second Ctrl-C has nothing more to end
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        resumed = given[:1] in (["run"], ["demo"], ["sweep"])
        goes_on = "; the same command goes on from the last checkpoint" if resumed else ""
        click.echo(f"\nstopped{goes_on}", err=True)
        code = 130
    except Exception as error:
        code = _explain(error, debug)
    sys.exit(code if isinstance(code, int) else 0)


def _refuse(error: click.ClickException) -> None:
    """What click refuses, in the voice of all other errors: one line, and what helps."""
    message = error.format_message().strip().removesuffix(".")
    message = message[:1].lower() + message[1:]
    missing = error.param if isinstance(error, click.MissingParameter) else None
    context = error.ctx if isinstance(error, click.UsageError) else None
    cure = f"`{context.command_path} --help` says what it takes" if context else ""
    if missing is not None and missing.name in LISTED:
        cure = f"`{LISTED[missing.name]}` lists them"
    _say_error(message, cure)


LISTED = {"method": "bench ls methods", "protocol": "bench ls protocols"}
"""What names the values of an option that is missing."""


def _say_error(message: str, cure: str) -> None:
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(message, err=True)
    if cure:
        click.secho("  cure: ", fg="green", nl=False, err=True)
        click.echo(cure, err=True)


def _settle_streams() -> None:
    """Show what the output's encoding lacks as "?" (standard error does by itself), and print into
    nothing where no stream is open."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif name == "stdout" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


_remarked: set[str] = set()


def _remark(message: Warning | str, *_: object, **__: object) -> None:
    """A warning as a line, once: whose code it came from is nothing that a person can act on."""
    if (text := str(message)) in _remarked:
        return
    _remarked.add(text)
    click.secho(f"note  {message}", fg="yellow", err=True)


def _explain(error: Exception, debug: bool) -> int:
    if debug:
        click.echo(_traceback(error), nl=False, err=True)
    error = machine_error(error) or error
    if isinstance(error, BenchError):
        _say_error(error.message, error.cure)
        return error.exit_code
    click.secho("unexpected error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(f"{type(error).__name__}: {error}", err=True)
    if not debug:
        click.echo(
            "  this is a fault of bench or of a plugin; `--debug` shows where it arose", err=True
        )
    return 70


def _traceback(error: Exception) -> str:
    """Where an error arose; what an error of bench says follows it, so here it is left out."""
    import traceback

    trace = traceback.TracebackException.from_exception(error)
    lines = list(trace.format())
    if isinstance(error, BenchError):
        lines = lines[: -len(list(trace.format_exception_only()))]
        lines += [f"{note}\n" for note in getattr(error, "__notes__", [])]
    return "".join(lines)
