"""`bench protocol`: check and freeze protocol files."""

from __future__ import annotations

import click


@click.group()
def command() -> None:
    """Check and freeze protocol files."""


@command.command()
def check() -> None:
    """Read every protocol and compare it with the frozen digests."""
    from benchmark.protocols import find_protocol, protocol_files, protocol_folders, read_lock

    for folder in protocol_folders():
        lock = read_lock(folder)
        for name in protocol_files((folder,)):
            protocol = find_protocol(name)
            state = "frozen" if name in lock else "draft: `bench protocol freeze` would freeze it"
            click.echo(f"{name:24} {protocol.digest()[:16]}  {state}")


@command.command()
def freeze() -> None:
    """Write the digests of new versions into protocols/digests.lock; frozen ones stay as they are."""
    from benchmark.probes.constants import lock_entries
    from benchmark.protocols import builtin_folder, protocol_files, read_protocol
    from benchmark.protocols import freeze as add

    folder = builtin_folder()
    found = [read_protocol(path) for path in protocol_files((folder,)).values()]
    added = add(folder, lock_entries(found))
    click.echo("frozen: " + ", ".join(added) if added else "nothing new to freeze")
