"""`bench board`: print the tables, write or check them, build the site."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.cli.names import complete_protocols

if TYPE_CHECKING:
    from benchmark.boards.standings import Standing
    from benchmark.protocols import Protocol


class Boards(click.Group):
    """`bench board ytf5` is `bench board show ytf5`: what is no command is a protocol."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return super().get_command(ctx, name) or self.commands["show"]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = next((a for a in args if not a.startswith("-")), None)
        if first not in self.commands and not {"-h", "--help"} & set(args):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Boards)
def command() -> None:
    """Print the leaderboards (`bench board ytf5`), write their tables, or build the site."""


@command.command()
@click.argument("protocol", required=False, shell_complete=complete_protocols)
@click.option("--twin", is_flag=True, help="The twin's board.")
@click.option("--metrics", is_flag=True, help="All metrics of each row, not the first alone.")
@click.option("--json", "json_", is_flag=True, help="Rows as JSON.")
@click.option("--format", "format_", type=click.Choice(["csv", "json", "md", "tex"]),
              help="One board as a file for other programs, with all metrics.")  # fmt: skip
@click.option("--web", is_flag=True, help="Build the board's page and open it in the browser.")
def show(
    protocol: str | None, twin: bool, metrics: bool, json_: bool, format_: str | None, web: bool
) -> None:
    """Print one board (what papers report under it too), or without a protocol an overview of all.

    The twin's rows are printed where there are no others, or with --twin.
    """
    if format_:
        _print_as(format_, protocol, twin=twin)
        return
    from dataclasses import asdict

    from benchmark.boards.standings import standings
    from benchmark.cli.output import as_json
    from benchmark.registry.protocols import all_protocols, find_protocol, is_path

    if protocol and is_path(protocol):
        raise click.UsageError(f"{protocol} is a draft: its runs stand on no board (bench ls runs)")
    if web:
        _open_site(protocol)
        return
    if metrics and protocol is None:
        raise click.UsageError("--metrics prints one board: name its protocol")
    boards = [
        board
        for board in standings(
            [find_protocol(protocol)] if protocol else all_protocols(), requested=bool(protocol)
        )
        if (board.twin or not twin) and (protocol or board.kind != "reported")
    ]
    if json_:
        as_json(
            {
                board.name: {
                    "kind": board.kind,
                    "rows": [asdict(row) for row in board.rows],
                    "reported": [asdict(one) for one in board.agreements],
                    "left_out": [str(one) for one in board.left_out],
                }
                for board in boards
            }
        )
        return
    if protocol is None:
        _print_overview(boards, twin)
        return
    real = [board for board in boards if board.kind != "reported" and not board.twin]
    chosen = [b for b in boards if not (real and b.twin and not twin)]
    if metrics:
        for board in chosen:
            _print_metrics(board)
        return
    print_boards(chosen)
    if not any(board.runs for board in boards):
        click.echo(_no_records(protocol, twin))
    elif also := _also(find_protocol(protocol), boards, chosen, twin=twin):
        click.secho(f"also: {also}", dim=True)


def _print_as(format_: str, name: str | None, *, twin: bool) -> None:
    """One board in a format of `FORMATS`: the twin's where it is asked for, or there is no other."""
    from benchmark.boards.standings import standings
    from benchmark.pages.board_files import FORMATS
    from benchmark.registry.protocols import find_protocol

    if name is None:
        raise click.UsageError("--format prints one board: name its protocol")
    found = standings([find_protocol(name)], requested=True)
    wanted = [board for board in found if board.rows and (board.twin or not twin)]
    if not wanted:
        raise click.UsageError(_no_records(name, twin))
    click.echo(FORMATS[format_](wanted[0]), nl=False)


