"""`bench compare`: two rows of a board, on the same test items."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.cli.names import complete_protocols

if TYPE_CHECKING:
    from benchmark.boards.compare import Comparison


@click.command()
@click.argument("first")
@click.argument("second")
@click.option("-p", "--protocol", default="", shell_complete=complete_protocols,
              help="The board's protocol, where both rows are on several boards.")  # fmt: skip
@click.option("--twin", is_flag=True, help="The twin's board.")
@click.option("--metric", default="", help="Another metric than the headline.")
@click.option("--most", type=click.IntRange(0), help="How many items to show (5; 20 on a page).")
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path),
              help="Write a page with charts that stands alone.")  # fmt: skip
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def command(
    first: str,
    second: str,
    protocol: str,
    twin: bool,
    metric: str,
    most: int | None,
    page: Path | None,
    json_: bool,
) -> None:
    """Difference FIRST − SECOND with its paired interval, p, win rate, and where it is largest.

    Each is a row of a board (its method, or method:words that the board prints for it) or a run id's
    prefix; two validation runs, for choosing settings, are compared too.

    \b
    bench compare lead:64 lead:pca -p ytf5
    bench compare 3f2a91c0 8be07d15
    bench compare lead:reduction=none random-features:settings.reduction=none -p ytf5
    bench compare lead:64 lead:pca -p ytf5 --page compared.html
    """
    from benchmark.boards.compare import board_of_both, compare, compare_runs
    from benchmark.boards.finding import validation_runs
    from benchmark.cli.output import as_json, table
    from benchmark.registry.protocols import all_protocols, find_protocol

    shown = most if most is not None else 20 if page else 5
    if validation_runs(first) or validation_runs(second):
        if protocol or twin:
            raise click.UsageError("validation runs are on no board: leave -p and --twin out")
        found = compare_runs(first, second, metric=metric, most=shown)
    else:
        board = (
            find_protocol(protocol)
            if protocol
            else board_of_both(first, second, all_protocols(), twin=twin)
        )
        found = compare(board, first, second, twin=twin, metric=metric, most=shown)
    sides = (found.first, found.second)
    names = item_names(found)
    if page:
        from benchmark.pages.compare_page import write_comparison

        write_comparison(found, find_protocol(found.protocol), page, names)
    if json_:
        as_json(
            {
                **{k: v for k, v in found.__dict__.items() if k not in ("first", "second")},
                "verdict": found.verdict,
                "names": {str(i): names[i] for i, _, _ in found.most} if names else {},
                **{
                    which: {"name": s.name, "seeds": s.seeds, "value": s.value}
                    for which, s in zip(("first", "second"), sides, strict=True)
                },
            }
        )
        return
    unit = f" {found.unit}" if found.unit else ""
    groups = f" in {found.groups} groups" if found.groups < found.items else ""
    click.secho(found.where, bold=True, nl=False)
    click.echo(f"  {found.metric}{unit}, {found.better} is better, {found.items} items{groups}")
    table(
        ["", "value", "seeds", ""],
        [[w, f"{s.value:.2f}", len(s.seeds), s.name] for w, s in zip("AB", sides, strict=True)],
    )
    low, high = found.ci95
    click.secho(f"A − B = {found.difference:+.2f}{unit}", bold=True, nl=False)
    click.echo(f"   over items: 95 % {low:+.2f} to {high:+.2f}, p {_p(found.p)}")
    if found.seeds_ci95 and found.seeds_p is not None:
        low, high = found.seeds_ci95
        click.echo(
            f"{'':14}over seeds and items: 95 % {low:+.2f} to {high:+.2f}, p {_p(found.seeds_p)}"
        )
    if found.wins is not None:
        click.echo(f"A is better on {100 * found.wins:.0f} % of the items (ties count half)")
    click.echo(found.verdict)
    if page:
        click.echo(f"page  {page}")
    elif found.most:
        click.secho("items that differ most", dim=True)
        rows = [[names[i] if names else i, f"{a:.2f}", f"{b:.2f}"] for i, a, b in found.most]
        table(["item", "A", "B"], rows)


def item_names(found: Comparison) -> list[str]:
    """The keys of the items compared, where the split is prepared on this machine; else empty."""
    from benchmark.datasets.at_hand import item_keys
    from benchmark.registry.protocols import find_protocol

    keys = item_keys(find_protocol(found.protocol), found.first.entries[0].record.data["test"])
    return keys if len(keys) == found.items else []


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "≤ 0.001"
