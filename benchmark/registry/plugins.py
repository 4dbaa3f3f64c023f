"""Finding plugins: each entry point of the group `bench` is loaded guarded, and a broken one is a row.

Listing must stay light, so a plugin's registration module holds data only and its method's class is
imported when the method runs.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field, fields, replace
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from benchmark.contracts.dataset import DatasetSpec
from benchmark.contracts.errors import PluginBroken, UnknownName, did_you_mean
from benchmark.contracts.extension import (
    BUILT_IN_COMMANDS,
    BUILT_IN_LAUNCHERS,
    CommandSpec,
    LauncherSpec,
)
from benchmark.contracts.hooks import PROJECT, Hooks
from benchmark.contracts.names import LONGEST_LINE, name_faults, shown
from benchmark.contracts.spec import MethodSpec
from benchmark.contracts.twin import BUILT_IN_RECIPES, RecipeSpec
from benchmark.datasets.specs import DATASETS
from benchmark.home import builtin_folder
from benchmark.registry.brought import Brought, Plugin
from benchmark.registry.folders import check_folder, protocol_ids

if TYPE_CHECKING:
    from benchmark.contracts.method import Method

GROUP = "bench"
MEND = f"mend the plugin, reinstall it into this Python ({sys.executable}), or uninstall it"
Found = TypeVar("Found")


@dataclass
class Plugins:
    """What all plugins registered; `rows` has one entry for each plugin, broken ones too."""

    methods: dict[str, MethodSpec] = field(default_factory=dict)
    datasets: dict[str, DatasetSpec] = field(default_factory=dict)
    protocol_folders: list[Path] = field(default_factory=list)
    protocol_ids: set[str] = field(default_factory=set)
    twins: dict[str, RecipeSpec] = field(default_factory=dict)
    launchers: dict[str, LauncherSpec] = field(default_factory=dict)
    commands: dict[str, CommandSpec] = field(default_factory=dict)
    provider: dict[str, str] = field(default_factory=dict)
    distribution: dict[str, str] = field(default_factory=dict)
    rows: list[Plugin] = field(default_factory=list)

    @property
    def failures(self) -> list[Plugin]:
        """The plugins that could not be loaded."""
        return [row for row in self.rows if row.error]

    def method(self, name: str) -> MethodSpec:
        """The specification of a method; close names are suggested."""
        return self._find("method", name, self.methods)

    def launcher(self, name: str) -> LauncherSpec:
        """The specification of a launcher that a plugin brings."""
        return self._find("launcher", name, self.launchers, BUILT_IN_LAUNCHERS)

    def command(self, name: str) -> CommandSpec:
        """The specification of a command that a plugin brings."""
        return self._find("command", name, self.commands, BUILT_IN_COMMANDS)

    def _find(
        self, kind: str, name: str, known: Mapping[str, Found], also: Iterable[str] = ()
    ) -> Found:
        if name in known:
            return known[name]
        broken = self.failures
        for row in broken:
            if kind == "method" and row.brings(name):
                raise PluginBroken(
                    f"method {name!r} comes with the plugin {row.name!r}, which is broken: "
                    f"{row.error}",
                    cure=f"{MEND}; `bench doctor` shows where it broke",
                )
        error = UnknownName(kind, name, [*known, *also])
        if broken:
            names = ", ".join(repr(row.name) for row in broken)
            error.cure += f"; or it is of a plugin that is broken ({names}): see `bench plugins`"
        raise error


def load(points: Iterable[EntryPoint]) -> Plugins:
    """Load plugins from entry points, sorted by name; what fails is a row with its reason.

    What a plugin prints meanwhile goes to standard error, so that `--json` stays JSON.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    found = Plugins()
    for point in sorted(points, key=lambda p: p.name):
        about = _origin(point)
        brought = Brought()
        try:
            with redirect_stdout(sys.stderr):
                _load_one(point, manager, brought)
            _check(brought, found)
        except (Exception, SystemExit) as error:
            trace = traceback.format_exc()
            meant = tuple(shown(getattr(m, "id", m), quote=False) for m in brought.methods)
            found.rows.append(replace(about, error=in_one_line(error), detail=trace, meant=meant))
        else:
            _take(about, brought, found)
    return found


def _origin(point: EntryPoint) -> Plugin:
    """What the metadata of its distribution say."""
    dist = getattr(point, "dist", None)
    words = (point.name, getattr(dist, "name", None) or "", getattr(dist, "version", None) or "")
    name, distribution, version = (shown(word, quote=False) for word in words)
    return Plugin(name, distribution, version)


def _load_one(point: EntryPoint, manager: pluggy.PluginManager, brought: Brought) -> None:
    """Import one plugin and let it register into `brought`."""
    faults = name_faults("the entry point's name", point.name)
    if faults:
        raise PluginBroken(faults[0])
    if manager.has_plugin(point.name):
        raise PluginBroken(f"another distribution brings a plugin named {point.name!r}")
    module = point.load()
    if manager.is_registered(module):
        raise PluginBroken(f"it is the same module as the plugin {manager.get_name(module)!r}")
    manager.register(module, name=point.name)
    try:
        others = [p for n, p in manager.list_name_plugin() if n != point.name]
        for pending in _misspelt(module):
            raise PluginBroken(f"it implements {pending!r}, which is no hook of bench")
        for what in fields(brought):
            hook = manager.subset_hook_caller(f"bench_{what.name}", others)
            hook(register=getattr(brought, what.name).append)
    except BaseException:
        manager.unregister(name=point.name)
        raise


