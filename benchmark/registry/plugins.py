"""Finding plugins: each entry point of the group `bench` is loaded guarded, and a broken one is a row.

bench is a plugin of itself (`benchmark.builtin`), the first that is loaded. Listing must stay light, so
a plugin's registration module holds data only and its method's class is imported when the method runs.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from threading import Timer
from typing import Any, TypeVar

import pluggy

from benchmark.contracts.dataset import DatasetSpec
from benchmark.contracts.errors import PluginBroken, UnknownName
from benchmark.contracts.extension import CommandSpec, LauncherSpec
from benchmark.contracts.hooks import PROJECT, Hooks
from benchmark.contracts.names import name_faults, shown
from benchmark.contracts.spec import MethodSpec
from benchmark.contracts.twin import RecipeSpec
from benchmark.method_errors import in_one_line
from benchmark.registry.brought import HOOKS, KINDS, Plugin
from benchmark.registry.folders import check_folder, protocol_ids

GROUP = "bench"
OWN = "benchmark.builtin"
"""What bench's own entry point names."""
MEND = f"mend the plugin, reinstall it into this Python ({sys.executable}), or uninstall it"
CHOOSE = "or name those to load in BENCH_PLUGINS"
PATIENCE = 10.0  # seconds
Found = TypeVar("Found")
Brought = dict[str, list[Any]]
"""What one plugin registers, by hook, kept apart until all of it is known to be right."""


@dataclass
class Plugins:
    """What is registered, by kind and id; `rows` has an entry for each plugin but bench itself, broken
    ones too. `provider` and `distribution` say of each method whose it is."""

    methods: dict[str, MethodSpec] = field(default_factory=dict)
    datasets: dict[str, DatasetSpec] = field(default_factory=dict)
    twins: dict[str, RecipeSpec] = field(default_factory=dict)
    launchers: dict[str, LauncherSpec] = field(default_factory=dict)
    commands: dict[str, CommandSpec] = field(default_factory=dict)
    protocol_folders: list[Path] = field(default_factory=list)
    provider: dict[str, str] = field(default_factory=dict)
    distribution: dict[str, str] = field(default_factory=dict)
    rows: list[Plugin] = field(default_factory=list)

    @property
    def failures(self) -> list[Plugin]:
        """The plugins that could not be loaded."""
        return [row for row in self.rows if row.error]

    @property
    def protocol_ids(self) -> set[str]:
        """The ids in all folders of protocols."""
        return {name for folder in self.protocol_folders for name in protocol_ids(folder)}

    def method(self, name: str) -> MethodSpec:
        """The specification of a method; close names are suggested."""
        for row in self.failures if name not in self.methods else ():
            if row.may_bring(name):
                raise PluginBroken(
                    f"method {name!r} comes with the plugin {row.name!r}, which is broken: "
                    f"{row.error}",
                    cure=f"{MEND}, {CHOOSE}; `bench doctor` shows where it broke",
                )
        return self._find("method", name, self.methods)

    def dataset(self, name: str) -> DatasetSpec:
        """The description of a data set."""
        return self._find("data set", name, self.datasets)

    def twin(self, name: str) -> RecipeSpec:
        """What is known of a twin's recipe before it is made."""
        return self._find("twin recipe", name, self.twins)

    def launcher(self, name: str) -> LauncherSpec:
        """The specification of a launcher."""
        return self._find("launcher", name, self.launchers)

    def command(self, name: str) -> CommandSpec:
        """The specification of a command."""
        return self._find("command", name, self.commands)

    def _find(self, word: str, name: str, known: Mapping[str, Found]) -> Found:
        if name in known:
            return known[name]
        error = UnknownName(word, name, known)
        if broken := self.failures:
            names = ", ".join(repr(row.name) for row in broken)
            error.cure += f"; or it is of a plugin that is broken ({names}): see `bench plugins`"
        raise error


def load(points: Iterable[EntryPoint]) -> Plugins:
    """Load plugins from entry points, bench's own first; what fails is a row with its reason.

    Ids of bench are reserved. Of plugins that bring the same id, or have the same name, none is loaded.

    What a plugin prints meanwhile goes to standard error, so that `--json` stays JSON.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    found = Plugins()
    points = sorted(points, key=lambda p: (not _is_own(p), p.name))
    names = Counter(point.name for point in points)
    sound: list[tuple[Plugin, Brought]] = []
    for point in points:
        about = _origin(point)
        brought: Brought = {}
        try:
            if names[point.name] > 1:
                raise PluginBroken(f"another distribution brings a plugin named {point.name!r} too")
            with redirect_stdout(sys.stderr), _named_while_slow(point.name):
                _load_one(point, manager, brought)
            _check(brought, found)
        except (Exception, SystemExit) as error:
            found.rows.append(_broken(about, brought, error))
        else:
            if _is_own(point):
                _take(about, brought, found, listed=False)
            else:
                sound.append((about, brought))
    by = _claims(sound)
    for about, brought in sound:
        clash = next((c for c in _ids(brought) if len(by[c]) > 1), None)
        if clash is None:
            _take(about, brought, found, listed=True)
        else:
            others = " and ".join(repr(name) for name in by[clash] if name != about.name)
            shared = PluginBroken(f"{clash[0]} {clash[1]!r} is brought by {others} too")
            found.rows.append(_broken(about, brought, shared))
    found.rows.sort(key=lambda row: row.name)
    _complete(found.methods)
    return found


def _complete(methods: dict[str, MethodSpec]) -> None:
    """Give floors that imitate others their presets, now that all methods are known; a default that is
    none of them falls away with the plugin that would have brought it."""
    named = {f"{m.id}-{p}": {"of": f"{m.id}:{p}"} for m in methods.values() for p in m.untrained}
    for spec in [m for m in methods.values() if m.imitates]:
        presets = {**spec.presets, **named}
        default, twin = (
            name if name in presets else "" for name in (spec.default_preset, spec.twin_preset)
        )
        methods[spec.id] = replace(spec, presets=presets, default_preset=default, twin_preset=twin)


@contextmanager
def _named_while_slow(name: str) -> Iterator[None]:
    """Say which plugin it is that keeps every command waiting; nothing but Ctrl-C ends its import."""
    said = (
        f"bench: the plugin {shown(name)} is still being loaded after {PATIENCE:g} s; Ctrl-C ends this, "
        "and BENCH_PLUGINS names those to load without it\n"
    )
    timer = Timer(PATIENCE, lambda: sys.stderr.write(said))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _claims(sound: Iterable[tuple[Plugin, Brought]]) -> dict[tuple[str, str], list[str]]:
    """Which plugins bring each id. One that several bring is nobody's: whose name comes first says
    nothing of whose method it is, and a row of a board must not turn into another's."""
    by: dict[tuple[str, str], list[str]] = {}
    for about, brought in sound:
        for claim in _ids(brought):
            by.setdefault(claim, []).append(about.name)
    return by


