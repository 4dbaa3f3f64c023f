"""`bench show`: one protocol, method or run in full."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from benchmark.cli.ls import WHAT
from benchmark.cli.output import as_json, paragraph, table
from benchmark.interface.progress import duration

if TYPE_CHECKING:
    from benchmark.contracts.method import MethodSettings
    from benchmark.contracts.spec import MethodSpec

SHOWN = ("protocol", "method", "run")


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    return [what for what in SHOWN if what.startswith(incomplete)]


@click.command()
@click.argument("what", metavar="[protocol|method|run]", shell_complete=_complete)
@click.argument("name", required=False, default="")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.option("--web", is_flag=True, help="Open a run's page in the browser.")
def command(what: str, name: str, json_: bool, web: bool) -> None:
    """Show a protocol, a method or a run (by id, a prefix of it, or the record's path) in full."""
    _require_shown(what, name)
    if web:
        _open_page(what, name)
        return
    {"protocol": _protocol, "method": _method, "run": _run}[what](name, json_)


def _require_shown(what: str, name: str) -> None:
    """Refuse what other commands show, by their names; raises `UnknownName`."""
    from benchmark.contracts.errors import UnknownName

    if what not in SHOWN:
        command = f"bench board {name or 'PROTOCOL'}" if what == "board" else ""
        command = command or next((f"bench ls {w}" for w in WHAT if what in (w, w[:-1])), "")
        raise UnknownName("command", f"show {what}", (f"show {w}" for w in SHOWN), cure=command)
    if not name:
        raise click.UsageError(f"name the {what}: `bench ls {what}s` lists them")


def _tree(content: Any, depth: int = 0) -> None:
    pad = "  " * depth
    for key, value in content.items():
        if isinstance(value, dict) and value:
            click.echo(f"{pad}{click.style(str(key), bold=depth == 0)}")
            _tree(value, depth + 1)
        elif isinstance(value, list | tuple) and value and isinstance(value[0], dict):
            click.echo(f"{pad}{click.style(str(key), bold=depth == 0)}")
            for item in value:
                line = "  ".join(f"{k} {v}" for k, v in item.items() if v not in (None, "", {}))
                click.echo(f"{pad}  {line}")
        elif isinstance(value, str) and "\n" in value:
            click.echo(f"{pad}{key}")
            for line in value.strip().splitlines():
                click.echo(f"{pad}  {line}")
        elif isinstance(value, list | tuple) and value:
            click.echo(f"{pad}{key}: {', '.join(map(str, value))}")
        elif value not in (None, "", [], {}, ()):
            click.echo(f"{pad}{key}: {value}")


def _protocol(name: str, json_: bool) -> None:
    from benchmark.contracts.spec import DERIVED
    from benchmark.pages.protocol_facts import sections
    from benchmark.registry.plugins import plugins
    from benchmark.registry.protocols import find_protocol, protocol_path

    protocol = find_protocol(name)
    if json_:
        content = protocol.model_dump(mode="json", exclude_defaults=True)
        as_json({**content, "digest": protocol.digest(), "file": str(protocol_path(name))})
        return
    click.secho(f"{protocol.name}  {protocol.title}", bold=True)
    words = {name: getattr(protocol, name) for name in ("summary", "notes", "supersedes")}
    _tree({**sections(protocol), **words})
    click.echo(f"digest: {protocol.digest()}")
    able = [
        spec.id
        for spec in plugins().methods.values()
        if {k for g in spec.gives for k in (g, *DERIVED.get(g, ()))} & set(protocol.needs)
    ]
    first = sorted(able, key=lambda name: (plugins().method(name).role != "method", name))
    click.secho(
        f"\nbench run --method {first[0]} --protocol {name}{_preset(plugins().method(first[0]))}"
        if first
        else f"\nno method here gives {' or '.join(protocol.needs)}: `bench method new` begins one",
        dim=True,
    )


def _preset(spec: MethodSpec) -> str:
    """The option with which a method ends on a CPU in minutes, where it does not by default."""
    from benchmark.runner.meant import PAPER, shorter

    fast = shorter(spec) if spec.default_preset == PAPER else []
    return f" --preset {fast[0]}" if fast else ""


def _method(name: str, json_: bool) -> None:
    from dataclasses import asdict

    from benchmark.cli.ls import protocols_for
    from benchmark.contracts.errors import MOST_NAMED, listed
    from benchmark.registry.implementations import implementation
    from benchmark.registry.plugins import plugins
    from benchmark.settings import shown_type

    spec = plugins().method(name)
    content = asdict(spec)
    content["plugin"] = plugins().provider[name]
    content["protocols"] = protocols_for(spec.gives)
    model = implementation(spec).Settings
    plain = _applied(model, {})
    content["settings"] = {
        key: {
            "default": plain[key],
            **({"required": True} if field.is_required() else {}),
            "type": shown_type(field.annotation),
            "description": field.description or "",
            **({"at_prediction": True} if key in model.of_prediction() else {}),
        }
        for key, field in model.model_fields.items()
    }
    if json_:
        as_json(content)
        return
    settings = content.pop("settings")
    click.secho(f"{spec.id}  {spec.summary}", bold=True)
    for word in ("id", "summary", "imitates"):
        content.pop(word)
    marks = {content.pop("twin_preset"): "on twins", content.pop("default_preset"): "default"}
    presets = content.pop("presets")
    able = content.pop("protocols")
    _tree(content)
    paragraph(f"protocols: {listed(able)}")
    if len(able) > MOST_NAMED:
        click.secho(f"bench ls protocols --for {name}", dim=True)
    applied = {preset: _applied(model, chosen) for preset, chosen in presets.items()}
    heads = {p: f"{p} ({marks[p]})" if p in marks else p for p in presets}
    if settings:
        click.echo()
        left_out = table(
            ["setting", "no preset", *heads.values(), "choices", "meaning"],
            [
                [
                    key + " (at prediction)" * about.get("at_prediction", False),
                    "to be given" if about.get("required") else _value(about["default"]),
                    *(
                        _value(chosen[key])
                        if key in chosen
                        else _value(applied[preset][key])
                        if applied[preset][key] != about["default"]
                        else ""
                        for preset, chosen in presets.items()
                    ),
                    _choices(about["type"]),
                    about["description"],
                ]
                for key, about in settings.items()
            ],
            cut=["choices", "meaning", "no preset", *heads.values()],
            drop=["choices", *reversed(heads.values())],
        )
        if left_out:
            paragraph(
                f"no room for {', '.join(left_out)}: a wider terminal, a pipe or --json has them",
                dim=True,
            )
        paragraph("Where a preset says nothing, its value is that of no preset.", dim=True)
    elif heads:
        click.echo(f"presets: {', '.join(heads.values())}")


def _applied(model: type[MethodSettings], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting's value where these are chosen: some defaults follow from other settings. Where a
    setting has to be given, the defaults as declared; None for what has none."""
    from pydantic import ValidationError

    try:
        found = model(**chosen)
    except ValidationError:
        fields = model.model_fields.items()
        return {k: None if f.is_required() else f.get_default(call_default_factory=True)
                for k, f in fields} | dict(chosen)  # fmt: skip
    return {key: getattr(found, key) for key in model.model_fields}


def _value(value: Any) -> str:
    """A setting as `--set` takes it."""
    from benchmark.settings import word

    return word("", value).removeprefix("=")


def _choices(text: str) -> str:
    """A type for people: "none | fpn", "whole number or none"."""
    names = {
        "int": "whole number",
        "float": "number",
        "bool": "true | false",
        "str": "text",
        "None": "none",
    }
    found = re.sub(
        r"Literal\[([^]]*)\]", lambda m: " | ".join(re.findall(r"'([^']*)'", m[1])), text
    )
    return " | ".join(names.get(part, part) for part in found.split(" | "))


def _open_page(what: str, name: str) -> None:
    from benchmark.contracts.errors import DataMissing
    from benchmark.home import home
    from benchmark.interface.runs import find_run
    from benchmark.records.reading import read_record

    if what != "run":
        raise click.UsageError(
            "--web opens the page of a run; `bench board PROTOCOL --web` a board's"
        )
    page = home() / "runs" / read_record(find_run(name)).run_id / "page.html"
    if not page.exists():
        raise DataMissing(
            f"the page of run {name} is not on this machine: {page}",
            cure="run it here, or `bench board PROTOCOL --web`",
        )
    click.echo(page)
    click.launch(page.as_uri())


def _run(name: str, json_: bool) -> None:
    from benchmark.home import home
    from benchmark.interface.runs import find_run
    from benchmark.records.reading import read_record

    path = find_run(name)
    record = read_record(path)
    if json_:
        as_json(record.model_dump(mode="json"))
        return
    click.secho(f"run {record.run_id}", bold=True)
    for value in record.metrics:
        click.echo(f"  {value.metric} {value.value:.3f} {value.unit}  ({value.interval(3)})")
    content = record.model_dump(mode="json")
    stages = content.pop("stages")
    for key in ("run_id", "metrics", "curve"):
        content.pop(key)
    content["probe"].pop("loss_by_epoch", None)
    content["time"] = {
        k: duration(v["seconds"]) + (" (found)" if v["reused"] else "") for k, v in stages.items()
    }
    _tree(content)
    for point in record.curve:
        click.echo(f"  {point.images:>10,} images  {point.value:.2f}")
    click.echo(f"record: {path}")
    folder = home() / "runs" / record.run_id
    for page in ("page.html", "pictures"):
        if (folder / page).exists():
            click.echo(f"{page.partition('.')[0]}: {folder / page}")
