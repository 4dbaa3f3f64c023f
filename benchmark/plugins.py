"""Finding plugins: each entry point of the group `bench` is loaded guarded, and a broken one is a row.

Listing must stay light, so a plugin's registration module holds data only and its method's class is
imported when the method runs.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from benchmark.contracts.dataset import DatasetSpec
from benchmark.contracts.errors import PluginBroken, UnknownName
from benchmark.contracts.hooks import PROJECT, Hooks
from benchmark.contracts.spec import MethodSpec

if TYPE_CHECKING:
    from benchmark.contracts.method import Method

GROUP = "bench"


@dataclass(frozen=True)
class Failure:
    """A plugin that could not be loaded: its name, the error in one line, and the whole of it."""

    plugin: str
    error: str
    detail: str


@dataclass
class Plugins:
    """What all plugins registered."""

    methods: dict[str, MethodSpec] = field(default_factory=dict)
    datasets: dict[str, DatasetSpec] = field(default_factory=dict)
    protocol_folders: list[Path] = field(default_factory=list)
    provider: dict[str, str] = field(default_factory=dict)
    distribution: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def method(self, name: str) -> MethodSpec:
        """The specification of a method; close names are suggested."""
        if name not in self.methods:
            broken = [f.plugin for f in self.failures]
            cure = (
                f"the plugin {', '.join(broken)} could not be loaded, maybe it brings this method: "
                "see `bench doctor`"
                if name in broken
                else ""
            )
            raise UnknownName("method", name, self.methods, cure=cure)
        return self.methods[name]


def load(points: Iterable[EntryPoint]) -> Plugins:
    """Load plugins from entry points, sorted by name; what fails is kept as a `Failure`."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    found = Plugins()
    for point in sorted(points, key=lambda p: p.name):
        try:
            _load_one(point, manager, found)
        except (Exception, SystemExit) as error:
            found.failures.append(Failure(point.name, _in_one_line(error), traceback.format_exc()))
    return found


def _load_one(point: EntryPoint, manager: pluggy.PluginManager, found: Plugins) -> None:
    """Import one plugin and let it register; all it brings is taken, or nothing."""
    module = point.load()
    manager.register(module, name=point.name)
    try:
        others = [p for n, p in manager.list_name_plugin() if n != point.name]
        only = manager.subset_hook_caller
        for pending in _misspelt(module):
            raise PluginBroken(f"it implements {pending!r}, which is no hook of bench")
        methods: list[MethodSpec] = []
        datasets: list[DatasetSpec] = []
        folders: list[Path] = []
        only("bench_methods", others)(register=methods.append)
        only("bench_datasets", others)(register=datasets.append)
        only("bench_protocols", others)(register=folders.append)
        _check(methods, datasets, folders, found)
    except BaseException:
        manager.unregister(name=point.name)
        raise
    for spec in methods:
        found.methods[spec.id] = spec
        found.provider[spec.id] = point.name
        found.distribution[spec.id] = getattr(getattr(point, "dist", None), "name", "")
    found.datasets.update({d.id: d for d in datasets})
    found.protocol_folders += [Path(f) for f in folders]


def _misspelt(module: Any) -> list[str]:
    marked = [n for n in dir(module) if hasattr(getattr(module, n), f"{PROJECT}_impl")]
    return [n for n in marked if not hasattr(Hooks, n)]


def _check(
    methods: list[MethodSpec], datasets: list[DatasetSpec], folders: list[Path], found: Plugins
) -> None:
    for spec in methods:
        if not isinstance(spec, MethodSpec):
            raise PluginBroken(f"it registered {spec!r}, which is no MethodSpec")
        faults = spec.problems()
        if faults:
            raise PluginBroken(f"method {spec.id!r}: {'; '.join(faults)}")
        if spec.id in found.methods:
            raise PluginBroken(
                f"method {spec.id!r} is already registered by {found.provider[spec.id]!r}"
            )
    for data in datasets:
        if not isinstance(data, DatasetSpec):
            raise PluginBroken(f"it registered {data!r}, which is no DatasetSpec")
        if data.id in found.datasets:
            raise PluginBroken(f"data set {data.id!r} is already registered")
    for folder in folders:
        if not Path(folder).is_dir():
            raise PluginBroken(f"its protocols folder {folder} is not there")


def _in_one_line(error: BaseException) -> str:
    if isinstance(error, PluginBroken):
        return error.message
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


@cache
def plugins() -> Plugins:
    """All installed plugins, loaded once. `BENCH_PLUGINS=lead,floors` loads only those named."""
    points = list(entry_points(group=GROUP))
    chosen = os.environ.get("BENCH_PLUGINS")
    if chosen is not None:
        names = {n.strip() for n in chosen.split(",") if n.strip()}
        points = [p for p in points if p.name in names]
    return load(points)


def implementation(spec: MethodSpec) -> type[Method]:
    """Import a method's class and check that it keeps the contract."""
    from benchmark.contracts.method import Method

    module_name, _, class_name = spec.implementation.partition(":")
    try:
        found = getattr(import_module(module_name), class_name)
    except Exception as error:
        raise PluginBroken(
            f"method {spec.id!r}: {spec.implementation} could not be imported: {_in_one_line(error)}",
            cure=f"reinstall the plugin into this Python ({sys.executable}), or mend it",
        ) from error
    if not (isinstance(found, type) and issubclass(found, Method)):
        raise PluginBroken(f"method {spec.id!r}: {spec.implementation} is not a subclass of Method")
    return found
