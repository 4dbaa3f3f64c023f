"""The page of a protocol version, made from its file: data, geometry, probe, formula, history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tabulate import tabulate

from benchmark.boards.sources import published_values
from benchmark.datasets.places import spec_of
from benchmark.home import checkout
from benchmark.metrics.catalogue import find
from benchmark.pages.protocol_facts import AGGREGATES, fields, formula, history, sections, splits_of
from benchmark.pages.reported_tables import printed
from benchmark.protocols import Protocol, versions_of


def own_folder() -> Path:
    """Where the pages of bench's own protocols lie in a checkout."""
    return checkout() / "docs" / "protocols"


def page_path(protocol: Protocol, folder: Path) -> Path:
    """Where the page of a version lies in a folder of pages."""
    return folder / f"{protocol.id}-{protocol.version}.md"


def picture_path(protocol: Protocol, folder: Path) -> Path:
    """Where the pictures of its twin lie."""
    return page_path(protocol, folder).with_suffix(".jpg")


def page(protocol: Protocol, versions: Iterable[Protocol] = (), folder: Path | None = None) -> str:
    """The page in Markdown; `versions` are all versions of the protocol's id, for its history.

    `folder` is where it will lie, beside the pictures of its twin; without one there are none.
    """
    lines = [f"# {protocol.name}", "", f"{_sentence(protocol.title)} {_sentence(protocol.summary)}"]
    lines += ["", *_measured(protocol), "", *_data(protocol), *_constants(protocol, folder)]
    for found in (_reported(protocol), _notes(protocol)):
        if found:
            lines += ["", *found]
    lines += ["", *_history(protocol, versions)]
    return "\n".join(lines) + "\n"


def index(protocols: Iterable[Protocol]) -> str:
    """The list of all pages."""
    rows = [
        [f"[{p.name}]({page_path(p, Path()).name})", p.title, p.metrics[0].id, " or ".join(p.needs)]
        for p in protocols
    ]
    table = tabulate(rows, ["protocol", "what", "headline", "needs"], tablefmt="github")
    return f"# Protocols\n\nMade from `protocols/` by `bench protocol page`.\n\n{table}\n"


def pages(chosen: Sequence[Protocol], folder: Path) -> dict[Path, str]:
    """The pages of these protocols and their index in a folder, by path."""
    texts = {page_path(p, folder): page(p, versions_of(p), folder) for p in chosen}
    return {folder / "README.md": index(chosen), **texts}


def _sentence(text: str) -> str:
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _measured(protocol: Protocol) -> list[str]:
    lines = ["## What is measured", ""]
    for i, metric in enumerate(protocol.metrics):
        about = find(metric.measured)
        by = f" (`benchmark.metrics.{about.function.replace(':', '.')}`)" if about else ""
        head = "**headline** " if i == 0 else ""
        unit = f" in {metric.unit}" if metric.unit else ""
        lines.append(
            f"- {head}`{metric.id}`{unit}, {metric.better} is better: {formula(metric)}; "
            f"{AGGREGATES[metric.aggregate]}{by}"
        )
    kinds = " or ".join(f"`{k}`" for k in protocol.needs)
    return [*lines, "", f"It asks for {kinds}, on squares of {protocol.size} pixels."]


def _data(protocol: Protocol) -> list[str]:
    rows = [
        [words, f"`{named}`", f"{count:,}" if count else ""]
        for words, named, count in splits_of(protocol)
    ]
    table = tabulate(rows, ["", "split", "images"], tablefmt="github", disable_numparse=True)
    lines = ["## Data", "", *table.splitlines(), ""]
    for dataset in protocol.data.datasets():
        spec = spec_of(dataset)
        lines.append(f"- `{dataset}`: {spec.summary}. {spec.homepage}. Terms: {spec.terms}.")
    if protocol.data.labels:
        lines += ["", f"Labels beside points: {', '.join(protocol.data.labels)}."]
    if protocol.data.shared:
        lines += ["", f"Scored images may be among those seen: {protocol.data.shared}"]
    if protocol.data.grants:
        lines += ["", f"A fit sees beside pixels: {', '.join(protocol.data.grants)}."]
    for name, grants in protocol.data.domain_grants.items():
        lines += ["", f"Of {name} it sees beside pixels: {', '.join(grants)}."]
    return lines


TOLD = ("title", "task", "needs", "data", "metrics")
"""What stands above the tables of constants, in words."""


def _constants(protocol: Protocol, folder: Path | None) -> Iterator[str]:
    """Every other section of the file with a table of its own, what is in none last."""
    content = {k: v for k, v in sections(protocol).items() if k not in TOLD}
    further = {
        name: content.pop(name) for name in [*content] if not isinstance(content[name], dict)
    }
    for name, section in {**content, "further": further}.items():
        yield from ("", f"## {name.capitalize()}", "")
        if name == "twin":
            yield "Rendered pictures of the same schema, for running anywhere."
            if folder is not None and picture_path(protocol, folder).exists():
                yield f"\n![Pictures of the twin]({picture_path(protocol, folder).name})"
            yield ""
        rows = [[f"`{key}`", f"`{value}`"] for key, value in fields(section)]
        table = tabulate(rows, ["field", "value"], tablefmt="github", disable_numparse=True)
        yield from table.splitlines()


def _reported(protocol: Protocol) -> list[str]:
    rows = [
        [
            published.method,
            published.metric,
            printed(published),
            f"{published.source}, {published.place}".rstrip(", "),
            published.read_from,
            published.not_comparable,
        ]
        for published in published_values(protocol)
    ]
    if not rows:
        return []
    head = ["method", "metric", "value", "source", "read from", "why not comparable"]
    table = tabulate(rows, head, tablefmt="github", disable_numparse=True)
    return ["## Reported in papers", "", *table.splitlines()]


def _notes(protocol: Protocol) -> list[str]:
    return ["## Notes", "", protocol.notes.strip()] if protocol.notes.strip() else []


def _history(protocol: Protocol, versions: Iterable[Protocol]) -> list[str]:
    lines = ["## Identity and history", "", f"Digest `{protocol.digest()}`."]
    for step in history(versions):
        lines += ["", f"{step.before} → {step.after}: {step.reason}".rstrip(": ")]
        lines += [f"- `{key}`: `{old}` → `{new}`" for key, old, new in step.changes]
    return lines