@command.command()
@click.option("--check", is_flag=True, help="Only fail if a table is not what the records say.")
def build(check: bool) -> None:
    """Regenerate all tables and the index from the records, or check them."""
    from benchmark.contracts.errors import DataAltered
    from benchmark.pages.tables import stale_files, update_boards
    from benchmark.registry.protocols import all_protocols

    _tell_broken()

    if check:
        if old := stale_files(all_protocols()):
            raise DataAltered(
                "these tables are not what the records say: " + ", ".join(map(str, old)),
                cure="bench board build, and commit what it wrote",
            )
        click.echo("all tables are what the records say")
        return
    count = update_boards(all_protocols())
    click.echo(f"wrote {count} files" if count else "all tables are what the records say")


@command.command()
@click.argument("old", default="HEAD")
@click.argument("new", required=False)
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.option("--markdown", is_flag=True, help="As Markdown, for the summary of a pull request.")
def diff(old: str, new: str | None, json_: bool, markdown: bool) -> None:
    """Show which rows changed from OLD to NEW: old → new value, rank and seeds.

    Each is a folder of leaderboards or a git revision; without NEW it is the leaderboards as they are,
    without OLD the last commit. Tables are compared: `bench board build` first.
    """
    from dataclasses import asdict

    from benchmark.boards.diff import change_cells, changes, state
    from benchmark.boards.diff import markdown as as_markdown
    from benchmark.cli.output import as_json, table
    from benchmark.home import leaderboards

    found = changes(state(old), state(new or str(leaderboards())))
    if json_:
        as_json([asdict(change) for change in found])
    elif markdown:
        click.echo(as_markdown(found, old, new or "now"), nl=False)
    elif found:
        rows = [[c.board, c.kind, c.row.name, *change_cells(c)] for c in found]
        table(["board", "", "row", "value", "rank", "seeds"], rows)
    else:
        click.echo("no row changed")


@command.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True,
              help="Folder of the site.")  # fmt: skip
@click.option("-p", "--protocol", "protocols", multiple=True, shell_complete=complete_protocols,
              help="Only this protocol's boards; may be given again.")  # fmt: skip
@click.option("--pictures", is_flag=True,
              help="Draw missing pictures of twins first, which renders them.")  # fmt: skip
@click.option("--private", is_flag=True,
              help="Show pictures of all data, for a site that is not published.")  # fmt: skip
@click.option("--repository", default="", metavar="ADDRESS",
              help="Where the code can be read; commits then lead there.")  # fmt: skip
@click.option("--docs", default="", metavar="ADDRESS",
              help="Where the built documentation lies, absolute or from the site's root.")  # fmt: skip
@click.option("--with-docs", type=click.Path(file_okay=False, exists=True, path_type=Path),
              help="Built documentation, which becomes the site's docs/, searched too.")  # fmt: skip
def site(
    out: Path,
    protocols: tuple[str, ...],
    pictures: bool,
    private: bool,
    repository: str,
    docs: str,
    with_docs: Path | None,
) -> None:
    """Build the static site: overview, boards, methods and runs.

    Pictures are those in the folders of runs on this machine, where the data's terms let them be
    shown: twins, as a rule. In a folder that holds a site already, or is a checkout, nothing but
    bench's own files is replaced or removed.
    """
    from benchmark.pages.links import Links
    from benchmark.pages.site import build_site
    from benchmark.records.code import code_state
    from benchmark.registry.plugins import plugins
    from benchmark.registry.protocols import all_protocols, find_protocol

    chosen = [find_protocol(name) for name in dict.fromkeys(protocols)] or all_protocols()

    _tell_broken()
    if pictures:
        from benchmark.interface.progress import make_progress
        from benchmark.pictures.items import draw_items
        from benchmark.pictures.redrawn import draw_twins

        with closing(make_progress(False)) as progress:
            drawn, failed = draw_twins(progress, chosen)
            boards, others = draw_items(progress, chosen, private=private)
        failed += others
        click.echo(f"drew pictures of {drawn} runs and of the items of {boards} boards", err=True)
        for line in failed:
            click.echo(f"no pictures of {line}", err=True)
    count = build_site(
        out,
        chosen,
        lambda done, total: click.echo(f"{done}/{total} pages", err=True),
        requested=bool(protocols),
        private=private,
        links=Links(repository.rstrip("/"), docs, code_state().commit),
        documents=with_docs,
        methods=plugins().methods,
    )
    if private:
        click.echo("not to be published: it may show pictures whose terms forbid it", err=True)
    click.echo(f"{count} files; open {out / 'index.html'}")


