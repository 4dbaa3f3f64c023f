"""The state of the code that a record writes down: bench's, and that of the plugin that was run."""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from benchmark.records.model import CodePart, PluginCode, Record
from benchmark.version import __version__, installed

OWN = Path(__file__).resolve().parent.parent.parent
LEADING = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"),
    *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_CEILING_DIRECTORIES"),
)
"""Variables that lead git to another repository than the folder's; git itself sets them for hooks."""
RESULTS = (":(exclude,glob)**/leaderboards/**", ":(exclude)README.md")
"""Records and tables are results, not code, a study's as well: writing one must not make the next run
dirty."""


@cache
def code_state(implementation: str = "", distribution: str = "") -> CodePart:
    """bench's version, and the commit of the checkout it runs from with whether it was changed.

    With the class that runs ("package.module:Name") and the distribution it came in, also the state of
    that package. Asked once, when a run begins: what is edited or committed while it runs is not what
    ran. Where code is not run from a checkout the commit is empty; `dirty` is None where git can't say.
    """
    commit, dirty = "", None
    if _git(OWN, "rev-parse", "--show-toplevel") == str(OWN):
        commit, dirty = _commit(OWN), _changed(OWN, *RESULTS)
    plugin = plugin_code(implementation, distribution) if implementation else None
    return CodePart(bench=__version__, commit=commit, dirty=dirty, plugin=plugin)


def plugin_code(implementation: str, distribution: str) -> PluginCode:
    """The state of the package that holds a method's class, which need not be imported for it."""
    released = installed(distribution)
    module = _module(implementation)
    if module is None:
        return PluginCode(distribution=distribution, version=released, digest="")
    kept = tracked(module)
    return PluginCode(
        distribution=distribution,
        version=released,
        digest=package_digest(implementation),
        commit=_commit(module.parent) if kept else "",
        dirty=_changed(module.parent) if kept else None,
    )


def package_digest(implementation: str, *, beside: bool = False) -> str:
    """The digest of the Python files of the package that holds a class, or of its only module (with
    those `beside` it, if asked for); empty where there is none. Nothing is imported.

    Example: `package_digest("benchmark.builtin:any")` is that of bench's own files.
    """
    module = _module(implementation)
    if module is None:
        return ""
    if module.name == "__init__.py":
        files = sorted(module.parent.rglob("*.py"))
    else:
        files = sorted(module.parent.glob("*.py")) if beside else [module]
    return source_digest(module.parent, files)


def _module(implementation: str) -> Path | None:
    """The first file of the package, or the module's."""
    found = find_spec(implementation.partition(":")[0].partition(".")[0])
    return None if found is None or found.origin is None else Path(found.origin).resolve()


def tracked(path: Path) -> bool:
    """Whether a file is under git's care, wherever its checkout begins."""
    return bool(_git(path.parent, "ls-files", "--", path.name))


def source_digest(folder: Path, files: list[Path]) -> str:
    """sha256 over the files' names, as seen from `folder`, and their bytes."""
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def made_by_other_code(record: Record, now: str | None) -> bool:
    """Whether the plugin's files are other ones `now`, by their digest, than when the record, or its
    fit, was made.

    Records from before plugins' code was written down are not said to differ, nor is where none runs.
    """
    then = [record.code.plugin, record.fitted.code.plugin if record.fitted else None]
    return now is not None and any(plugin is not None and plugin.digest != now for plugin in then)


def _commit(folder: Path) -> str:
    return _git(folder, "rev-parse", "HEAD") or ""


def _changed(folder: Path, *outside: str) -> bool | None:
    changes = _git(folder, "status", "--porcelain", "--", ".", *outside)
    return None if changes is None else bool(changes)


def _git(folder: Path, *arguments: str) -> str | None:
    said = git(folder, *arguments)
    return None if said is None else said.decode("utf-8", "replace").strip()


def git(folder: Path, *arguments: str) -> bytes | None:
    """What git prints, asked in a folder; None where it is not there, fails or takes a minute."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            timeout=60,
            env={name: value for name, value in os.environ.items() if name not in LEADING},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
