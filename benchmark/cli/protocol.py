"""`bench protocol`: check, compare, describe and freeze protocol files."""

from __future__ import annotations

import click


@click.group()
def command() -> None:
    """Check, compare, describe and freeze protocol files."""


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


@command.command()
@click.argument("one")
@click.argument("other")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def diff(one: str, other: str, json_: bool) -> None:
    """What changed from one protocol version to another (`ytf5@1 ytf5@2`)."""
    from benchmark.cli.output import as_json
    from benchmark.pages.protocol_pages import differences
    from benchmark.protocols import find_protocol

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
@click.option("--check", "only_check", is_flag=True, help="Only say whether the pages are current.")
@click.option("--pictures", is_flag=True, help="Draw missing pictures of the twins as well.")
def page(only_check: bool, pictures: bool) -> None:
    """Write docs/protocols/: one page for each protocol version, made from its file."""
    from benchmark.contracts.errors import DataAltered
    from benchmark.files import write_text
    from benchmark.pages.protocol_pages import pages, picture_path
    from benchmark.protocols import all_protocols

    if pictures and not only_check:
        from benchmark.pages.twin_pictures import draw_twin

        for protocol in all_protocols():
            if protocol.twin is not None and not picture_path(protocol).exists():
                draw_twin(protocol, picture_path(protocol))
                click.echo(f"drawn {picture_path(protocol).name}")
    stale = [p for p, t in pages().items() if not p.exists() or p.read_text("utf-8") != t]
    if only_check and stale:
        raise DataAltered(
            f"{len(stale)} pages are not what the protocols say, first {stale[0].name}",
            cure="run `bench protocol page` and commit what it writes",
        )
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, pages()[path])
    click.echo(f"{len(stale)} pages written" if stale else "all pages are current")
