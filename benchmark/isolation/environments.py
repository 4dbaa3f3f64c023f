"""Environments of methods: made by uv from a pinned file, once, whole, under a lock."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmark.contracts.errors import BenchError, PluginBroken
from benchmark.contracts.spec import Environment, MethodSpec
from benchmark.files import made_once, read_json, whole_folder, write_json
from benchmark.home import home

LENGTH = 16


@dataclass(frozen=True)
class InstalledEnvironment:
    """An environment on disk. `packages` are those that the file pins, with their versions."""

    folder: Path
    digest: str
    alone: bool
    packages: dict[str, str]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"


def environment_of(spec: MethodSpec) -> InstalledEnvironment:
    """The environment that a method declares, made first where that was not done yet.

    Raises PluginBroken for a file that is not there or not pinned, BenchError where uv is missing or
    can't install.
    """
    assert spec.environment is not None
    text = requirements(spec.id, spec.environment)
    about = [text, platform.python_version(), sys.platform, platform.machine()]
    digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:LENGTH]
    folder = home() / "environments" / digest
    path = folder / "environment.json"
    made_once(folder, lambda: _make(spec.id, text, folder), path.exists)
    content = read_json(path, f"delete {folder}; it is made again")
    return InstalledEnvironment(folder, digest, spec.environment.alone, content["packages"])


def requirements(method: str, environment: Environment) -> str:
    """The text of the file; every line of it pins a version."""
    module, _, name = environment.requirements.partition(":")
    found = find_spec(module)
    places = [Path(p) for p in (found.submodule_search_locations or ())] if found else []
    if found and not places and found.origin:
        places = [Path(found.origin).parent]
    path = next((p / name for p in places if (p / name).is_file()), None)
    if path is None:
        raise PluginBroken(
            f"method {method!r}: the file of its environment, {environment.requirements}, is not there",
            cure="pack it into the distribution, beside the module",
        )
    text = path.read_text("utf-8")
    loose = [line for line in _lines(text) if "==" not in line and " @ " not in line]
    if loose:
        raise PluginBroken(
            f"method {method!r}: {path.name} must pin versions; it does not in {loose[0]!r}",
            cure="write it with `uv pip compile`",
        )
    return text


def _lines(text: str) -> list[str]:
    """The requirements themselves, without comments and options."""
    joined = text.replace("\\\n", " ").splitlines()
    bare = (line.partition(" #")[0].strip() for line in joined)
    return [line for line in bare if line and not line.startswith(("#", "-"))]


def _make(method: str, text: str, folder: Path) -> None:
    uv = _uv()
    with whole_folder(folder) as place:
        file = place / "requirements.txt"
        file.write_text(text, "utf-8")
        python = place / "bin" / "python"
        into = ["--python", str(python)]
        _run(
            method,
            uv,
            "venv",
            "--quiet",
            "--allow-existing",
            "--python",
            sys.executable,
            str(place),
        )
        # what the file names and nothing else: the same packages on every day
        _run(method, uv, "pip", "install", "--quiet", "--no-deps", *into, "-r", str(file))
        listed = json.loads(_run(method, uv, "pip", "list", "--format", "json", *into))
        packages = {p["name"]: p["version"] for p in listed}
        write_json(place / "environment.json", {"method": method, "packages": packages})


def _uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise BenchError(
            "a method with packages of its own needs uv to make its environment; it is not there",
            cure="pip install uv",
        )
    return found


def _run(method: str, *command: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        output = " ".join(line.strip() for line in done.stderr.splitlines() if line.strip())
        raise BenchError(
            f"the environment of method {method!r} could not be made: {output[-600:]}",
            cure="uv must reach a package index (or have the packages in its cache) once; the same "
            "command then goes on",
        )
    return done.stdout
