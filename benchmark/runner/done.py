"""Runs that are done, found again by the words that asked for them.

A run is known by what its settings come to, which only its method's class says; with that class torch is
imported, which takes seconds. So what a request came to is kept in `$BENCH_HOME/asked/`, with all that
could make it come to something else: code, registrations, protocol, prepared data, record and board.
Where one of these is not as it was nothing is found, and the request is resolved anew. What was changed
while the run went on is not known to be what ran, so that then nothing is kept.
"""

from __future__ import annotations

import json
import os
import sys
import sysconfig
import time
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


@dataclass(frozen=True)
class Asked:
    """A request, and when and under which circumstances it was begun."""

    request: Request
    under: str
    began: float


def asking(request: Request) -> Asked:
    """A request that is about to be resolved."""
    began = time.time()
    try:
        return Asked(request, _circumstances(find_protocol(request.protocol)), began)
    except OSError:
        return Asked(request, "", began)  # nobody can say whether a file that can't be read changed


def remember(asked: Asked, plan: Plan, outcome: Outcome, page: Path) -> None:
    """Keep what a request came to, once its record, tables, pictures and page are written.

    Of a method with packages of its own nothing is kept: no digest says what they are. This saves time
    and nothing else, so where it can't be written the run is no worse for it.
    """
    if plan.spec.environment or plan.maker.environment or not asked.under:
        return
    from benchmark.runner.curve import milestone_folders

    try:
        modules = _modules_at_hand()
        later = any(Path(file).stat().st_mtime > asked.began for file in modules)
        if later or asked.under != _circumstances(plan.protocol):
            return  # changed while it ran
        about = {
            "asked": asked.request.words(),
            "under": asked.under,
            "implementation": plan.maker.implementation,
            "modules": modules,
            "record": str(outcome.path),
            "sha256": file_sha256(outcome.path),
            "board": _board(outcome.path) if plan.stands else {},
            "page": str(page),
            "pictures": [str(path) for path in sorted((plan.folder / "pictures").glob("*"))],
            "milestones": {str(place): _names(place) for place in milestone_folders(plan)},
            "data": {
                str(s.folder): {"pixels_digest": s.pixels_digest, "labels_digest": s.labels_digest}
                for s in plan.splits.values()
            },
        }
        write_json(_place(asked.request), about)
    except OSError:
        return


def find_done(asked: Request) -> Done | None:
    """The run that this very request came to before, if all is as it was then; else None."""
    try:
        about = json.loads(_place(asked).read_text("utf-8"))
        protocol = find_protocol(asked.protocol)
        under = _circumstances(protocol)
        same = under and (about["asked"], about["under"]) == (asked.words(), under)
        return _found(about, asked, protocol) if same else None
    except (OSError, ValueError, LookupError, TypeError, DataAltered):
        return None  # lost or damaged: the whole way says what is wrong, if anything is


def _found(about: Mapping[str, Any], asked: Request, protocol: Protocol) -> Done | None:
    path, page = Path(about["record"]), Path(about["page"])
    left = [page, *map(Path, about["pictures"])]
    if file_sha256(path) != about["sha256"] or not all(p.exists() for p in left):
        return None
    record = read_record(path)
    if outdated({v.metric: v.version for v in record.metrics}, protocol.measures):
        return None
    kept = [(path.parent / a.path, a.sha256) for a in record.artefacts if a.committed]
    if any(file_sha256(file) != digest for file, digest in kept):
        return None
    if not all(_unchanged(Path(folder), was) for folder, was in about["data"].items()):
        return None
    if any(_names(Path(place)) != names for place, names in about["milestones"].items()):
        return None  # there is more to be drawn, or less
    if any(_mark(Path(file)) != mark for file, mark in about["modules"].items()):
        return None
    if about["board"] and about["board"] != _board(path):
        return None  # a run or a hand has been there: tables are written again
    other = made_by_other_code(record, package_digest(about["implementation"]))
    stands = asked.on == "test" and not is_draft(protocol)
    return Done(Outcome(record, path, True, other), page, stands)


def _place(asked: Request) -> Path:
    return home() / "asked" / f"{canonical_digest(asked.words())[:16]}.json"


def _circumstances(protocol: Protocol) -> str:
    """The digest of all but data that says what a request comes to: the protocol, whether it is a draft,
    what is registered, the code of bench and of the methods, and where boards lie. Empty where the code
    of one can't be told."""
    specs = plugins().methods
    classes = [OWN, *sorted({spec.implementation for spec in specs.values()})]
    packages = {name.partition(":")[0].partition(".")[0]: name for name in classes}
    code = {name: package_digest(of, beside=True) for name, of in packages.items()}
    if not all(code.values()):
        return ""
    return canonical_digest(
        {
            "protocol": protocol.digest(),
            "draft": is_draft(protocol),
            "boards": str(leaderboards()),
            "registered": [repr(specs[name]) for name in sorted(specs)],
            "code": code,
        }
    )


def _modules_at_hand() -> dict[str, str]:
    """The files of what was imported from elsewhere than where packages are installed, and those beside
    them that are no code: what a method reads at import may lie there."""
    installed = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")]
    own = str(Path(__file__).parent.parent)
    known = tuple(os.path.realpath(one) + os.sep for one in (*installed, own))
    named = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
    folders: dict[str, list[str]] = {}  # links are followed once a folder: files are thousands
    for file in named:
        folders.setdefault(os.path.dirname(file), []).append(file)
    elsewhere = [f for f in folders if not (os.path.realpath(f) + os.sep).startswith(known)]
    code = {Path(file).resolve() for folder in elsewhere for file in folders[folder]}
    code = {file for file in code if file.suffix == ".py" and file.is_file()}
    beside = (p for folder in {file.parent for file in code} for p in folder.iterdir())
    data = {p for p in beside if p.suffix in DATA and p.is_file()}
    return {str(path): _mark(path) for path in sorted(code | data)}


DATA = (".json", ".toml", ".csv", ".txt", ".yaml", ".yml", ".npz", ".npy")
"""Files beside a module from which it may take defaults."""


def _mark(path: Path) -> str:
    """What changes with a file, without reading it: there are hundreds, looked at in every run."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_size} {found.st_mtime_ns}"


def _digest(path: Path) -> str:
    return file_sha256(path) if path.is_file() else ""


def _board(record: Path) -> dict[str, Any]:
    """What lies on the board of a record: its tables, and whose records are there."""
    place = record.parent.parent
    tables = {name: _digest(place / name) for name in ("README.md", "board.csv")}
    return {**tables, "records": sorted(path.stem for path in place.glob("*/*.json"))}


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*"))


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
