"""The page of a protocol version, made from its file: data, geometry, probe, formula, history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tabulate import tabulate

from benchmark.boards.sources import published_values
from benchmark.boards.words import flat
from benchmark.contracts.errors import UnknownName
from benchmark.contracts.names import DOMAIN
from benchmark.datasets.places import spec_of
from benchmark.home import checkout
from benchmark.metrics.catalogue import explained
from benchmark.pages.reported_tables import printed
from benchmark.probes.constants import constants
from benchmark.protocols import WORDS, Protocol, versions_of

ROLES: dict[str, str] = {
    "fit": "methods are fitted on",
    "train": "the probe is trained on",
    "test": "scored",
    "validation": "kept for choices and curves (from the training images)",
    "development": "training images minus validation",
    "development_fit": "methods are fitted on for validation",
}
AGGREGATES = {
    "mean": "mean over items",
    "median": "median over items",
    "upper_median": "upper median over items",
    "sum_of_means": "sum over columns of the means over items",
    "ratio_of_sums": "sum over items of the numerator by that of the denominator",
    "single": "one number for all items",
}


def differences(one: Protocol, other: Protocol) -> list[tuple[str, Any, Any, bool]]:
    """Field, value in `one`, value in `other`, and whether it counts (is no mere word).

    Fields at their default are compared too, so that what a version leaves out is seen.
    """
    before, after = (flat(p.model_dump(mode="json")) for p in (one, other))
    return [
        (key, before.get(key), after.get(key), key.partition(".")[0] not in WORDS)
        for key in [*before, *(k for k in after if k not in before)]
        if _stated(before.get(key)) != _stated(after.get(key)) and key != "version"
    ]


def _stated(value: Any) -> Any:
    """A value, where it says anything: what is empty and what is not there are one."""
    return None if value in ("", [], {}, ()) else value


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
    lines += ["", *_measured(protocol), "", *_data(protocol), "", *_geometry(protocol)]
    sections = [_asked(protocol), _probes(protocol), _twin(protocol, folder)]
    for found in (*sections, _reported(protocol), _notes(protocol)):
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


def _table(content: Mapping[str, Any]) -> list[str]:
    rows = [[f"`{k}`", f"`{v}`"] for k, v in flat(content).items() if v not in ("", None, [], {})]
    return tabulate(rows, ["field", "value"], tablefmt="github", disable_numparse=True).splitlines()


def _measured(protocol: Protocol) -> list[str]:
    lines = ["## What is measured", ""]
    for i, metric in enumerate(protocol.metrics):
        about = explained(metric.id, metric.measure)
        head = "**headline** " if i == 0 else ""
        unit = f" in {metric.unit}" if metric.unit else ""
        lines.append(
            f"- {head}`{metric.id}`{unit}, {metric.better} is better: {about.formula}; "
            f"{AGGREGATES[metric.aggregate]} (`benchmark.metrics.{about.function.replace(':', '.')}`)"
        )
    lines += ["", f"It asks for {' or '.join(f'`{k}`' for k in protocol.needs)}."]
    return lines


def splits_of(protocol: Protocol) -> list[tuple[str, str, int | None]]:
    """(what it is for, split, images) of each part of the data that is used."""
    rows, data = [], protocol.data
    domains = {role: f"another domain: {role.removeprefix(DOMAIN)}" for role in data.domain_roles}
    for role, words in (ROLES | domains).items():
        if named := data.split(role):
            dataset, _, split = named.partition(":")
            rows.append((words, named, spec_of(dataset).expected.get(split)))
    return rows


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


def _geometry(protocol: Protocol) -> list[str]:
    lines = ["## Geometry", "", f"Methods see squares of {protocol.size} pixels."]
    for dataset, geometry in protocol.geometry.items():
        lines += ["", f"`{dataset}`:", "", *_table(geometry.model_dump(mode="json"))]
    return lines


SECTIONS = {"id", "version", "title", "task", "needs", "data", "geometry", "probes", "metrics",
            "twin", "evaluation_seed"} | WORDS  # fmt: skip


def _asked(protocol: Protocol) -> list[str]:
    """Everything else that the file states: landmarks, pairs and sections of single tasks."""
    content = protocol.model_dump(mode="json", exclude=SECTIONS)
    stated = {key: value for key, value in content.items() if value}
    return ["## What the task fixes", "", *_table(stated)] if stated else []


def _probes(protocol: Protocol) -> list[str]:
    lines = []
    for kind, probe in protocol.probes.items():
        try:
            about = constants(probe.name, probe.settings)
        except UnknownName:
            about = probe.settings
        lines += ["", f"From `{kind}`: `{probe.name}`.", "", *_table(about)]
    return ["## Probe", *lines] if lines else []


def _twin(protocol: Protocol, folder: Path | None) -> list[str]:
    if protocol.twin is None:
        return []
    lines = ["## Twin", "", "Rendered pictures of the same schema, for running anywhere."]
    if folder is not None and picture_path(protocol, folder).exists():
        lines += ["", f"![Pictures of the twin]({picture_path(protocol, folder).name})"]
    return [*lines, "", *_table(protocol.twin.model_dump(mode="json"))]


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
    ordered = sorted(versions, key=lambda p: p.version)
    for before, after in pairwise(ordered):
        lines += ["", f"{before.name} → {after.name}: {after.supersedes}".rstrip(": ")]
        changed = [d for d in differences(before, after) if d[3]]
        lines += [f"- `{key}`: `{old}` → `{new}`" for key, old, new, _ in changed]
    return lines
