"""Tables and schemas of the reference that stand in no docstring: tasks, ids of metrics, files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import get_args

import click
import griffe
from pydantic import BaseModel

from benchmark.cli import cli
from benchmark.datasets.twin_specs import TWINS
from benchmark.metrics.catalogue import CATALOGUE
from benchmark.probes import linear, softargmax_presets
from benchmark.protocols import Label
from benchmark.tasks.accepts import TASKS, Accepts, Measure
from benchmark.tasks.twin_faults import MODELS, PICTURES

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PROTOCOL_FILE = ("protocols.model", "protocols.data", "protocols.scoring")

LABELS: dict[Label, str] = {
    "visible": "which points are annotated (`Sample.visible`)",
    "masks": "the foreground (`Reader.mask`)",
    "attributes": "yes and no of each image (`Sample.extra`)",
    "quaternions": "rotation from object to camera (`Sample.extra`)",
    "translations": "object to camera (`Sample.extra`)",
    "focals": "focal length in widths of the picture (`Sample.extra`)",
    "silhouettes": "the alpha channel of the image",
    "clouds": "points of the object's surface (`Reader.cloud`)",
    "clips": "which clip a frame is of (`Sample.extra`)",
}


def commands() -> str:
    """What `--help` says of each command, groups before what they hold."""
    return "\n\n".join(
        f"{'#' * (1 + len(name.split()))} {name}\n\n{_fence(context.get_help())}"
        for name, context in _contexts(click.Context(cli, info_name="bench", terminal_width=100))
    )


def _contexts(context: click.Context) -> Iterator[tuple[str, click.Context]]:
    yield context.command_path, context
    if isinstance(group := context.command, click.Group):
        for name in group.list_commands(context):
            if command := group.get_command(context, name):
                inner = click.Context(command, info_name=name, parent=context, terminal_width=100)
                yield from _contexts(inner)


def _fence(text: str) -> str:
    return f"```text\n{text}\n```"


def tasks() -> str:
    """What each task takes, the labels, the probes, the recipes of twins."""
    assert set(LABELS) == set(get_args(Label))
    lines = _overview()
    for name, task in TASKS.items():
        lines += ["", f"## `{name}`", "", *_measures(task)]
    lines += ["", "## Labels", "", "What `data.labels` may name, and where it comes from:", ""]
    lines += _table(["label", "is"], ([f"`{k}`", v] for k, v in LABELS.items()))
    return "\n".join([*lines, "", *_probes(), "", *_recipes()])


def metrics() -> str:
    """Ids with their formulas."""
    return "\n".join(
        _table(
            ["id", "formula", "computed by"],
            (
                [f"{_place(name)}`{name}`", entry.formula, f"`{entry.function.replace(':', '.')}`"]
                for name, entry in CATALOGUE.items()
            ),
        )
    )


def _place(name: str) -> str:
    """Where an address leads that names a metric; patterns have none."""
    return "" if "*" in name else f'<span id="{name}"></span>'


def schema(top: type[BaseModel]) -> str:
    """The JSON Schema of a file, as text; fields are described by the strings below them."""
    made = {"$schema": DIALECT, **top.model_json_schema()}
    package = griffe.load("benchmark", submodules=True)
    parts = {top.__name__: made, **made.get("$defs", {})}
    for module in ("records.model", "protocols.generation", *PROTOCOL_FILE):
        for name, found in package[module].classes.items():
            for key, field in parts.get(name, {}).get("properties", {}).items():
                if key in found.members and (words := found.members[key].docstring):
                    field["description"] = " ".join(words.value.split())
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _overview() -> list[str]:
    return _table(
        ["task", "`needs`", "sections", "splits beside `fit`", "`labels` (may)", "of a metric"],
        (
            [
                f"`{name}`",
                _code(task.kinds),
                _code(f"[{section}]" for section in task.sections),
                _code(task.splits),
                " ".join(
                    filter(None, [_code(task.labels), f"({_code(task.also)})" * bool(task.also)])
                ),
                _code(task.metric_fields),
            ]
            for name, task in TASKS.items()
        ),
    )


def _measures(task: Accepts) -> list[str]:
    return _table(
        ["measure", "better", "`aggregate`", "needs"],
        (
            [f"`{name}`", measure.better, _code(measure.aggregates), _needs(measure)]
            for name, measure in task.measures.items()
        ),
    )


def _needs(measure: Measure) -> str:
    said = [f"label `{label}`" for label in measure.labels]
    said += ["only " + _code(measure.kinds)] if measure.kinds else []
    said += ["`landmarks.eyes`"] if measure.unit_points else []
    said += ["`threshold`"] if measure.threshold else []
    said += ["every point: no label `visible`"] if measure.every_point else []
    return ", ".join(said)


def _probes() -> list[str]:
    usual = asdict(softargmax_presets.SoftargmaxSettings())
    rows = []
    for name, preset in softargmax_presets.PRESETS.items():
        changed = {k: v for k, v in asdict(preset).items() if v != usual[k]}
        rows.append([f"`{name}`", "descriptors", _values(changed) or "as in DVE's code"])
    rows += [[f"`{n}`", "landmarks", _values(p)] for n, p in linear.PRESETS.items()]
    return [
        "## Probes",
        "",
        "A metric's own `probe` is a linear one. Of the soft-argmax probes what differs from the first",
        "is listed; a protocol's page has every constant.",
        "",
        *_table(["probe", "reads", "constants"], rows),
    ]


def _recipes() -> list[str]:
    rows = (
        [
            f"`{spec.id}`",
            spec.summary,
            " or ".join(map(str, spec.landmarks)),
            str(spec.parts),
            "yes" if spec.views else "",
        ]
        for spec in TWINS
    )
    return [
        "## Recipes of twins",
        "",
        "`recipe` in `[twin]`; plugins bring more by the hook `bench_twins`. `landmarks.count` must be",
        "the number of points (68 of the face where the rule is `mafl5_from_68`); regions together are",
        f"the mask. Twins have the labels {_code(PICTURES)}. Where there is a section",
        f"`[shape]` they have {_code(MODELS)}, of a recipe that shows",
        "one model several times.",
        "",
        *_table(["recipe", "shows", "points", "regions", "for `[shape]`"], rows),
    ]


def _values(content: Mapping[str, object]) -> str:
    return ", ".join(
        f"{key} {value:g}" if type(value) is float else f"{key} {value}"
        for key, value in content.items()
    )


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
    return lines + ["| " + " | ".join(" ".join(c.split()) for c in row) + " |" for row in rows]