def _ids(brought: Brought) -> list[tuple[str, str]]:
    """The kind in words and the id of all that a plugin brings, each once."""
    plain = {(kind.word, spec.id): None for kind in KINDS for spec in brought[kind.name]}
    return [*plain, *(("protocol", name) for name in _protocol_ids(brought))]


def _protocol_ids(brought: Brought) -> list[str]:
    return sorted({name for f in brought["protocols"] for name in protocol_ids(Path(f))})


def _broken(about: Plugin, brought: Brought, error: BaseException) -> Plugin:
    """The row of a plugin that is refused, with its reason."""
    trace = "".join(traceback.format_exception(error))
    meant = tuple(shown(getattr(m, "id", m), quote=False) for m in brought.get("methods", ()))
    return replace(about, error=in_one_line(error), detail=trace, meant=meant)


def _is_own(point: EntryPoint) -> bool:
    return getattr(point, "value", "") == OWN


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
    module = point.load()
    if manager.is_registered(module):
        raise PluginBroken(f"it is the same module as the plugin {manager.get_name(module)!r}")
    manager.register(module, name=point.name)
    try:
        others = [p for n, p in manager.list_name_plugin() if n != point.name]
        for pending in _misspelt(module):
            raise PluginBroken(f"it implements {pending!r}, which is no hook of bench")
        for name in HOOKS:
            hook = manager.subset_hook_caller(f"bench_{name}", others)
            hook(register=brought.setdefault(name, []).append)
    except BaseException:
        manager.unregister(name=point.name)
        raise


def _misspelt(module: Any) -> list[str]:
    marked = [n for n in dir(module) if hasattr(getattr(module, n), f"{PROJECT}_impl")]
    return [n for n in marked if not hasattr(Hooks, n)]


def _check(brought: Brought, found: Plugins) -> None:
    """Refuse the plugin whole where anything that it registered is not what it should be, or has an id
    of bench."""
    for kind in KINDS:
        taken: dict[str, Any] = dict(getattr(found, kind.name))
        for spec in brought[kind.name]:
            if not isinstance(spec, kind.spec):
                raise PluginBroken(f"it registered {shown(spec)}, which is no {kind.spec.__name__}")
            faults = spec.problems()
            if faults:
                raise PluginBroken(f"{kind.word} {shown(spec.id)}: {'; '.join(faults)}")
            if spec.id in taken:
                raise PluginBroken(f"{kind.word} {spec.id!r} is already registered")
            taken[spec.id] = spec
    for folder in brought["protocols"]:
        check_folder(folder, found.protocol_ids)


def _take(about: Plugin, brought: Brought, found: Plugins, *, listed: bool) -> None:
    folders = tuple(Path(folder) for folder in brought["protocols"])
    ids = {k.name: tuple(spec.id for spec in brought[k.name]) for k in KINDS}
    ids["protocols"] = tuple(_protocol_ids(brought))
    for kind in KINDS:
        getattr(found, kind.name).update({spec.id: spec for spec in brought[kind.name]})
    for name in ids["methods"]:
        found.provider[name], found.distribution[name] = about.name, about.distribution
    found.protocol_folders += folders
    if listed:
        found.rows.append(replace(about, brings=ids, folders=folders))


@cache
def plugins() -> Plugins:
    """All installed plugins, loaded once. `BENCH_PLUGINS=lead,floors` loads only those named."""
    points = list(entry_points(group=GROUP))
    own = [point for point in points if _is_own(point)]
    if not own:
        raise PluginBroken(
            "bench's own entry point is not installed: no data set, protocol or launcher is known",
            cure="install bench anew: `pip install -e .` in its checkout, or `pip install structbench`",
        )
    chosen = os.environ.get("BENCH_PLUGINS")
    if chosen is not None:
        names = {name.strip() for name in chosen.split(",")}
        points = [*own[:1], *(p for p in points if p.name in names and not _is_own(p))]
    return load(points)
