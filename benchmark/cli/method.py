"""`bench method`: begin a method of one's own, and check that it keeps the contract."""

from __future__ import annotations

from pathlib import Path

import click

from benchmark.cli.names import complete_methods

MARKS = {"passed": ("ok  ", "green"), "failed": ("FAIL", "red"), "expected": ("known", "yellow"),
         "not asked": ("-", "yellow")}  # fmt: skip


@click.group()
def command() -> None:
    """Begin a method of your own, and check that it keeps the contract."""


@command.command()
@click.argument("name")
@click.option("--kind", default="landmarks", show_default=True,
              type=click.Choice(["landmarks", "parts", "descriptors", "generator",
                                 "shape_and_pose", "translation"]),
              help="What it predicts.")  # fmt: skip
@click.option("--in", "parent", type=click.Path(file_okay=False, path_type=Path), default=".",
              help="Where its folder is made.")  # fmt: skip
def new(name: str, kind: str, parent: Path) -> None:
    """Make the folder of a new method: it installs, keeps the contract and runs on a twin at once."""
    from benchmark.testing.scaffold import KINDS, new_method

    folder = new_method(name, kind, parent)
    click.echo(f"made {folder}; now:")
    click.echo(f"  pip install --no-deps -e {folder}")
    click.echo(f"  bench method check {name}")
    click.echo(f"  bench run --method {name} --protocol {KINDS[kind][0]} --twin")


@command.command()
@click.argument("name", shell_complete=complete_methods)
@click.option("--set", "given", multiple=True, metavar="KEY=VALUE", help="A setting (repeatable).")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def check(name: str, given: tuple[str, ...], json_: bool) -> None:
    """Run the conformance checks of a method on a tiny twin; exits with 8 if one fails."""
    from benchmark.cli.output import as_json
    from benchmark.contracts.errors import PluginBroken
    from benchmark.settings import from_words
    from benchmark.testing.conformance import Outcome, check_method

    def say(outcome: Outcome) -> None:
        word, colour = MARKS[outcome.state]
        click.secho(f"{word:5}", fg=colour, nl=False)
        click.echo(f" {outcome.check}{'  ' if outcome.detail else ''}{outcome.detail}")
        if outcome.cure:
            click.echo(f"        cure: {outcome.cure}")

    outcomes = check_method(name, from_words(given), progress=None if json_ else say)
    held = [o for o in outcomes if o.state in ("passed", "expected")]
    failed = [o.check for o in outcomes if o.state == "failed"]
    if json_:
        as_json([o.__dict__ for o in outcomes])
    else:
        click.echo(f"{len(held)} of {len(outcomes)} checks hold")
    if len(held) < len(outcomes):
        raise PluginBroken(
            f"method {name!r} does not keep the contract: {', '.join(failed) or 'not all was asked'}",
            cure="docs/add-a-method.md says what each check wants; what can't hold is named with its "
            "reason in the registration (known_failures)",
        )
