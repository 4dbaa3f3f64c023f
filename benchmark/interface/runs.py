"""Which finished run is meant: by its id, the id's beginning, or the path of its record."""

from __future__ import annotations

from pathlib import Path

from benchmark.contracts.errors import InvalidInput, by_beginning
from benchmark.files import listed
from benchmark.home import home, leaderboards


def find_run(name: str) -> Path:
    """The record of a run, by path, by id or by the id's beginning."""
    if name.endswith(".json") and Path(name).exists():
        return Path(name)
    found = {p.parent.name: p for p in listed(home() / "runs", "*/record.json")}
    for path in listed(leaderboards(), "**/*.json"):
        found.setdefault(path.stem, path)
    if Path(name).is_dir() and not any(run.startswith(name) for run in found):
        raise InvalidInput(
            f"{name} is a folder, not a record",
            cure="give the path of a *.json in it, or a run's id",
        )
    return found[by_beginning("finished run", name, found)]


def find_on_board(name: str) -> tuple[Path, bool]:
    """The record of a run as `find_run` does, but its copy on a board if there is one; whether so."""
    own = find_run(name)
    stem = own.parent.name if own.name == "record.json" else own.stem
    found = listed(leaderboards(), f"**/{stem}.json")
    return (found[0], True) if found else (own, False)
