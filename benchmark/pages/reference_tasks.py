"""The page of tasks: what each takes, the probes, the recipes of twins; from the tables of checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import get_args

from benchmark.datasets.recipes import RECIPES
from benchmark.pages.reference_code import cell
from benchmark.probes import linear, softargmax_presets
from benchmark.protocols import Label
from benchmark.tasks.accepts import TASKS, Accepts, Measure
from benchmark.tasks.twin_faults import MODELS, PICTURES

LEAD = """\
What a protocol's `task` may be, and what each takes. `bench protocol check`, `bench run --plan` and
`bench run` refuse everything else before anything is fitted, by the same tables."""

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


def tasks_page(made: str) -> str:
    """The page in Markdown; `made` says what it is made from."""
    assert set(LABELS) == set(get_args(Label))
    lines = ["# Tasks", made, LEAD, "", *_overview()]
    for name, task in TASKS.items():
        lines += ["", f"## `{name}`", "", *_measures(task)]
    lines += ["", "## Labels", "", "What `data.labels` may name, and where it comes from:", ""]
    lines += _table(["label", "is"], ([f"`{k}`", v] for k, v in LABELS.items()))
    lines += ["", *_probes(), "", *_recipes()]
    return "\n".join(lines) + "\n"


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
        for spec in RECIPES.values()
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
    return lines + [f"| {' | '.join(cell(text) for text in row)} |" for row in rows]
