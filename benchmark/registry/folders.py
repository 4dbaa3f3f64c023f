"""Folders of protocols as plugins bring them: which ids they hold, and whether they keep to themselves.

Looks at names alone, so that listing stays light; what a file says is checked when it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.contracts.errors import PluginBroken
from benchmark.contracts.names import id_faults, is_version, shown


def protocol_ids(folder: Path) -> set[str]:
    """The ids of the protocols in a folder laid out like `protocols/`."""
    return {path.parent.name for path in folder.glob("*/*.toml") if is_version(path)}


def check_folder(folder: Any, taken: set[str]) -> None:
    """Refuse a folder that is not there, whose links lead out of it, or that takes an id of bench.

    A new version of another's protocol would be taken for its newest, so ids are one's alone.
    """
    if not isinstance(folder, str | Path) or not Path(folder).is_dir():
        raise PluginBroken(f"its protocols folder {shown(folder)} is not there")
    place = Path(folder)
    if not place.is_absolute():
        raise PluginBroken(f"its protocols folder {shown(folder)} is no absolute path")
    home = place.resolve()
    for path in _inside(place):
        if path.is_symlink() and not path.resolve().is_relative_to(home):
            raise PluginBroken(
                f"its protocols folder has a link {shown(str(path.relative_to(place)))} that leads out "
                f"of it"
            )
    for name in sorted(protocol_ids(place)):
        faults = id_faults("protocol", name)
        if faults:
            raise PluginBroken(faults[0])
        if name in taken:
            raise PluginBroken(f"protocol {name!r} is bench's own")


def _inside(place: Path) -> Iterator[Path]:
    """What lies in the folder and in its folders, links not followed."""
    for path in sorted(place.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from sorted(path.iterdir())
