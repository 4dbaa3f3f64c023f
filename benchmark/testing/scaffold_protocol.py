"""A new protocol's file, from another's: what it states, what it might, what each section is for."""

from __future__ import annotations

import inspect
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from benchmark.contracts.errors import InvalidInput
from benchmark.files import whole_folder
from benchmark.home import builtin_folder
from benchmark.protocols import WORDS, Protocol, protocol_files, protocols_in
from benchmark.registry.protocols import (
    find_protocol,
    protocol_folders,
)
from benchmark.tasks.accepts import accepts

WIDTH = 100
HEAD = """# A draft: `bench protocol check FILE` says what is wrong with it, `bench run -p FILE` runs it.
# Lines that are commented out are at their default. In a folder of protocols this is {name}/1.toml.

"""


def new_protocol(name: str, source: str, parent: Path) -> Path:
    """Write `parent/NAME/1.toml`, whole or not at all, and return it: the protocol `source` under
    another name, without what papers report, with the files beside it that it needs.

    Raises `InvalidInput` for a name that is no id or is taken, or a folder that is there already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise InvalidInput(
            f"{name!r} is no id of a protocol", cure="lower-case words joined by _, like my_faces"
        )
    taken = {one.partition("@")[0] for one in protocol_files(protocol_folders())}
    if name in taken:
        raise InvalidInput(f"there is a protocol {name!r} already", cure="name another")
    target = parent / name
    if target.exists():
        raise InvalidInput(f"{target} is there already", cure="name another, or move it away")
    given = find_protocol(source)
    model = given.model_copy(update={"id": name, "version": 1, "title": f"{given.title}, changed"})
    text = HEAD.format(name=name) + "\n".join(_table(model, (), skipped=WORDS - {"title"})) + "\n"
    with whole_folder(target) as folder:
        (folder / "1.toml").write_text(text, "utf-8")
        for file in _files_needed(given):
            shutil.copyfile(given.path.parent / file, folder / file)
    return target / "1.toml"


def protocol_of(task: str) -> str:
    """A protocol of bench's own with that task, to begin from; raises `UnknownName` for no task.

    >>> protocol_of("landmark_matching")
    'mafl_matching@1'
    """
    accepts(task)
    found = [p for p in protocols_in((builtin_folder(),)) if p.task == task]
    return min(found, key=lambda p: (len(_files_needed(p)), p.name)).name


def _files_needed(protocol: Protocol) -> list[str]:
    crops = [geometry.crops for geometry in protocol.geometry.values() if geometry.crops]
    return sorted({*crops, *([protocol.limited.chosen] if protocol.limited else [])})


def _table(
    model: BaseModel, place: tuple[str, ...], skipped: set[str] | frozenset[str] = frozenset()
) -> Iterator[str]:
    """The lines of a section: its own keys first, then the sections below it."""
    below: list[str] = []
    for key, field in type(model).model_fields.items():
        value, here = getattr(model, key), (*place, key)
        if key in skipped:
            continue
        if isinstance(value, BaseModel):
            below += _section(value, here, f"[{_path(here)}]")
        elif isinstance(value, Mapping) and any(isinstance(v, BaseModel) for v in value.values()):
            for name, one in value.items():
                below += _section(one, (*here, name), f"[{_path((*here, name))}]")
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            for i, one in enumerate(value):
                lines = list(_section(one, here, f"[[{_path(here)}]]"))
                below += lines if i == 0 else ["", *lines[lines.index(f"[[{_path(here)}]]") :]]
        elif value is not None:  # which can't be stated
            stated = "" if key in model.model_fields_set or field.is_required() else "# "
            yield f"{stated}{key} = {_toml(value)}{_choices(field)}"
    yield from below


def _section(model: BaseModel, place: tuple[str, ...], head: str) -> Iterator[str]:
    comment = inspect.cleandoc(type(model).__doc__ or "").partition("\n\n")[0].split("\n")
    yield from ("", *(f"# {line}" for line in comment), head)
    yield from _table(model, place)


def _path(place: tuple[str, ...]) -> str:
    return ".".join(n if re.fullmatch(r"[A-Za-z0-9_-]+", n) else json.dumps(n) for n in place)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_path((k,))} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _choices(field: FieldInfo) -> str:
    """The words that a field may hold, behind it."""
    words = [word for word in get_args(field.annotation) if isinstance(word, str)]
    comment = f"  # {', '.join(w or json.dumps(w) for w in words)}" if len(words) > 1 else ""
    return comment if len(comment) < WIDTH else ""
