"""Putting a made site where people look: what bench did not write stays; a list says what it wrote."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from benchmark.contracts.errors import InvalidInput
from benchmark.files import read_json, write_json

LIST = ".bench-site.json"
"""Names the files that bench wrote into a folder."""

BESIDE = {"CNAME"}
"""What may stand where no site is yet, besides names that begin with a dot: a checkout for pages."""


def written(target: Path) -> list[str]:
    """The files in `target` that bench wrote, by its list; refuses a folder that is another's.

    Raises `InvalidInput` where other files are and no list, `DataAltered` for a list that can't be read.
    """
    if not target.exists():
        return []
    if not (target / LIST).exists():
        others = [p.name for p in target.iterdir() if p.name[0] != "." and p.name not in BESIDE]
        if others:
            raise InvalidInput(
                f"{target} holds other things than a site of bench: {min(others)}, and no {LIST}",
                cure="name a new or empty folder, or the root of a checkout that has only its .git",
            )
        return []
    cure = "name another folder"
    listed = read_json(target / LIST, cure)
    if not (isinstance(listed, list) and all(isinstance(n, str) and _inside(n) for n in listed)):
        raise InvalidInput(f"{target / LIST} is no list of files in its folder", cure=cure)
    return listed


def publish(made: Path, target: Path, before: Collection[str]) -> None:
    """Move all files of `made` into `target`, and remove those of `before` that are no longer made.

    Nothing else in `target` is touched. Raises `InvalidInput`, before anything is moved, where a file
    that bench did not write is in the way, or a link leads out of `target`.
    """
    names = sorted(p.relative_to(made).as_posix() for p in made.rglob("*") if p.is_file())
    for name in {*names, *before}:
        _require_free(target, name, mine=name in before)
    target.mkdir(parents=True, exist_ok=True)
    write_json(
        target / LIST, sorted({*names, *before})
    )  # also of a build that is killed from here on
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made / name, target / name)
    for name in sorted(set(before) - set(names)):
        (target / name).unlink(missing_ok=True)
        _remove_empty((target / name).parent, target)
    write_json(target / LIST, names)


def _inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts and parts[0] != ".git"


def _require_free(target: Path, name: str, *, mine: bool) -> None:
    path = target / name
    if not path.parent.resolve().is_relative_to(target.resolve()):
        raise InvalidInput(
            f"{path} would be written through a link that leads out of {target}",
            cure="remove the link, or name another folder",
        )
    blocked = next((p for p in path.parents if p.is_relative_to(target) and p.is_file()), None)
    if blocked is not None or path.is_dir() or path.is_symlink() or (path.exists() and not mine):
        raise InvalidInput(
            f"{blocked or path} is in the way and bench did not write it",
            cure="move it elsewhere, or name another folder",
        )


def _remove_empty(folder: Path, target: Path) -> None:
    while folder != target and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