def _misspelt(module: Any) -> list[str]:
    marked = [n for n in dir(module) if hasattr(getattr(module, n), f"{PROJECT}_impl")]
    return [n for n in marked if not hasattr(Hooks, n)]


def _check(brought: Brought, found: Plugins) -> None:
    """Refuse the plugin whole where anything that it registered is not what it should be."""
    kinds: list[tuple[str, list[Any], Any, Iterable[str]]] = [
        ("method", brought.methods, MethodSpec, found.methods),
        ("data set", brought.datasets, DatasetSpec, {d.id for d in DATASETS} | set(found.datasets)),
        ("twin recipe", brought.twins, RecipeSpec, {*BUILT_IN_RECIPES, *found.twins}),
        ("launcher", brought.launchers, LauncherSpec, found.launchers),
        ("command", brought.commands, CommandSpec, found.commands),
    ]
    for word, specs, wanted, taken in kinds:
        mine: set[str] = set()
        for spec in specs:
            if not isinstance(spec, wanted):
                raise PluginBroken(f"it registered {shown(spec)}, which is no {wanted.__name__}")
            faults = spec.problems()
            if faults:
                raise PluginBroken(f"{word} {shown(spec.id)}: {'; '.join(faults)}")
            if spec.id in taken or spec.id in mine:
                by = found.provider.get(spec.id, "") if word == "method" else ""
                raise PluginBroken(
                    f"{word} {spec.id!r} is already registered" + (f" by {by!r}" if by else "")
                )
            mine.add(spec.id)
    own = protocol_ids(builtin_folder())
    for folder in brought.protocols:
        check_folder(folder, own | found.protocol_ids)


def _take(about: Plugin, brought: Brought, found: Plugins) -> None:
    for spec in brought.methods:
        found.methods[spec.id] = spec
        found.provider[spec.id] = about.name
        found.distribution[spec.id] = about.distribution
    found.datasets.update({d.id: d for d in brought.datasets})
    found.twins.update({s.id: s for s in brought.twins})
    found.launchers.update({s.id: s for s in brought.launchers})
    found.commands.update({s.id: s for s in brought.commands})
    folders = [Path(f) for f in brought.protocols]
    found.protocol_folders += folders
    protocols = {i for f in folders for i in protocol_ids(f)}
    found.protocol_ids |= protocols
    found.rows.append(
        replace(
            about,
            methods=tuple(s.id for s in brought.methods),
            datasets=tuple(s.id for s in brought.datasets),
            protocols=tuple(sorted(protocols)),
            folders=tuple(folders),
            twins=tuple(s.id for s in brought.twins),
            launchers=tuple(s.id for s in brought.launchers),
            commands=tuple(s.id for s in brought.commands),
        )
    )


def in_one_line(error: BaseException) -> str:
    """An error in one line that may be printed, whatever it says."""
    if isinstance(error, PluginBroken):
        return shown(error.message, quote=False, most=LONGEST_LINE)
    text = str(error).strip().splitlines()
    line = f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
    return shown(line, quote=False, most=LONGEST_LINE)


@cache
def plugins() -> Plugins:
    """All installed plugins, loaded once. `BENCH_PLUGINS=lead,floors` loads only those named."""
    points = list(entry_points(group=GROUP))
    chosen = os.environ.get("BENCH_PLUGINS")
    if chosen is not None:
        names = {n.strip() for n in chosen.split(",") if n.strip()}
        points = [p for p in points if p.name in names]
    return load(points)


def named(reference: str, what: str) -> Any:
    """What a "module:name" names; where it can't be imported, an error that says whose it is."""
    module, _, name = reference.partition(":")
    told = f"{what}: the registration's implementation={reference} could not be imported"
    try:
        found = import_module(module)
        if hasattr(found, name):
            return getattr(found, name)
    except Exception as error:
        raise PluginBroken(f"{told}: {_plainly(error)}", cure=MEND) from error
    own = (n for n, v in vars(found).items() if getattr(v, "__module__", "") == module)
    there = sorted(n for n in own if not n.startswith("_"))
    raise PluginBroken(
        f"{told}: {module} has no {name!r}",
        cure=f"{did_you_mean(name, there)}{module} defines: {', '.join(there) or 'nothing'}",
    )


def _plainly(error: Exception) -> str:
    """`in_one_line`, and in plain words what pydantic says of a setting without a type."""
    if getattr(error, "code", "") == "model-field-missing-annotation":
        setting = re.search(r"`(\w+) = .*?`", str(error))
        if setting:
            return (
                f"the setting {setting[0]} has no type: give it one, `{setting[1]}: int = …` "
                "(or float, str, bool)"
            )
    return in_one_line(error)


def implementation(spec: MethodSpec) -> type[Method]:
    """Import a method's class and check that it keeps the contract.

    Of a method with an environment of its own, the class that stands for it here.
    """
    from benchmark.contracts.method import Method

    if spec.environment is not None:
        from benchmark.isolation.proxy import isolated

        return isolated(spec)
    found = named(spec.implementation, f"method {spec.id!r}")
    if not (isinstance(found, type) and issubclass(found, Method)):
        raise PluginBroken(f"method {spec.id!r}: {spec.implementation} is not a subclass of Method")
    return found


def command_of(spec: CommandSpec) -> Any:
    """Import the click command that a registration names."""
    import click

    command = named(spec.implementation, f"command {spec.id!r}")
    if not isinstance(command, click.Command):
        raise PluginBroken(
            f"command {spec.id!r}: {spec.implementation} is no click command",
            cure="decorate it with @click.command()",
        )
    return command
