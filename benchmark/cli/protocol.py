"""`bench protocol`: check, compare, describe and freeze protocol files."""

from __future__ import annotations

import os
from pathlib import Path

import click

from benchmark.cli.names import complete_protocols


@click.group()
def command() -> None:
    """Begin, check, compare, describe and freeze protocol files."""


@command.command()
@click.argument("name")
@click.option("--from", "source", default="", shell_complete=complete_protocols,
              help="The protocol that it begins as.")  # fmt: skip
@click.option(
    "--task", default="", help="Or the task whose protocol it begins as: `bench ls tasks`."
)
@click.option("--out", "parent", type=click.Path(file_okay=False, path_type=Path), default=".",
              help="Where its folder is made.")  # fmt: skip
def new(name: str, source: str, task: str, parent: Path) -> None:
    """Write NAME/1.toml: a draft with every constant of another protocol, each section explained."""
    from benchmark.testing.scaffold_protocol import new_protocol, protocol_of

    if bool(source) == bool(task):
        raise click.UsageError("say --from PROTOCOL or --task TASK")
    path = new_protocol(name, source or protocol_of(task), parent)
    click.echo(f"made {path}; now:")
    click.echo(f"  bench protocol check {path}")
    click.echo(f"  bench run --method oracle --protocol {path} --twin")


@command.command()
@click.argument("names", nargs=-1, shell_complete=complete_protocols)
def check(names: tuple[str, ...]) -> None:
    """Check all protocols (or those named, by id or by file) for faults, and whether they are frozen.

    Drafts and those of plugins too; no data is read. 11 if there is a fault, 5 if a frozen one was
    changed.
    """
    from benchmark.contracts.errors import DataAltered
    from benchmark.protocols import ProtocolInvalid, broken_files
    from benchmark.registry.protocols import is_path, protocol_folders, protocol_path

    faults = altered = 0
    for name, path in _chosen(names).items():
        state, found, changed = _state(name, path)
        click.echo(f"{name:24} {state}")
        for fault in found:
            click.secho(f"  fault: {fault}", fg="red")
        faults, altered = faults + len(found), altered + changed
    named = [name for name in names if not is_path(name)]
    folders = {protocol_path(n).parent.parent for n in named} if names else set(protocol_folders())
    for one in broken_files(tuple(sorted(folders))):
        if "@" not in one.name:  # a lock, or a paper's tables
            click.secho(f"{one.name}\n  fault: {one.reason}", fg="red")
            faults += 1
    if faults:
        raise (DataAltered if altered == faults else ProtocolInvalid)(
            f"{faults} fault{'s' if faults > 1 else ''} in protocol files",
            cure="mend them as said above; runs under these protocols are refused, all others go on",
        )


def _chosen(names: tuple[str, ...]) -> dict[str, Path]:
    """The files of those named ("id" is its newest version), or all."""
    from benchmark.registry.protocols import is_path, known_files, protocol_path

    if not names:
        return known_files()
    return {
        name if is_path(name) else f"{path.parent.name}@{path.stem}": path
        for name in names
        for path in [Path(name) if is_path(name) else protocol_path(name)]
    }


def _state(name: str, path: Path) -> tuple[str, list[str], bool]:
    """How a version stands, its faults, and whether it was changed after it was frozen."""
    from benchmark.contracts.errors import BenchError, DataAltered
    from benchmark.protocols import is_frozen
    from benchmark.registry.protocols import find_protocol, is_draft
    from benchmark.tasks.faults import faults

    try:
        protocol = find_protocol(name)
    except BenchError as error:
        return "broken", [error.sentence], isinstance(error, DataAltered)
    state = (
        f"draft of {protocol.name}, installed nowhere"
        if is_draft(protocol)
        else "frozen"
        if is_frozen(protocol)
        else "draft: `bench protocol freeze` would freeze it"
    )
    return f"{protocol.digest()[:16]}  {state}", faults(protocol, path.parent), False


