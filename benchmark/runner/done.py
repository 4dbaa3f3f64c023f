"""Runs that are done, found again by the words that asked for them.

A run is known by what its settings come to, which only its method's class says; with that class torch is
imported, which takes seconds. So what a request came to is kept in `$BENCH_HOME/asked/`, with all that
could make it come to something else: code, registrations, protocol, prepared data, the record. Where one
of these is not as it was nothing is found, and the request is resolved anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.contracts.errors import DataAltered
from benchmark.files import file_sha256, write_json
from benchmark.home import home, leaderboards
from benchmark.metrics.catalogue import outdated
from benchmark.protocols import Protocol, canonical_digest
from benchmark.records.code import made_by_other_code, package_digest
from benchmark.records.reading import read_record
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import find_protocol, is_draft
from benchmark.runner.outcome import Outcome
from benchmark.runner.request import Request

if TYPE_CHECKING:
    from benchmark.runner.plan import Plan

OWN = "benchmark.builtin"


@dataclass(frozen=True)
class Done:
    """A run that left nothing to do: what it came to, its page, and whether it stands on a board."""

    outcome: Outcome
    page: Path
    stands: bool


def remember(asked: Request, plan: Plan, outcome: Outcome, page: Path) -> None:
    """Keep what a request came to, once its record, tables, pictures and page are written.

    Of a method with packages of its own nothing is kept: no digest says what they are.
    """
    if plan.spec.environment or plan.maker.environment:
        return
    from benchmark.runner.curve import milestone_folders

    about = {
        "asked": asked.words(),
        "under": _circumstances(plan.protocol),
        "implementation": plan.maker.implementation,
        "record": str(outcome.path),
        "sha256": file_sha256(outcome.path),
        "page": str(page),
        "pictures": [str(path) for path in sorted((plan.folder / "pictures").glob("*"))],
        "milestones": {str(place): _names(place) for place in milestone_folders(plan)},
        "data": {str(s.folder): _digests(s.folder) for s in plan.splits.values()},
    }
    write_json(_place(asked), about)


def find_done(asked: Request) -> Done | None:
    """The run that this very request came to before, if all is as it was then; else None."""
    try:
        about = json.loads(_place(asked).read_text("utf-8"))
        protocol = find_protocol(asked.protocol)
        same = (about["asked"], about["under"]) == (asked.words(), _circumstances(protocol))
        return _found(about, asked, protocol) if same else None
    except (OSError, ValueError, LookupError, TypeError, DataAltered):
        return None  # lost or damaged: the whole way says what is wrong, if anything is


def _found(about: Mapping[str, Any], asked: Request, protocol: Protocol) -> Done | None:
    path, page = Path(about["record"]), Path(about["page"])
    left = [page, *map(Path, about["pictures"])]
    if file_sha256(path) != about["sha256"] or not all(p.exists() for p in left):
        return None
    record = read_record(path)
    if outdated(
        {v.metric: v.version for v in record.metrics}, find_protocol(asked.protocol).measures
    ):
        return None
    kept = [(path.parent / a.path, a.sha256) for a in record.artefacts if a.committed]
    if any(file_sha256(file) != digest for file, digest in kept):
        return None
    if not all(_unchanged(Path(folder), was) for folder, was in about["data"].items()):
        return None
    if any(_names(Path(place)) != names for place, names in about["milestones"].items()):
        return None  # there is more to be drawn, or less
    other = made_by_other_code(record, package_digest(about["implementation"]))
    stands = asked.on == "test" and not is_draft(protocol)
    return Done(Outcome(record, path, True, other), page, stands)


def _place(asked: Request) -> Path:
    return home() / "asked" / f"{canonical_digest(asked.words())[:16]}.json"


def _circumstances(protocol: Protocol) -> str:
    """The digest of all but data that says what a request comes to: the protocol, what is registered,
    the code of bench and of the methods, and where boards lie."""
    specs = plugins().methods
    classes = [OWN, *sorted({spec.implementation for spec in specs.values()})]
    packages = {name.partition(":")[0].partition(".")[0]: name for name in classes}
    return canonical_digest(
        {
            "protocol": protocol.digest(),
            "boards": str(leaderboards()),
            "registered": [repr(specs[name]) for name in sorted(specs)],
            "code": {name: package_digest(of, beside=True) for name, of in packages.items()},
        }
    )


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*"))


def _digests(folder: Path) -> dict[str, Any]:
    from benchmark.datasets.prepared import read_manifest

    manifest = read_manifest(folder)
    return {name: manifest[name] for name in ("pixels_digest", "labels_digest")}


def _unchanged(folder: Path, was: Mapping[str, Any]) -> bool:
    """Whether a prepared split is what it was, made of what its data set is now."""
    from benchmark.datasets.origins import why_changed
    from benchmark.datasets.places import locate, spec_of
    from benchmark.datasets.prepared import read_manifest

    manifest = read_manifest(folder)
    if {name: manifest.get(name) for name in was} != was:
        return False
    name = manifest.get("dataset", "")  # pictures of a twin are made of bench's code alone
    return not name or not why_changed(manifest, name, locate(name), spec_of(name).implementation)
