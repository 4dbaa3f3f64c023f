"""What prepared data was made from, said cheaply, so that it is made anew when that has changed.

Of a data set's files only path, size and time of change are looked at, all that lies in its folder; of
the code that reads them, the text of its modules.
"""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec, resolve_name
from pathlib import Path
from typing import Any

from benchmark.datasets.trees import source_tree
from benchmark.image_files import zip_of

OURS = "benchmark.datasets"
CUTTING = (f"{OURS}.geometry", f"{OURS}.crops", "benchmark.image_files")
"""How any picture becomes pixels, whoever reads it."""


@dataclass(frozen=True)
class Origin:
    """The folder of a data set and the digest of its files' places, sizes and times; `elsewhere` are
    pictures and masks that lie outside it; `code` is the digest of the code that reads it."""

    root: str
    files: str
    elsewhere: tuple[str, ...]
    code: str

    def manifest(self) -> dict[str, Any]:
        """For a manifest."""
        return {**asdict(self), "elsewhere": list(self.elsewhere)}


def origin_of(root: Path, implementation: str, used: Iterable[Path] = ()) -> Origin:
    """What is made now from the files under `root`, of which a reader named `used` ones."""
    outside = (path for path in used if not path.is_relative_to(root))
    elsewhere = tuple(sorted({str(zip_of(path) or path) for path in outside}))
    return Origin(str(root), files_digest(root, elsewhere), elsewhere, code_digest(implementation))


def why_changed(
    manifest: Mapping[str, Any], dataset_id: str, root: Path | None, implementation: str
) -> str:
    """Why data with this manifest must be prepared anew, or "" where it need not be.

    Where the data set is not on this machine (`root` None) nothing can be made of it, and nothing has
    changed. Files with other times or in another folder are the same where their tree has a digest.
    """
    if root is None:
        return ""
    if "made_from" not in manifest:
        return "it was prepared by a bench that did not write down from what"
    then = manifest["made_from"]
    if then["code"] != code_digest(implementation):
        return f"the code that reads {dataset_id} has changed"
    files = files_digest(root, then["elsewhere"])
    if (then["root"], then["files"]) == (str(root), files):
        return ""
    known = manifest.get("source")
    if known is not None and known == source_tree(dataset_id, root):
        return ""
    if then["root"] != str(root):
        return f"it was made from {then['root']}, the data set is found in {root}"
    return f"the files in {root} have changed"


def files_digest(root: Path, elsewhere: Iterable[str] = ()) -> str:
    """sha256 over place, size and time of change of all files under a folder, and of those elsewhere.

    Hidden ones do not count; links are followed. About a second for 200,000 files.
    """
    lines = sorted((*_below(str(root), "", ()), *(_line(path, path) for path in elsewhere)))
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _below(folder: str, inside: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """A line for each file under `folder`, which lies at `inside` of the root, below those `above`."""
    about = os.stat(folder)
    here = (about.st_dev, about.st_ino)
    if here in above:  # a link that leads back
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _below(entry.path, f"{inside}{entry.name}/", (*above, here))
            else:
                yield _line(inside + entry.name, entry)


def _line(name: str, file: str | os.DirEntry[str]) -> str:
    try:
        about = file.stat() if isinstance(file, os.DirEntry) else os.stat(file)
    except OSError:
        return f"{name} gone\n"
    return f"{name} {about.st_size} {about.st_mtime_ns}\n"


@cache
def code_digest(implementation: str) -> str:
    """sha256 over the code behind "module:Class": the module, what it imports of its own package and of
    bench's readers, the files that are no code and lie beside these, and the cutting of pictures."""
    first = implementation.partition(":")[0]
    digest = hashlib.sha256()
    for name, path in sorted(_modules([first, *CUTTING], first).items()):
        digest.update(f"{name}\n".encode() + path.read_bytes())
        if name == first and ("." in name or path.name == "__init__.py"):
            beside = (p for p in path.parent.iterdir() if p.is_file() and p.name[0] != ".")
            for file in sorted(p for p in beside if not p.suffix.startswith(".py")):
                digest.update(f"{file.name}\n".encode() + file.read_bytes())
    return digest.hexdigest()


@cache
def folder_digest(folder: Path, names: str = "*.py") -> str:
    """sha256 over the Python files of a folder, or those whose names fit a pattern."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob(names)):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _modules(asked: list[str], first: str) -> dict[str, Path]:
    """The modules named and all that they import, of the package of `first` and of bench's readers."""
    own = first.partition(".")[0]
    families = (OURS,) if own == "benchmark" else (OURS, own)
    found: dict[str, Path] = {}
    while asked:
        name = asked.pop()
        if name in found or not (path := _source(name)):
            continue
        found[name] = path
        asked += [
            other
            for other in _imported(name, path)
            if any(other == family or other.startswith(f"{family}.") for family in families)
        ]
    return found


def _source(name: str) -> Path | None:
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):  # what a module imports may be a name in it, not a module
        return None
    path = Path(spec.origin) if spec and spec.origin else None
    return path if path is not None and path.suffix == ".py" else None


def _imported(name: str, path: Path) -> Iterator[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            dotted = "." * node.level + (node.module or "")
            base = resolve_name(dotted, package) if node.level else dotted
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