def _tell_broken() -> None:
    """Which protocols have no board because their file is broken."""
    from benchmark.registry.protocols import all_broken

    for one in all_broken():
        click.secho(f"left out  {one.name}: {one.reason}", fg="red", err=True)


def _open_site(protocol: str | None) -> None:
    """The site of one board, or of all, built on this machine for its user, and opened."""
    from benchmark.home import home
    from benchmark.pages.site import build_site
    from benchmark.registry.plugins import plugins
    from benchmark.registry.protocols import all_protocols, find_protocol

    folder = home() / "site" / (protocol or "all")
    chosen = [find_protocol(protocol)] if protocol else all_protocols()
    build_site(
        folder,
        chosen,
        lambda done, total: None,
        requested=bool(protocol),
        private=True,
        methods=plugins().methods,
    )
    click.echo(folder / "index.html")
    click.launch((folder / "index.html").absolute().as_uri())


def _print_overview(boards: list[Standing], twin: bool) -> None:
    """A line for each board, on real data or of twins: how many runs, and the best method."""
    from benchmark.cli.output import paragraph, table
    from benchmark.pages.tables import best_method

    chosen = [board for board in boards if board.twin == twin]
    if chosen:
        rows = [[b.name, b.runs, best_method(b), b.protocol.title] for b in chosen]
        table(["board", "runs", "best method", "what"], rows, cut=["best method", "what"],
              drop=["what"], right=["runs"])  # fmt: skip
    if twins := 0 if twin else len(boards) - len(chosen):
        what = f"{twins} board of twins" if twins == 1 else f"{twins} boards of twins"
        paragraph(f"{what}, which say nothing about real images: bench board --twin", dim=True)
    if not boards:
        click.echo(_no_records(None, twin))


def _also(
    protocol: Protocol, boards: list[Standing], printed: list[Standing], *, twin: bool
) -> str:
    """What else there is: further metrics, the twin that was not printed, other versions."""
    from benchmark.boards.entries import board_folder
    from benchmark.registry.protocols import all_protocols

    words = [
        f"bench board {board.protocol.name}{' --twin' * twin} --metrics"
        for board in printed
        if board.runs and len(board.scored.metrics) > 1
    ]
    if twin:
        return ", ".join(words)
    printed_real = any(board.runs and not board.twin for board in boards)
    words += [
        f"bench board {board.protocol.name} --twin"
        for board in boards
        if board.twin and board.runs and printed_real
    ]
    words += [
        f"bench board {other.name} (another version, on real data)"
        for other in all_protocols()
        if other.id == protocol.id
        and other.version != protocol.version
        and board_folder(other, twin=False).exists()
    ]
    return ", ".join(words)


def print_boards(boards: list[Standing]) -> None:
    """Boards on the terminal, and beneath them all what there is to say of their tables."""
    for board in boards:
        _print_standing(board)
    _print_legend(boards)


def _no_records(protocol: str | None, twin: bool) -> str:
    """What to do where nothing was run; other versions that have records are named."""
    from benchmark.boards.entries import board_folder
    from benchmark.registry.protocols import all_protocols, find_protocol

    if protocol is None:
        return "no records yet: bench run --method lead --protocol ytf5 --preset small"
    asked = find_protocol(protocol)
    on = f"{asked.name}{' (twin)' if twin else ''}"
    others = [
        other.name
        for other in all_protocols()
        if (other.id, other != asked) == (asked.id, True)
        and any(board_folder(other, twin=t).exists() for t in {True, twin})
    ]
    if others:
        return f"no records of {on} yet; there are of {', '.join(others)}: bench board {others[-1]}"
    word = " --twin" if twin else ""
    return f"no records of {on} yet: bench run --method METHOD --protocol {asked.name}{word}"


