"""`bench completion`: tab completion for the shell."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the line that enables tab completion.

    \b
    echo 'eval "$(_BENCH_COMPLETE=bash_source bench)"' >> ~/.bashrc
    """
    lines = {
        "bash": 'eval "$(_BENCH_COMPLETE=bash_source bench)"',
        "zsh": 'eval "$(_BENCH_COMPLETE=zsh_source bench)"',
        "fish": "_BENCH_COMPLETE=fish_source bench | source",
    }
    click.echo(lines[shell])
