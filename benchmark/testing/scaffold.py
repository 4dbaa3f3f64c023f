"""A new method's folder: a distribution that installs, keeps the contract and runs on a twin at once."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from benchmark.contracts.errors import InvalidInput
from benchmark.files import whole_folder

#: Kind → a protocol to run it under, and settings for a fit in seconds.
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "landmarks": ("ytf5", {"steps": 4, "batch": 8}),
    "parts": ("ytf5", {"rounds": 2}),
    "descriptors": ("ytf5", {"images": 16}),
    "generator": ("ytf68_images", {"dimension": 8}),
    "shape_and_pose": ("shapenet_cars", {"points": 100}),
    "translation": ("stanford_cars_masks", {}),
}


def new_method(name: str, kind: str, parent: Path) -> Path:
    """Write `parent/bench-NAME`, whole or not at all, and return it.

    Raises `InvalidInput` for a name that is no id, a kind without a template, or a folder that is
    there already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise InvalidInput(
            f"{name!r} is no id of a method", cure="lower-case words joined by -, like my-method"
        )
    if kind not in KINDS:
        raise InvalidInput(f"there is no template of {kind!r}", cure=f"kinds: {', '.join(KINDS)}")
    target = parent / f"bench-{name}"
    if target.exists():
        raise InvalidInput(f"{target} is there already", cure="name another, or move it away")
    protocol, tiny = KINDS[kind]
    module = f"bench_{name.replace('-', '_')}"
    words = {
        "name": name,
        "module": module,
        "cls": "".join(w.capitalize() for w in name.split("-")),
        "kind": kind,
        "protocol": protocol,
        "tiny": repr(tiny).replace("'", '"'),
    }
    texts = {
        "pyproject.toml": "pyproject",
        "README.md": "readme",
        f"src/{module}/__init__.py": "registration",
        f"src/{module}/method.py": kind,
        "tests/test_contract.py": "test",
    }
    with whole_folder(target) as folder:
        for place, template in texts.items():
            path = folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_filled(template, words), "utf-8")
    return target


def _filled(template: str, words: dict[str, str]) -> str:
    text = files("benchmark.testing").joinpath("templates", f"{template}.txt").read_text("utf-8")
    return Template(text).substitute(words)