def _print_standing(board: Standing) -> None:
    """A board as it stands, and what is reported under its protocol."""
    from benchmark.cli.board_table import print_rows
    from benchmark.cli.output import paragraph, table
    from benchmark.pages.reported_tables import HEAD, SOURCE, reported_cells
    from benchmark.pages.tables import EXTERNAL, external_methods, known_failures

    protocol = board.protocol
    metric = board.headline
    click.secho(f"\n{board.name}", bold=True)
    unit = f" in {metric.unit}" if metric.unit else ""
    paragraph(f"{protocol.title}; {metric.id}{unit}, {metric.better} is better")
    if board.rows:
        for note in print_rows(board.rows):
            paragraph(note, dim=True)
        if board.floor_words:
            paragraph(f"best floor: {board.floor_words}", dim=True)
    for method, checks in known_failures(board.rows).items():
        for check, reason in checks:
            paragraph(f"† {method} can't pass the check {check!r}: {reason}", dim=True)
    if elsewhere := external_methods(board.rows):
        paragraph(f"§ {', '.join(elsewhere)}: {EXTERNAL}", dim=True)
    for line in board.left_out:
        paragraph(f"left out: {line}", dim=True)
    if board.agreements:
        click.secho("reported against reproduced", bold=True)
        rows = [reported_cells(one)[:SOURCE] for one in board.agreements]
        table(HEAD[:SOURCE], rows)


def _print_metrics(board: Standing) -> None:
    """All metrics of the rows of a board."""
    from benchmark.cli.board_table import print_metrics
    from benchmark.cli.output import paragraph

    click.secho(f"\n{board.name}", bold=True)
    paragraph(f"{board.protocol.title}; ↓ lower is better, ↑ higher")
    if all(row.withdrawn for row in board.rows):
        click.echo(f"no rows; what papers report, if anything: bench board {board.protocol.name}")
        return
    for note in print_metrics(board.scored.metrics, board.rows):
        paragraph(note, dim=True)


def _print_legend(boards: list[Standing]) -> None:
    from benchmark.cli.output import paragraph

    rows = [row for board in boards for row in board.rows if not row.withdrawn]
    if any(r.rank for r in rows):
        paragraph(
            "rank: the best and the worst place among methods that the seeds and items leave open; more "
            "seeds narrow it",
            dim=True,
        )
    if any("*" in r.interval() for r in rows):
        paragraph("* one seed: over test items alone; others over seeds and items", dim=True)
    if not all(r.grouped for r in rows):
        paragraph(
            "° too narrow: no record says which items belong together (`bench record groups`)",
            dim=True,
        )
    if any(r.role == "method" and len(r.seeds) == 1 for r in rows):
        paragraph("ranks are given to methods with two seeds or more: --seed 0,1,2", dim=True)
    if any(_lacks_untrained(board) for board in boards):
        paragraph(
            "“vs untrained” needs an untrained run with the row's settings and seeds: the row's own "
            "`bench run` with --untrained",
            dim=True,
        )


def _lacks_untrained(board: Standing) -> bool:
    """Whether a method's row has nothing under "vs untrained" that a run here could bring: only where
    the metric has items, and the floor is installed and gives what is scored. Some methods have no
    network to leave untrained."""
    from benchmark.registry.plugins import plugins

    floor = plugins().methods.get("random-features")
    return (
        board.headline.aggregate != "single"
        and floor is not None
        and not set(floor.gives).isdisjoint(board.protocol.needs)
        and any(r.role == "method" and not r.floor and not r.withdrawn for r in board.rows)
    )
