"""The reference in `docs/reference/`: commands, hooks, contracts, protocol files, metrics, schemas.

All of it is read from the code; nothing depends on the terminal, the plugins installed or the machine.
"""

from __future__ import annotations

from pathlib import Path

import click

from benchmark.home import checkout
from benchmark.metrics.catalogue import CATALOGUE
from benchmark.pages.reference_cli import commands_page
from benchmark.pages.reference_code import Item, cell, module_words, public, rendered
from benchmark.pages.reference_schemas import protocol_schema, record_schema
from benchmark.pages.reference_tasks import tasks_page

PACKAGE = Path(__file__).resolve().parent.parent

CONTRACTS = ("method", "weights", "spec", "images", "predictions", "centres", "dataset", "twin",
             "record", "errors")  # fmt: skip
PROTOCOL_FILE = ("protocols/model", "protocols/data", "protocols/scoring", "contracts/generation")
NO_METRICS = {"__init__", "catalogue", "checks"}
"""Modules of `benchmark.metrics` without a metric: the list of ids, and what is asked of input."""

MADE = "Made from the code by `bench docs`.\n"


def folder() -> Path:
    """Where the generated reference lies in a checkout."""
    return checkout() / "docs" / "reference"


def reference(cli: click.Group) -> dict[Path, str]:
    """All generated pages by path; `cli` is the command `bench`."""
    texts = {
        "cli.md": commands_page(cli, MADE),
        "hooks.md": hooks_page(),
        "contracts.md": contracts_page(),
        "protocol-file.md": protocol_file_page(),
        "tasks.md": tasks_page(MADE),
        "metrics.md": metrics_page(),
        "training.md": training_page(),
        "record.schema.json": record_schema(),
        "protocol.schema.json": protocol_schema(),
    }
    return {folder() / name: text for name, text in texts.items()}


def hooks() -> tuple[Item, ...]:
    """The hooks that a plugin may implement."""
    (specification,) = (i for i in public(PACKAGE / "contracts" / "hooks.py") if i.name == "Hooks")
    return specification.methods


def hooks_page() -> str:
    """Every hook with what it is given."""
    lines = [
        "# Hooks",
        MADE,
        module_words(PACKAGE / "contracts" / "hooks.py"),
        "",
        "A distribution names its registration module under the entry-point group `bench`; bench",
        "imports the module and calls the hooks it finds there, each marked with `@hookimpl` from",
        "`benchmark.contracts`. A plugin that fails to load is named by `bench doctor` and left out.",
        "",
    ]
    for hook in hooks():
        lines += [f"## `{hook.heading}`", "", rendered(hook.words), ""]
    return "\n".join(lines)


def contracts_page() -> str:
    """What the rooms say to each other."""
    lead = (
        "What a method, a reader and a record are. Names that a method author needs can be imported "
        "from `benchmark.contracts` itself."
    )
    return _modules("Contracts", lead, [PACKAGE / "contracts" / f"{m}.py" for m in CONTRACTS])


def protocol_file_page() -> str:
    """What a protocol's TOML file may say."""
    lead = (
        "What `protocols/<id>/<version>.toml` may say: `Protocol` is the file, its fields are the keys "
        "and sections. The same as JSON Schema: [protocol.schema.json](protocol.schema.json)."
    )
    return _modules("Protocol files", lead, [PACKAGE / f"{m}.py" for m in PROTOCOL_FILE])


def metric_modules() -> list[Path]:
    """The files of metrics."""
    return [p for p in sorted((PACKAGE / "metrics").glob("*.py")) if p.stem not in NO_METRICS]


def metrics_page() -> str:
    """Ids with their formulas, then every function."""
    lines = ["| id | formula | computed by |", "| --- | --- | --- |"]
    for name, entry in CATALOGUE.items():
        function = entry.function.replace(":", ".")
        lines.append(f"| `{name}` | {cell(entry.formula)} | `{function}` |")
    lead = module_words(PACKAGE / "metrics" / "__init__.py") + "\n\n## Ids\n\n" + "\n".join(lines)
    return _modules("Metrics", lead, metric_modules())


def training_page() -> str:
    """The toolkit for methods that learn."""
    modules = [p for p in sorted((PACKAGE / "training").glob("*.py")) if p.stem != "__init__"]
    return _modules("Training", module_words(PACKAGE / "training" / "__init__.py"), modules)


def _modules(title: str, lead: str, paths: list[Path]) -> str:
    lines = [f"# {title}", MADE, lead, ""]
    for path in paths:
        dotted = ".".join(("benchmark", *path.relative_to(PACKAGE).with_suffix("").parts))
        lines += [f"## {dotted}", "", module_words(path), ""]
        for item in public(path):
            lines += _item(item)
    return "\n".join(lines).rstrip() + "\n"


def _item(item: Item) -> list[str]:
    lines = [f"### `{item.heading}`", "", rendered(item.words), ""]
    if item.fields:
        explained = any(f.meaning for f in item.fields)
        head = ["field", "type", "default", *(["meaning"] if explained else [])]
        lines += [f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
        for field in item.fields:
            default = f"`{cell(field.default)}`" if field.default else ""
            row = [f"`{field.name}`", f"`{cell(field.type)}`", default]
            row += [cell(field.meaning)] if explained else []
            lines.append(f"| {' | '.join(row)} |")
        lines.append("")
    for method in item.methods:
        lines += [f"#### `{method.heading}`", "", rendered(method.words), ""]
    return lines
