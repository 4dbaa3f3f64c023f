"""The code says all that its reference shows: options, hooks, fields, metrics, tools."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest
from tests_fixtures import ROOT

from benchmark.cli import cli
from benchmark.metrics.catalogue import CATALOGUE

griffe = pytest.importorskip("griffe", reason="the extra `docs` is not installed")
BENCH = griffe.load("benchmark", submodules=True)
SCORING = {entry.function.partition(":")[2] for entry in CATALOGUE.values()}
NO_METRICS = {"catalogue", "checks"}


def words(item: griffe.Object) -> str:
    return item.docstring.value if item.docstring else ""


def public(*modules: str) -> Iterator[griffe.Object]:
    """Public classes and functions of modules, and of the modules in them."""
    for module in modules:
        for item in BENCH[module].members.values():
            if item.is_alias or item.name.startswith("_") or item.is_attribute:
                continue
            if item.is_module:
                yield from public(f"{module}.{item.name}")
            else:
                yield item


def parts(item: griffe.Object) -> list[griffe.Object]:
    """Its public members; of attributes only fields, which neither `__init__` nor the class makes."""
    init = item.members.get("__init__")
    kept = range(init.lineno, init.endlineno + 1) if init else ()
    members = (m for m in item.members.values() if not m.is_alias and m.lineno not in kept)
    return [
        m
        for m in members
        if not m.name.startswith("_")
        and not m.is_class
        and not (m.is_attribute and {"instance-attribute", "property"}.isdisjoint(m.labels))
        and not (m.is_attribute and m.annotation is None)
    ]


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for word in command.list_commands(context):
            inner = command.get_command(context, word)
            assert inner is not None
            yield from commands(inner, f"{name} {word}")


def test_every_command_and_option_says_what_it_does() -> None:
    found = list(commands(cli, "bench"))
    assert len(found) > 25
    for name, command in found:
        assert (command.help or "").strip(), f"{name} has no help"
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert (option.help or "").strip(), f"{name} {option.opts[0]} has no help"


def test_every_hook_says_what_it_is_given() -> None:
    hooks = parts(BENCH["contracts.hooks.Hooks"])
    assert {h.name for h in hooks} >= {"bench_methods", "bench_protocols", "bench_datasets"}
    assert not [h.name for h in hooks if "register" not in words(h)]


def test_every_name_and_field_of_a_contract_is_explained() -> None:
    faults, seen = [], 0
    pages = [
        (ROOT / "docs" / "reference" / f"{p}.md").read_text()
        for p in ("contracts", "protocol-file")
    ]
    for item in public(*re.findall("^::: benchmark.(.*)$", "".join(pages), re.M)):
        seen += 1
        faults += [] if words(item) else [item.path]
        for part in parts(item) if item.is_class else []:
            said = words(part) or (part.is_attribute and f"`{part.name}" in words(item))
            faults += [] if said else [part.path]
    assert seen > 60
    assert not faults


def test_every_metric_has_its_shapes_source_and_an_example() -> None:
    faults = []
    for item in public("metrics"):
        if item.parent.name in NO_METRICS:
            continue
        said = words(item)
        faults += [] if said else [f"{item.path} has no words"]
        if item.is_class:
            continue
        if ">>>" not in said and "Example" not in said:
            faults.append(f"{item.path} has no example")
        both = said + words(item.parent)
        if not re.search(r"\([A-Z\d.]|[Aa]rguments|which see|As `|as `", both):
            faults.append(f"{item.path} has no shape")
        if item.name in SCORING and "Source" not in both:
            faults.append(f"{item.path} has no source")
    assert not faults


def test_the_toolkit_is_explained() -> None:
    items = [part for item in public("training") for part in (item, *parts(item))]
    assert not [item.path for item in items if not item.is_attribute and not words(item)]
