"""What only importing tells of a plugin: that its classes are there and its settings are possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from benchmark.contracts.errors import BenchError, PluginBroken, UnknownName
from benchmark.contracts.names import LONGEST_LINE, shown
from benchmark.contracts.spec import MethodSpec
from benchmark.datasets.places import reader_class
from benchmark.datasets.recipes import make_recipe
from benchmark.method_errors import in_one_line
from benchmark.registry.brought import Plugin
from benchmark.registry.implementations import command_of, implementation, named
from benchmark.registry.plugins import Plugins
from benchmark.registry.protocols import all_protocols
from benchmark.settings import resolve_settings
from benchmark.tasks.faults import require_sound


def check_plugin(row: Plugin, found: Plugins) -> Plugin:
    """The row of a plugin with the first thing that is wrong with it, once all it names is imported."""
    if row.error:
        return row
    waiting: list[str] = []
    for check in _checks(row, found, waiting):
        try:
            check()
        except (Exception, SystemExit) as error:
            fault = error.message if isinstance(error, BenchError) else in_one_line(error)
            return replace(row, error=in_one_line(PluginBroken(fault)))
    return replace(row, note=shown("; ".join(waiting), quote=False, most=LONGEST_LINE))


def _checks(row: Plugin, found: Plugins, waiting: list[str]) -> Iterator[Callable[[], Any]]:
    yield from (partial(_method, found.methods[name], waiting) for name in row.ids("methods"))
    yield from (partial(reader_class, name) for name in row.ids("datasets"))
    for protocol in all_protocols():  # without those that can't be read, which are broken alone
        if protocol.id in row.ids("protocols"):
            yield partial(require_sound, protocol)
    yield from (partial(make_recipe, name, range(1)) for name in row.ids("twins"))
    for name in row.ids("launchers"):
        yield partial(named, found.launchers[name].implementation, f"launcher {name!r}")
    yield from (partial(command_of, found.commands[name]) for name in row.ids("commands"))


def _method(spec: MethodSpec, waiting: list[str]) -> None:
    """Its class, and each preset through its settings model.

    Presets that name a method of another plugin, which may be there or not, are told in `waiting`.
    """
    from benchmark.contracts.method import MethodSettings

    cls = implementation(spec)
    if not (isinstance(cls.Settings, type) and issubclass(cls.Settings, MethodSettings)):
        raise PluginBroken(f"method {spec.id!r}: Settings is not a subclass of MethodSettings")
    absent: list[str] = []
    for preset in ["", *spec.presets]:
        try:
            _, settings = resolve_settings(spec, cls, preset, {})
        except UnknownName as error:
            if error.kind != "method":
                raise
            absent.append(error.name)
            continue
        given = set(cls.info(settings).gives) - set(spec.gives)
        if given:
            raise PluginBroken(f"method {spec.id!r}: info gives {', '.join(sorted(given))}, "
                               "which the registration leaves out")  # fmt: skip
    if absent:
        needed = ", ".join(dict.fromkeys(absent))
        waiting.append(f"presets of {spec.id} need methods that are not installed: {needed}")