@command.command()
@click.argument("names", nargs=-1, shell_complete=complete_protocols)
def freeze(names: tuple[str, ...]) -> None:
    """Write the digests of new versions (or of those named) into the lock of their folder.

    That is protocols/digests.lock for bench's own, and digests.lock in the folder of protocols of a
    plugin for its own. What is frozen stays as it is; a protocol with faults is not frozen.
    """
    from benchmark.probes.constants import lock_entries
    from benchmark.protocols import LOCK, ProtocolInvalid, read_lock, read_protocol
    from benchmark.protocols import freeze as add
    from benchmark.registry.protocols import is_path, protocol_folders
    from benchmark.tasks.faults import faults

    if paths := [name for name in names if is_path(name)]:
        raise ProtocolInvalid(
            f"{paths[0]} is the file of a draft; what is frozen lies in a folder of protocols",
            cure="put it into one, as ID/VERSION.toml, and name it by its id",
        )
    drafts = {
        folder: [
            read_protocol(path)
            for name, path in _chosen(names).items()
            if path.parent.parent == folder and name not in read_lock(folder)
        ]
        for folder in protocol_folders()
    }
    for folder, found in drafts.items():
        for protocol in found:
            if wrong := faults(protocol, folder / protocol.id):
                raise ProtocolInvalid(
                    f"{protocol.name} can't be frozen: {wrong[0]}",
                    cure="mend it, or name those to be frozen: bench protocol freeze NAME",
                )
    faulty = 0
    for folder, found in drafts.items():
        if found and not names and not os.access(folder, os.W_OK):
            left = ", ".join(protocol.name for protocol in found)
            click.echo(f"left as drafts, {folder} may not be written: {left}")
        elif found:
            digests = {protocol.name: protocol.digest() for protocol in found}
            added = add(folder, digests | lock_entries(found))
            click.echo(f"frozen in {folder / LOCK}: {', '.join(added)}")
            faulty += 1
    if not faulty:
        click.echo("nothing new to freeze")


@command.command()
@click.argument("one")
@click.argument("other")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def diff(one: str, other: str, json_: bool) -> None:
    """What changed from one protocol version to another (`ytf5@1 ytf5@2`)."""
    from benchmark.cli.output import as_json
    from benchmark.pages.protocol_facts import differences
    from benchmark.registry.protocols import find_protocol

    before, after = find_protocol(one), find_protocol(other)
    found = differences(before, after)
    if json_:
        keys = ("field", "before", "after", "counts")
        changed = [dict(zip(keys, row, strict=True)) for row in found]
        as_json({"before": before.name, "after": after.name, "changed": changed})
        return
    for key, old, new, counts in found:
        click.secho(f"{key}{'' if counts else '  (words)'}", bold=counts, dim=not counts)
        click.secho(f"  - {_shown(old)}", fg="red")
        click.secho(f"  + {_shown(new)}", fg="green")
    if not any(counts for *_, counts in found):
        click.echo("nothing that counts differs: the same numbers come out")


def _shown(value: object) -> str:
    text = str(value).strip()
    return "(not stated)" if text in ("", "None", "[]", "{}") else text.replace("\n", "\n    ")


@command.command()
@click.argument("names", nargs=-1, shell_complete=complete_protocols)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write pages there: of protocols of plugins, or of those named.",
)
@click.option(
    "--check", "only_check", is_flag=True, help="Only check whether the pages are current."
)
@click.option("--pictures", is_flag=True, help="Draw missing pictures of the twins as well.")
def page(names: tuple[str, ...], out: Path | None, only_check: bool, pictures: bool) -> None:
    """Write docs/protocols/: one page for each version of bench's own protocols, made from its file.

    With --out, those of plugins, wherever their documentation is.
    """
    from benchmark.contracts.errors import DataAltered, DataMissing
    from benchmark.files import write_text
    from benchmark.home import builtin_folder
    from benchmark.pages.protocol_pages import own_folder, pages, picture_path
    from benchmark.protocols import protocols_in
    from benchmark.registry.protocols import find_protocol, protocol_folders

    if names and out is None:
        raise click.UsageError("pages of named protocols go to a folder of yours: --out FOLDER")
    folders = (builtin_folder(),) if out is None else protocol_folders()[1:]
    chosen = [find_protocol(name) for name in names] or protocols_in(folders)
    if not chosen:
        raise DataMissing("no plugin brings protocols", cure="name those whose pages you want")
    folder = own_folder() if out is None else out
    if pictures and not only_check:
        from benchmark.pictures.twin import draw_twin

        for protocol in chosen:
            picture = picture_path(protocol, folder)
            if protocol.twin is not None and not picture.exists():
                draw_twin(protocol, picture)
                click.echo(f"drawn {picture.name}")
    texts = pages(chosen, folder)
    stale = [p for p, t in texts.items() if not p.exists() or p.read_text("utf-8") != t]
    if only_check and stale:
        raise DataAltered(
            f"{len(stale)} pages are not what the protocols say, first {stale[0].name}",
            cure="run `bench protocol page` and commit what it writes",
        )
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, texts[path])
    click.echo(f"{len(stale)} pages written" if stale else "all pages are current")
