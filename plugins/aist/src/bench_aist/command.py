"""`bench two-sample`: how well translations, and what they were made of, are told from the domain."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bench_aist.two_sample import Told
    from benchmark.contracts.method import Progress


@click.command()
@click.argument("run")
@click.option("--on", default="test", show_default=True, type=click.Choice(["test", "validation"]),
              help="Whose images are translated.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Of the classifiers.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def command(run: str, on: str, seed: int, device: str, json_: bool) -> None:
    """Tell the translations of RUN (a run's id, or a fit's) from the images of its domain.

    A fresh classifier learns from half of the objects and is asked about the other half, and the other
    way round; 50 % is chance. It is asked the same of the images before they were translated. The
    domain's images are those that the fit has seen.
    """
    from benchmark.cli.output import as_json
    from benchmark.interface.progress import make_progress

    with closing(make_progress(json_)) as progress:
        original, translated = compared(run, on, seed, device, progress)
    fewer, interval = translated.less_than(original)
    if json_:
        rows = {"original": original, "translated": translated}
        found: dict[str, Any] = {
            name: {"accuracy": told.accuracy, "interval": told.interval()}
            for name, told in rows.items()
        }
        as_json({"run": run, "on": on, "images": len(original.right), "seed": seed, **found,
                 "fewer": {"points": fewer, "interval": interval}})  # fmt: skip
        return
    click.secho(f"{len(original.right) // 2} images of each kind are told apart by", bold=True)
    for name, told in (("original", original), ("translated", translated)):
        low, high = told.interval()
        click.echo(
            f"  {name:12}{told.accuracy:5.1f} % right  ({low:.1f} to {high:.1f}; chance is 50)"
        )
    click.echo(f"  {'fewer':12}{fewer:5.1f} points ({interval[0]:.1f} to {interval[1]:.1f})")


def compared(run: str, on: str, seed: int, device: str, progress: Progress) -> tuple[Told, Told]:
    """How well originals and translations of a run are told from its domain's images.

    Raises `Incompatible` for runs of methods that do not translate into a domain.
    """
    import numpy as np
    import torch

    from bench_aist.two_sample import told
    from benchmark.contracts.errors import Incompatible
    from benchmark.contracts.images import to_bytes, to_signed
    from benchmark.contracts.predictions import Translation
    from benchmark.datasets.opening import open_split
    from benchmark.runner.fitted import find_fitted
    from benchmark.runner.plan import choose_device

    fitted, device = find_fitted(run), choose_device(device)
    domains = fitted.cls.info(fitted.settings).domains
    if fitted.kind != "translation" or len(domains) != 1:
        raise Incompatible(
            f"{fitted.name} does not translate into one other domain",
            cure="name a run of aist",
        )
    split, domain = (
        open_split(fitted.protocol, role, twin=fitted.twin, progress=progress)
        for role in (on, f"domains.{domains[0]}")
    )
    count = min(len(split), len(domain))
    # evenly from all of each, so that many objects are shown
    ours, theirs = (np.linspace(0, len(s) - 1, count).astype(np.int64) for s in (split, domain))
    original, target = split.images().batch(ours), domain.images().batch(theirs)
    method, parts = fitted.method(device), []
    for part in original.split(64):
        with torch.inference_mode():
            found = method.predict(to_signed(part.to(device)))
        assert isinstance(found, Translation)
        parts.append(to_bytes(found.images).cpu())
        progress("translate", sum(map(len, parts)), count)
    groups = [split.identities[i] for i in ours], [domain.identities[i] for i in theirs]
    before, after = (
        told(images, target, *groups, seed=seed, device=device)
        for images in (original, torch.cat(parts))
    )
    return before, after
