"""Folders of new plugins, with a method or a data set: they install and pass their tests at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from benchmark.contracts.errors import InvalidInput
from benchmark.files import whole_folder
from benchmark.registry.plugins import plugins

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
    if kind not in KINDS:
        raise InvalidInput(f"there is no template of {kind!r}", cure=f"kinds: {', '.join(KINDS)}")
    protocol, tiny = KINDS[kind]
    words = {"kind": kind, "protocol": protocol, "tiny": repr(tiny).replace("'", '"')}
    if name in plugins().methods:
        raise InvalidInput(f"the method {name!r} is there already", cure="give yours another id")
    texts = {
        "pyproject.toml": "pyproject",
        "README.md": "readme",
        "src/$module/__init__.py": "registration",
        "src/$module/method.py": kind,
        "tests/test_contract.py": "test",
    }
    return _written(name, "method", parent, texts, words)


def new_dataset(name: str, parent: Path) -> Path:
    """Write `parent/bench-NAME`, whole or not at all, and return it: a reader of a data set, a protocol
    that uses it, and tests that draw a small one. Raises `InvalidInput` as `new_method`.

    The protocol has the same name, with _ for -.
    """
    if name in plugins().datasets:
        raise InvalidInput(f"the data set {name!r} is there already", cure="give yours another id")
    words = {"protocol": name.replace("-", "_")}
    texts = {
        "pyproject.toml": "pyproject",
        "README.md": "data_readme",
        "src/$module/__init__.py": "data_registration",
        "src/$module/reader.py": "data_reader",
        "src/$module/protocols/$protocol/1.toml": "data_protocol",
        "tests/test_data.py": "data_test",
    }
    return _written(name, "data set", parent, texts, words)


def _written(
    name: str, what: str, parent: Path, texts: Mapping[str, str], more: Mapping[str, str]
) -> Path:
    """The folder of a plugin, from templates by the places of their files."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise InvalidInput(
            f"{name!r} is no id of a {what}",
            cure=f"lower-case words joined by -, like my-{what.split()[0]}",
        )
    target = parent / f"bench-{name}"
    if target.exists():
        raise InvalidInput(f"{target} is there already", cure="name another, or move it away")
    words = {
        "name": name,
        "what": f"a {what}",
        "module": f"bench_{name.replace('-', '_')}",
        "cls": "".join(w.capitalize() for w in name.split("-")),
        **more,
    }
    with whole_folder(target) as folder:
        for place, template in texts.items():
            path = folder / Template(place).substitute(words)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_filled(template, words), "utf-8")
    return target


def _filled(template: str, words: dict[str, str]) -> str:
    text = files("benchmark.testing").joinpath("templates", f"{template}.txt").read_text("utf-8")
    return Template(text).substitute(words)
